"""What `make demo` does when the dashboard is built: a server on simulated hosts, and a first run on it to look at."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import webbrowser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ("ha.yaml", "minimal.yaml")
"""`minimal` is applied by the demo itself; `production` is left to whoever looks."""
READY_SECONDS = 60
RUN_SECONDS = 180


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def free_port() -> int:
    """8080 where nobody has it."""
    for port in (8080, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    sys.exit("no port is free on 127.0.0.1")


def ask(url: str, body: Any = None) -> Any:
    """The JSON document of an answer, or the text of a page. Ends the demo with what the server says of an error."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310  (our own server)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            text = answer.read().decode()
            return json.loads(text) if "json" in answer.headers["Content-Type"] else text
    except urllib.error.HTTPError as error:
        sys.exit(f"{url}: {error.code} {error.read().decode()}")


def wait_ready(server: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            sys.exit(f"the server ended with {server.returncode}")
        try:
            urllib.request.urlopen(f"{url}/readyz", timeout=5)  # noqa: S310
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"the server is not ready after {READY_SECONDS} s")


def begin(url: str, cluster: str) -> str:
    """Plan, and let exactly that be done; returns the run."""
    plan = ask(f"{url}/api/v1/clusters/{cluster}/plan", {})
    run = ask(f"{url}/api/v1/clusters/{cluster}/apply", {"plan": plan["digest"]})
    steps, hosts = len(plan["steps"]), len(plan["hosts"])
    say(f"rehearsed: {steps} steps on {hosts} simulated hosts make {cluster} (run {run['id']})")
    return str(run["id"])


def prove(url: str, cluster: str, run: str) -> None:
    """The run goes to its end, the cluster is well, and the page that shows it is there."""
    deadline = time.monotonic() + RUN_SECONDS
    found = ask(f"{url}/api/v1/runs/{run}")
    while found["state"] in {"queued", "planning", "running"} and time.monotonic() < deadline:
        time.sleep(0.3)
        found = ask(f"{url}/api/v1/runs/{run}")
    status = ask(f"{url}/api/v1/clusters/{cluster}/status")
    page = ask(f"{url}/runs/{run}")
    script = page.split('src="/assets/', 1)[-1].split('"', 1)[0] if "/assets/" in page else ""
    size = len(ask(f"{url}/assets/{script}")) if script else 0
    marked = ask(f"{url}/api/v1/system")["rehearsal"]
    say(f"the run is {found['state']}: {found['done']} of {found['total']} steps")
    ready = sum(host["state"] == "Ready" for host in status["hosts"])
    say(f"{cluster}: {ready} of {len(status['hosts'])} simulated nodes Ready")
    say(f"the dashboard is served ({size // 1000} KB of script), and marked as a rehearsal: {marked}")
    if found["state"] != "done" or not status["healthy"] or not size or not marked:
        sys.exit("this is not what it should be")


def main() -> int:
    stays = sys.stdout.isatty() and sys.stdin.isatty()
    with tempfile.TemporaryDirectory(prefix="raijin-demo-") as folder:
        definitions = Path(folder) / "definitions"
        definitions.mkdir()
        for name in EXAMPLES:
            shutil.copy(ROOT / "examples" / name, definitions / name)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "raijin", "serve", "--no-auth", "--rehearsal", "--port", str(port)]
        with subprocess.Popen(
            [*command, "--definitions", str(definitions)], env=os.environ | {"RAIJIN_HOME": folder}
        ) as server:
            try:
                wait_ready(server, url)
                run = begin(url, "minimal")
                if not stays:
                    prove(url, "minimal", run)
                    return 0
                say(f"\n  {url}/runs/{run}\n\nOpen it to watch the rehearsal.")
                say(f"{url}/clusters/production waits for its plan. Ctrl-C ends the demo, and nothing is left of it.")
                webbrowser.open(f"{url}/runs/{run}")
                server.wait()
            except KeyboardInterrupt:
                say("\nthe demo has ended")
            finally:
                server.send_signal(signal.SIGINT)
                server.wait(30)
    return 0


if __name__ == "__main__":
    sys.exit(main())

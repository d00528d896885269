"""A client that writes and reads a cluster all the time, and says afterwards what it saw: failures, and for how long.

    python -m tests.lab.traffic KUBECONFIG SECONDS

It writes a counter into a ConfigMap and reads it back, on a new connection each time, as a careful client would do it:
one request after the other, each with a deadline, a conflict or an error counted and not repeated.
"""

from __future__ import annotations

import base64
import json
import ssl
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import yaml

DEADLINE = 2.0
PAUSE = 0.05
PATH = "/api/v1/namespaces/default/configmaps"


@dataclass
class Report:
    """gap: the longest time in seconds between two requests that went well. lost: writes that were confirmed, and that
    a later read did not show."""

    requests: int = 0
    failures: list[str] = field(default_factory=list)
    gap: float = 0.0
    lost: int = 0

    def __str__(self) -> str:
        return (
            f"{self.requests} requests, {len(self.failures)} failed, longest gap {self.gap:.2f} s, "
            f"{self.lost} confirmed writes lost"
        )


class Traffic(threading.Thread):
    """Requests through one address (host:port), with the client certificate of a kubeconfig."""

    def __init__(self, kubeconfig: str, name: str = "traffic") -> None:
        super().__init__(daemon=True)
        self.document = name
        self.report = Report()
        self._ended = threading.Event()
        self.use(kubeconfig)

    def use(self, kubeconfig: str) -> None:
        """From the next request on, these credentials: a client that reads its kubeconfig again."""
        document = yaml.safe_load(kubeconfig)
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        context = ssl.create_default_context(cadata=_decoded(cluster["certificate-authority-data"]))
        with tempfile.TemporaryDirectory() as folder:
            for part in ("certificate", "key"):
                (Path(folder) / part).write_text(_decoded(user[f"client-{part}-data"]))
            context.load_cert_chain(f"{folder}/certificate", f"{folder}/key")
        self.address, self._context = urlsplit(cluster["server"]), context

    def run(self) -> None:
        self._request("POST", PATH, self._body(0))
        count, confirmed, last = 0, 0, time.monotonic()
        while not self._ended.is_set():
            count += 1
            written = self._request("PUT", f"{PATH}/{self.document}", self._body(count))
            read = self._request("GET", f"{PATH}/{self.document}")
            now = time.monotonic()
            if written is not None or read is not None:
                self.report.gap = max(self.report.gap, now - last)
                last = now
            if written is not None:
                confirmed = count
            if read is not None and int(read["data"]["count"]) < confirmed:
                self.report.lost += 1
            self._ended.wait(PAUSE)
        self.report.gap = max(self.report.gap, time.monotonic() - last)

    def end(self) -> Report:
        self._ended.set()
        self.join(3 * DEADLINE)
        return self.report

    def _body(self, count: int) -> bytes:
        document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": self.document}}
        return json.dumps({**document, "data": {"count": str(count)}}).encode()

    def _request(self, method: str, path: str, body: bytes | None = None) -> dict | None:
        self.report.requests += 1
        connection = HTTPSConnection(
            str(self.address.hostname), self.address.port, timeout=DEADLINE, context=self._context
        )
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, HTTPException) as error:
            self.report.failures.append(f"{method}: {type(error).__name__}: {error}")
            return None
        finally:
            connection.close()
        if answer.status >= 400:
            self.report.failures.append(f"{method}: {answer.status} {text[:200].decode(errors='replace')}")
            return None
        return json.loads(text)


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


if __name__ == "__main__":
    traffic = Traffic(Path(sys.argv[1]).read_text())
    traffic.start()
    time.sleep(float(sys.argv[2]))
    sys.stdout.write("\n".join([str(traffic.end()), *traffic.report.failures[:20], ""]))

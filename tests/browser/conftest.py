"""A real Chromium on a real `raijin serve --rehearsal`: simulated hosts, everything above them as it is shipped."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 90.0
"""Seconds that anything may take on a busy machine."""
ACTION_MS = 40_000.0


def unable() -> str:
    """Why these tests cannot run here; empty when they can."""
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        return "there is no chromium: apt-get install chromium"
    if not (ROOT / "src" / "raijin" / "web" / "dist" / "index.html").is_file():
        return "the dashboard was not built: make dashboard"
    if not AXE.is_file():
        return "the packages of the dashboard's checks are not there: make dashboard-check"
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = unable()
    mine = [item for item in items if Path(__file__).parent in item.path.parents]
    if reason and mine and os.environ.get("RAIJIN_REQUIRE_LAB"):
        raise pytest.UsageError(f"the browser tests are required here and cannot run: {reason}")
    for item in mine:
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


@dataclass
class Server:
    """token: the one-time token of its first start, where it asks who comes. bearer: one of its administrator."""

    url: str
    folder: Path
    token: str = ""
    bearer: str = ""

    def ask(self, method: str, path: str, document: object = None, *, bearer: str = "") -> httpx2.Response:
        """The API, as a program asks it."""
        headers = {"Authorization": f"Bearer {bearer or self.bearer}"}
        return httpx2.request(method, f"{self.url}/api/v1{path}", json=document, headers=headers, timeout=PATIENCE)


def started(folder: Path, *options: str) -> Iterator[Server]:
    definitions = folder / "definitions"
    definitions.mkdir(parents=True)
    (folder / "tmp").mkdir()
    for name in ("ha.yaml", "minimal.yaml"):
        shutil.copy(ROOT / "examples" / name, definitions / name)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "raijin", "serve", "--rehearsal", "--port", str(port), *options]
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command, "--definitions", str(definitions)],
            stderr=out,
            env=os.environ | {"RAIJIN_HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")},
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _ready(process, url, log)
        token = re.search(r"(rjn_\S+)", log.read_text())
        yield Server(url, folder, token[1] if token else "")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if httpx2.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"the server is not ready: {log.read_text()}")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It asks nobody, and has two clusters that were not made yet."""
    yield from started(tmp_path_factory.mktemp("open"), "--no-auth")


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It asks who comes, and nobody is there yet."""
    yield from started(tmp_path_factory.mktemp("guarded"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """Of one module: as long as playwright is there its event loop runs, and no other test could have one."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium) -> Iterator[Callable[..., object]]:
    """Opens pages; at the end none of them may have failed, or have asked anybody but the server."""
    contexts, faults, asked = [], [], set()

    def open_page(url: str = "", *, width: int = 1280, height: int = 860, scheme: str = "light", quiet: bool = True):
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        context.set_default_timeout(ACTION_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        if quiet:
            page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: asked.add(re.sub(r"^(\w+://[^/]+).*", r"\1", request.url)))
        if url:
            page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []
    assert {host for host in asked if not re.match(r"http://127\.0\.0\.1:\d+$|data:|blob:", host)} == set()


@pytest.fixture
def axe() -> Callable[[object], list[str]]:
    """What axe-core objects to on a page (WCAG 2.2 A and AA and its best practices)."""
    source = AXE.read_text(encoding="utf-8")

    def faults_of(page) -> list[str]:
        page.evaluate(source)
        found = page.evaluate("axe.run({resultTypes: ['violations']}).then((result) => result.violations)")
        return [
            f"{fault['id']}: {node['html'][:160]}: {node['failureSummary'][:200]}"
            for fault in found
            for node in fault["nodes"][:3]
        ]

    return faults_of

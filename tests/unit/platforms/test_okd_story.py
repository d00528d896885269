"""The whole life of an OKD cluster through the command line, against a make-believe site on loopback.

Raijin's engine, its Ignition server, its client of the API and its approval of certificates are the real ones;
machines, installer and API are not: it proves that they fit together, and nothing about OKD.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.plans.conftest import EXAMPLES
from tests.unit.platforms import openshift
from tests.unit.platforms.okd_site import NODES, REQUESTS, OkdSite

from raijin.app import tools
from raijin.platforms.okd import calls, look, reach
from raijin.transport import local, okd
from raijin.transport.okd import OkdConnection

MASTERS = {"c1": "127.0.0.61", "c2": "127.0.0.62", "c3": "127.0.0.63"}
WORKERS = {"w1": "127.0.0.91"}
Raijin = Callable[..., int]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OkdSite]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    world = OkdSite(MASTERS, WORKERS, ("bootstrap", "127.0.0.60"))
    world.ignition = port
    with world.serving(tmp_path) as running:
        text = (EXAMPLES / "okd.yaml").read_text().replace("192.0.2.5:8080", f"127.0.0.1:{port}")
        (tmp_path / "raijin.yaml").write_text(text.replace("192.0.2.6", "127.0.0.6").replace("192.0.2.0", "127.0.0.0"))
        tool = openshift.Openshift()
        tool.etcd(MASTERS)
        monkeypatch.setattr(openshift, "KUBECONFIG", running.kubeconfig)
        monkeypatch.setattr(local, "run", tool.run)

        async def tool_of(_: object, name: str) -> Path:
            return tmp_path / name

        async def open_ports(address: str, ports: object, **_: object) -> frozenset[int]:
            return running.ports.get(address, frozenset()) & frozenset(ports)  # type: ignore[call-overload]

        async def resolved(_: str) -> tuple[tuple[str, ...], str]:
            return ("127.0.0.1",), ""

        @asynccontextmanager
        async def tunnel(_: object, __: str, ___: int):
            yield "127.0.0.1", running.port

        monkeypatch.setattr(tools, "tool_of", tool_of)
        monkeypatch.setattr(OkdConnection, "tunnel", tunnel)
        monkeypatch.setattr(okd, "open_ports", open_ports)
        for module in (look, reach, calls):
            monkeypatch.setattr(module, "server_of", lambda _: ("127.0.0.1", running.port))
        monkeypatch.setattr(okd, "resolved", resolved)
        monkeypatch.setattr(look, "REMEMBERED_SECONDS", 0.0)
        monkeypatch.setattr(calls, "INTERVAL", 0.05)
        lock(tmp_path)
        yield running


def lock(folder: Path) -> None:
    """Of the tools, which are stood in for."""
    lines = ["version: 1", "artifacts:"]
    for name in ("oc", "openshift-install"):
        whole = {"version": "v4.22.0-okd-scos.7", "arch": tools.normal_arch(tools.machine.machine())}
        whole |= {"kind": "archive", "file": f"{name}.tar.gz", "sha256": "0" * 64, "size": "1", "source": "builder"}
        lines.append(f"- {{name: {name}, " + ", ".join(f"{key}: '{value}'" for key, value in whole.items()) + "}")
    (folder / "raijin.lock.yaml").write_text("\n".join([*lines, "images: []", ""]).replace("size: '1'", "size: 1"))


@pytest.fixture
def raijin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: OkdSite) -> Raijin:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAIJIN_HOME", str(tmp_path / "home"))

    def run(*words: str) -> int:
        from raijin.cli import main

        monkeypatch.setattr(sys, "argv", ["raijin", *words])
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0

    return run


def test_from_nothing_to_a_cluster_to_a_worker_more(
    site: OkdSite, raijin: Raijin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.boot("bootstrap", *MASTERS)
    assert raijin("apply", "--yes") == 0, capsys.readouterr()
    assert set(site.fetched) == {"bootstrap", *MASTERS}
    assert site.fetched["c2"]["storage"]["files"][-1]["contents"]["source"] == "data:,c2%0A"
    assert site.objects["/apis/config.openshift.io/v1/schedulers/cluster"]["spec"] == {"mastersSchedulable": True}
    capsys.readouterr()
    assert raijin("plan") == 0
    assert "nothing" in capsys.readouterr().out.lower()

    definition = tmp_path / "raijin.yaml"
    text = definition.read_text().replace("---", "  - name: w1\n    address: 127.0.0.91\n---")
    group = "  - name: workers\n    role: WORKER\n    hosts: [w1]\nplatformConfig:"
    definition.write_text(text.replace("platformConfig:", group))
    site.boot("w1")
    assert raijin("apply", "--yes") == 0, capsys.readouterr()
    signed = [item for path, item in site.objects.items() if path.startswith(REQUESTS)]
    assert len(signed) == 2
    assert all(item["status"]["conditions"][0]["type"] == "Approved" for item in signed)
    assert site.objects[f"{NODES}/w1"]["status"]["conditions"][0]["status"] == "True"
    capsys.readouterr()
    assert raijin("plan") == 0
    assert raijin("kubeconfig") == 0
    assert "https://api.okd.example.org:6443" in capsys.readouterr().out

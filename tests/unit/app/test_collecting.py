"""The support bundle. Law: no secret that Raijin knows, and nothing that looks like one, is in it."""

from __future__ import annotations

import asyncio
import tarfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from raijin.app import collecting
from raijin.app.certificates import CertificateListing
from raijin.app.etcd import Members
from raijin.app.health import Health
from raijin.app.logs import LogLine
from raijin.app.session import Session
from raijin.errors import HostUnreachable, KubernetesUnavailable, UsageError
from raijin.observe.events import Event, Kind
from raijin.state.runs import Runs, RunStatus
from raijin.state.secrets import SecretStore
from raijin.validation.finding import Finding, Grade
from raijin.validation.seen import Seen
from raijin.validation.subject import Subject

DEFINED, REFERRED, KEPT, LOGGED, VARIABLE = (f"{word}-0123456789-secret" for word in ("a", "b", "c", "d", "e"))
DEFINITION = f"""
kind: Site
become: {{password: {DEFINED}}}
hosts: [{{name: n1, address: 192.0.2.11, ssh: {{password: "env:HOST_PASSWORD"}}}}]
---
kind: Cluster
name: lab
type: VANILLA
version: v1.34.2
nodeGroups: [{{name: cp, role: CONTROL_PLANE, hosts: [n1]}}]
"""


class FakeApi:
    """Lists of one pod each; events are refused."""

    async def read(self, path: str, **query: str) -> str:
        return f"{path} ok"

    async def items(self, path: str) -> list[dict[str, Any]]:
        if path.endswith("/events"):
            raise KubernetesUnavailable("the API does not answer")
        env = [{"name": "MODE", "value": VARIABLE}]
        return [{"metadata": {"name": "web", "namespace": "shop"}, "spec": {"containers": [{"env": env}]}}]


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A cluster whose hosts, API and runs are full of secrets."""
    monkeypatch.setenv("HOST_PASSWORD", REFERRED)
    file = tmp_path / "lab.yaml"
    file.write_text(DEFINITION)
    session = Session(tmp_path / "home", (file,))
    SecretStore(session.home).put("cluster/lab/kubeconfig", f"users:\n- token: {KEPT}\n")
    runs = Runs(session.database)
    runs.create("r1", cluster="lab", verb="apply", plan='{"x": 1}', settings="{}", steps=[("s1", "join", "n1")])
    runs.record(Event(Kind.MESSAGE, "r1", data={"text": f"joined with {KEPT}"}))
    runs.finish("r1", RunStatus.FAILED, {"detail": f"sudo said {DEFINED}"})
    subject = Subject("lab", "VANILLA", "v1.34.2", (), 6443, "/etc/kubernetes/admin.conf")
    finding = Finding("host-health", "n1", Grade.FAILED, f"sudo refuses {REFERRED}")
    health = Health("lab", Seen(subject, 0.0, hosts={"n1": "no route"}), (finding,))

    async def looked(_: Session) -> Health:
        return health

    async def asked(_: Session) -> Members:
        raise HostUnreachable("no route to host", host="n1")

    async def shown(*arguments: Any, note: Any) -> None:
        take = arguments[4]
        take(LogLine("n1", "kubelet", f"password={LOGGED} and {DEFINED}"))
        note("n2: no route to host")

    async def listed(_: Session) -> CertificateListing:
        return CertificateListing("lab", (), ("n3: its certificates are not known",))

    @asynccontextmanager
    async def opened(_: Session):
        yield FakeApi()

    fakes = {"health_of": looked, "members": asked, "show": shown, "opened": opened, "listing": listed}
    for name, fake in fakes.items():
        monkeypatch.setattr(collecting, name, fake)
    return session


def test_no_secret_gets_in(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "bundle.tar.gz"
    found = asyncio.run(collecting.collect(session, path, lambda _: None))
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as tar:
        texts = {entry.name: tar.extractfile(entry).read().decode() for entry in tar}  # type: ignore[union-attr]
    everything = "\n".join(texts.values())
    for secret in (DEFINED, REFERRED, KEPT, LOGGED, VARIABLE, *SecretStore(session.home).identities()):
        assert secret not in everything
    assert set(texts) == {f"bundle/{name}" for name in found.files}
    assert "password=***" in texts["bundle/logs/n1/kubelet.log"]
    assert '"MODE"' in texts["bundle/cluster/pods.json"]
    assert "joined with" in texts["bundle/runs/r1.json"]


def test_what_could_not_be_had_is_said_and_keeps_nothing_else_away(session: Session, tmp_path: Path) -> None:
    found = asyncio.run(collecting.collect(session, tmp_path / "bundle.tar.gz", lambda _: None))
    missing = found.files["missing.txt"].decode()
    for text in (
        "etcd: n1: no route",
        "/api/v1/events: the API does not answer",
        "n2: no route",
        "n1: no route",
        "certificates of n3",
    ):
        assert text in missing
    assert {"health.json", "certificates.json", "cluster/nodes.json", "definition.yaml"} <= set(found.files)


def test_a_host_that_hangs_does_not_keep_the_rest(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*arguments: Any, note: Any) -> None:
        arguments[4](LogLine("n1", "kubelet", "said before"))
        await asyncio.Event().wait()

    monkeypatch.setattr(collecting, "show", hang)
    found = asyncio.run(collecting.collect(session, tmp_path / "bundle.tar.gz", lambda _: None, limit=0.05))
    assert "logs: it was not there whole within 0.05 s" in found.files["missing.txt"].decode()
    assert found.files["logs/n1/kubelet.log"] == b"said before"
    assert {"health.json", "cluster/nodes.json"} <= set(found.files)


def test_a_file_that_is_there_is_not_written_over(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "bundle.tar.gz"
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        asyncio.run(collecting.collect(session, path, lambda _: None))
    assert path.read_text() == "mine"

"""What the twin does not model is an error that names it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar, Literal

import pytest

from raijin.errors import Unsupported
from raijin.operations.base import Operation
from raijin.operations.command import Command
from raijin.operations.file import File
from raijin.operations.program import Mode, Program
from raijin.transport.twin import Asked
from raijin.twin import api
from raijin.twin.cluster import Cluster
from raijin.twin.effects import not_modelled
from raijin.twin.site import TwinMachine


def run(site, *operations: Operation, mode: Mode = Mode.APPLY):
    machine = TwinMachine(site, site.hosts["w1"])
    return asyncio.run(machine.execute(Program("a program", "c", operations).compile(mode), None, None))


@dataclass(frozen=True, slots=True)
class Strange(Operation):
    kind: Literal["strange"] = "strange"
    library: ClassVar[str] = ""
    title = "strange"

    def arguments(self, resolve):
        return ()


def test_every_kind_of_operation_has_a_model() -> None:
    assert not_modelled() == []


def test_an_operation_that_is_not_modelled_is_named(site) -> None:
    with pytest.raises(Unsupported, match="operations of the kind strange"):
        run(site, Strange())


@pytest.mark.parametrize(
    "argv", [("frobnicate", "--all"), ("sh", "-c", "echo hello > /etc/x"), ("systemctl", "daemon-reexec", "x")]
)
def test_a_program_that_is_not_known_is_named(site, argv: tuple[str, ...]) -> None:
    with pytest.raises(Unsupported, match=r"does not model .*(frobnicate|echo hello|daemon-reexec)"):
        run(site, Command("do it", argv, marker="done"))


def test_a_guard_that_is_not_known_is_named(site) -> None:
    with pytest.raises(Unsupported, match="`ask-somebody`"):
        run(site, Command("do it", ("true",), unless=("ask-somebody",)), mode=Mode.CHECK)


def test_a_script_that_is_not_known_is_named(site) -> None:
    machine = TwinMachine(site, site.hosts["w1"])
    with pytest.raises(Unsupported, match="this script on w1: uname -a"):
        asyncio.run(machine.execute("uname -a\n", None, None))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/metrics"),
        ("GET", "/apis/metrics.k8s.io/v1beta1/others"),
        ("PUT", "/api/v1/nodes/w1"),
        ("POST", "/api/v1/namespaces/default/pods/a/exec"),
    ],
)
def test_a_request_that_is_not_known_is_refused_by_name(site, method: str, path: str) -> None:
    told = api.answer(site, Cluster("c", 6443, ""), Asked(method, path, {}, "application/json", b"{}"))
    assert told.status == 400
    assert "the rehearsal does not model" in told.body["message"]


def test_a_file_needs_its_folder_as_on_a_real_host(site) -> None:
    done = run(site, File("/nowhere/x", "content"))
    assert '"state":"failed"' in done.stdout
    assert site.hosts["w1"].entry("/nowhere/x") is None


def test_a_check_changes_nothing(site) -> None:
    before = dict(site.hosts["w1"].things)
    done = run(site, File("/etc/x", "content"), mode=Mode.CHECK)
    assert '"state":"would-change"' in done.stdout
    assert site.hosts["w1"].things == before
    assert site.hosts["w1"].receipts == {}

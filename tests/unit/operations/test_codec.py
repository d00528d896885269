"""Operations as JSON: every kind goes there and back, and what is wrong is named."""

from __future__ import annotations

import json
import typing
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raijin.errors import UsageError
from raijin.operations import CATALOGUE
from raijin.operations.absent import Absent
from raijin.operations.address import AddressFree
from raijin.operations.archive import Archive
from raijin.operations.base import Operation, SecretRef
from raijin.operations.chains import ChainsAbsent
from raijin.operations.claim import Claim
from raijin.operations.codec import from_json, program_from_json, program_to_json, to_json
from raijin.operations.command import Command
from raijin.operations.containers import ContainersAbsent
from raijin.operations.credential import Credential
from raijin.operations.directory import Directory
from raijin.operations.download import Download
from raijin.operations.file import File
from raijin.operations.fixed import Fixed
from raijin.operations.forget import Forget
from raijin.operations.group import Group
from raijin.operations.hostname import Hostname
from raijin.operations.image import Image
from raijin.operations.install import Install
from raijin.operations.kernelarguments import KernelArguments
from raijin.operations.kernelmodule import KernelModule
from raijin.operations.kubeconfig import KubeconfigTrust
from raijin.operations.line import Line
from raijin.operations.link import LinkAbsent
from raijin.operations.mount import Mount
from raijin.operations.package import Package
from raijin.operations.program import Program
from raijin.operations.reboot import Reboot
from raijin.operations.repository import Repository
from raijin.operations.restart import Restart
from raijin.operations.restore import Restore
from raijin.operations.routes import RoutesAbsent
from raijin.operations.staticpod import StaticPod
from raijin.operations.swap import Swap
from raijin.operations.sysctl import Sysctl
from raijin.operations.template import Template
from raijin.operations.unit import Unit
from raijin.operations.user import User
from raijin.operations.wait import Wait

SUM = "0" * 64
EXAMPLES: list[Operation] = [
    File("/a", "x"),
    File("/a", SecretRef("token"), mode="600"),
    Template("/a", "{{ x }}", {"x": [1, {"y": None, "z": SecretRef("deep")}], "s": SecretRef("token")}),
    Directory("/a/b"),
    Line("/a", "x", match="^x"),
    Install("/a", SUM, "kubelet"),
    Download("https://example.org/x", "/a", SUM),
    Archive("/a", SUM, "x.tgz", 1, ("bin/a",)),
    Package(("curl",), present=False),
    Repository("k8s", "https://example.org", "KEY", "/"),
    Unit("kubelet", running=None, watches=("/a",)),
    Sysctl((("net.ipv4.ip_forward", "1"),)),
    KernelModule(("overlay",)),
    KernelArguments("/boot/firmware/cmdline.txt", ("cgroup_enable=memory",)),
    Hostname("w1"),
    Group("etcd", 977),
    User("etcd", groups=("adm",)),
    Mount("/a", "/dev/x", "ext4"),
    Swap(),
    Image("a/b:c", SUM, "b"),
    Command("x", ("a", SecretRef("token")), marker="x", environment=(("A", "b"), ("C", SecretRef("token")))),
    Wait("x", port=6443),
    Fixed("pods", "10.244.0.0/16", "the network of pods", "make the cluster anew"),
    Reboot(("needs-restarting", "-r")),
    Restart("kubelet", timeout=30),
    Credential("/etc/kubernetes/pki/ca.key", SecretRef("cluster/lab/ca"), mode="600"),
    KubeconfigTrust("/etc/kubernetes/admin.conf", "/etc/kubernetes/pki/ca.crt"),
    StaticPod("etcd", "unix:///run/x.sock", ("/etc/a", "/etc/b"), timeout=30),
    Command("y", ("a",), marker="y", value="2"),
    Absent("/var/lib/kubelet", recursive=True, unmount=True),
    LinkAbsent("cni0"),
    RoutesAbsent(("80",), ("10.244.0.0/16",)),
    ChainsAbsent(("KUBE-",)),
    ContainersAbsent("unix:///run/containerd/containerd.sock"),
    Claim("lab"),
    AddressFree("192.0.2.10", ("02:00:5e:10:00:01",)),
    Restore(),
    Forget(),
]


def test_there_is_an_example_of_every_kind() -> None:
    assert {type(example) for example in EXAMPLES} >= set(CATALOGUE)


@pytest.mark.parametrize("operation", EXAMPLES, ids=lambda operation: operation.kind)
def test_there_and_back(operation: Operation) -> None:
    data = json.loads(json.dumps(to_json(operation)))
    assert from_json(data) == operation
    assert data["kind"] == operation.kind


def test_kinds_are_words_of_the_shell_and_each_is_taken_once() -> None:
    kinds = [typing.get_args(typing.get_type_hints(kind)["kind"])[0] for kind in CATALOGUE]
    assert len(set(kinds)) == len(kinds)
    assert all(kind.isalpha() and kind.islower() for kind in kinds)


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.__name__)
def test_every_kind_says_what_it_is_and_has_its_functions(kind: type[Operation]) -> None:
    example = next(example for example in EXAMPLES if isinstance(example, kind))
    name = kind.function or example.kind
    text = "\n".join((*kind.requires, kind.library))
    assert f"{name}_check()" in text
    assert f"{name}_change()" in text
    assert kind.__doc__
    assert example.title
    assert fields(kind)[-1].name == "kind"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "an operation is an object with a kind, not a list"),
        ({}, "there is no operation of the kind None"),
        ({"kind": "shell"}, "there is no operation of the kind 'shell'"),
        ({"kind": "file", "path": "/a", "content": "x", "colour": 1}, "the operation file has no field 'colour'"),
        ({"kind": "file", "path": "/a"}, "the operation file lacks the field 'content'"),
        ({"kind": "file", "path": 1, "content": ""}, "the field 'path' of the operation file is not text"),
        (
            {"kind": "file", "path": "/a", "content": {"secret": 1}},
            "the field 'content' of the operation file is not text or a reference to a secret",
        ),
        ({"kind": "package", "names": "curl"}, "the field 'names' of the operation package is not a list"),
        ({"kind": "package", "names": ["a", None]}, "the field 'names' of the operation package is not text"),
        ({"kind": "swap", "enabled": 0}, "the field 'enabled' of the operation swap is not true or false"),
        ({"kind": "unit", "name": "x", "running": "yes"}, "not true or false or null"),
        ({"kind": "wait", "title": "x", "port": True}, "the field 'port' of the operation wait is not a whole number"),
        ({"kind": "sysctl", "settings": [["a"]]}, "the field 'settings' of the operation sysctl is not a list of 2"),
        ({"kind": "template", "path": "/a", "template": "", "values": []}, "is not an object"),
        ({"kind": "hostname", "name": "W1"}, "'W1' is not a host name"),
    ],
)
def test_what_is_wrong_is_named(data: object, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_json(data)
    assert message in str(caught.value)


def test_a_program_there_and_back() -> None:
    program = Program("prepare", "lab", tuple(EXAMPLES))
    data = json.loads(json.dumps(program_to_json(program)))
    assert program_from_json(data) == program
    assert program_from_json(data).id == program.id


@pytest.mark.parametrize("data", [None, {}, {"name": "x", "scope": "y"}, {"name": "x", "scope": 1, "operations": []}])
def test_a_program_that_is_none(data: object) -> None:
    with pytest.raises(UsageError):
        program_from_json(data)


@given(st.text(), st.text(), st.booleans())
def test_any_text_comes_back(line: str, path: str, present: bool) -> None:
    one_line = line.replace("\n", "").replace("\r", "")
    operation = Line("/" + path, one_line, present=present)
    assert from_json(json.loads(json.dumps(to_json(operation)))) == operation

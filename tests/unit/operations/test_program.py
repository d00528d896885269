"""How operations become one script, and what identifies a program."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raijin.errors import UsageError
from raijin.operations.absent import Absent
from raijin.operations.archive import Archive
from raijin.operations.base import Operation, SecretRef
from raijin.operations.command import Command
from raijin.operations.directory import Directory
from raijin.operations.download import Download
from raijin.operations.file import File
from raijin.operations.group import Group
from raijin.operations.hostname import Hostname
from raijin.operations.image import Image
from raijin.operations.install import Install
from raijin.operations.kernelmodule import KernelModule
from raijin.operations.line import Line
from raijin.operations.mount import Mount
from raijin.operations.package import Package
from raijin.operations.program import Mode, Program, compile_operations
from raijin.operations.reboot import Reboot
from raijin.operations.repository import Repository
from raijin.operations.sysctl import Sysctl, live_path
from raijin.operations.template import Template
from raijin.operations.unit import Unit
from raijin.operations.wait import Wait
from raijin.transport.quoting import word

SUM = "0" * 64


def test_the_id_comes_from_the_content_and_is_stable() -> None:
    """Written down: an id that changes with the version of Raijin makes every saved plan stale."""
    program = Program("prepare", "lab", (File("/etc/a", "x"), File("/etc/b", SecretRef("token"))))
    assert program.id == Program("prepare", "lab", (File("/etc/a", "x"), File("/etc/b", SecretRef("token")))).id
    assert program.id == "74c69ce4127d2f3b"
    others = [
        Program("prepare", "lab", program.operations[:1]),
        Program("prepare", "shop", program.operations),
        Program("other", "lab", program.operations),
        Program("prepare", "lab", program.operations[::-1]),
        Program("prepare", "lab", (File("/etc/a", "x", mode="600"), program.operations[1])),
    ]
    assert len({program.id, *(other.id for other in others)}) == 6


def test_a_library_is_in_the_script_once() -> None:
    script = Program("x", "y", (File("/a", ""), File("/b", ""), Sysctl((("a.b", "1"),)))).compile(Mode.CHECK)
    assert script.count("file_check() {") == 1
    assert script.count("\nraijin_program\n") == 1
    assert script.endswith("}\nraijin_program\nexit 0\n")


def test_topics_are_asked_once_for_all() -> None:
    script = Program("x", "y", (File("/a", ""), Directory("/a"), Unit("u", watches=("/a", "/c d")))).compile(Mode.CHECK)
    assert "files_wanted() { files_fetch /a '/c d'; }\n" in script
    assert "sums_wanted() { sums_fetch /a '/c d'; }\n" in script
    assert "units_wanted() { units_fetch u.service; }\n" in script


def test_several_programs_of_one_host_are_one_script() -> None:
    one, two = Program("one", "lab", (File("/a", "x"),)), Program("two", "lab", (File("/b", "x"),))
    script = compile_operations([one, two], Mode.APPLY, run="r1")
    assert "\nop 0 file /a " in script
    assert "\nop 1 file /b " in script
    assert script.count("\nbegin_apply\n") == 1


def test_a_payload_is_spent_after_its_last_use() -> None:
    first, second = Install("/a", SUM, "x"), Install("/b", SUM, "x")
    script = Program("x", "y", (first, File("/c", ""), second)).compile(Mode.APPLY)
    assert script.count("\nspent ") == 1
    assert script.index("\nop 2 ") < script.index("\nspent ")
    assert len(Program("x", "y", (first, second)).payloads()) == 1
    assert Program("x", "y", (File("/c", ""), second)).payloads([0]) == ()


def test_a_plan_holds_no_secret() -> None:
    program = Program("x", "y", (File("/a", SecretRef("token")),))
    assert "(secret token)" in program.compile(Mode.CHECK)
    assert "hunter2" in program.compile(Mode.APPLY, resolve=lambda reference: "hunter2")
    assert "token" in repr(program)
    assert str(SecretRef("token")) == "***"


@given(st.text(st.characters(exclude_characters="\0")))
def test_a_word_is_one_word(text: str) -> None:
    assert shlex.split(word(text)) == [text]


def test_words_of_other_types() -> None:
    assert [word(True), word(False), word(7), word("")] == ["1", "''", "7", "''"]


def test_a_nul_is_refused() -> None:
    with pytest.raises(UsageError, match="NUL"):
        word("a\0b")


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
        ("net/ipv4/conf/eth0.100/rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
        ("net.ipv4.conf.eth0/100.rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
        ("vm/swappiness", "vm/swappiness"),
    ],
)
def test_the_path_of_a_kernel_setting(key: str, path: str) -> None:
    assert live_path(key) == path


def test_a_flat_repository_and_one_with_components() -> None:
    flat = Repository("k8s", "https://pkgs.k8s.io/core:/stable:/v1.34/deb/", "KEY", "/")
    (_, key), (_, source), *_ = zip(flat.probes(), flat.arguments(str)[6::7], strict=True)
    assert key == "KEY\n"
    assert source == (
        "Types: deb\nURIs: https://pkgs.k8s.io/core:/stable:/v1.34/deb/\nSuites: /\n"
        "Signed-By: /etc/apt/keyrings/k8s.asc\n"
    )


def test_a_template_names_the_value_that_is_missing() -> None:
    with pytest.raises(UsageError, match="the template of /a cannot be filled: 'x' is undefined"):
        Template("/a", "{{ x }}").arguments(str)
    with pytest.raises(UsageError, match="the template of /a is wrong in line 2"):
        Template("/a", "\n{% if %}").arguments(str)


def test_a_template_with_a_secret_shows_nothing() -> None:
    for template, value in (("{{ x }}", SecretRef("token")), ("{{ x[0].y }}", [{"y": SecretRef("token")}])):
        secret = Template("/a", template, {"x": value})
        assert secret.arguments(lambda reference: "hunter2")[5:] == (True, "hunter2")
        assert secret.desired("content") is None
    assert Template("/a", "{{ x }}", {"x": 1}).desired("content") == "1"


WRONG: list[tuple[type[Operation], tuple[object, ...], dict[str, object], str]] = [
    (File, ("a", "x"), {}, "'a' is not an absolute path"),
    (File, ("/a", "x"), {"mode": "0644"}, "'0644' is not a file mode"),
    (File, ("/a", "x"), {"mode": "u+x"}, "'u+x' is not a file mode"),
    (Directory, ("a",), {}, "'a' is not an absolute path"),
    (Line, ("/a", "x\ny"), {}, "holds a line break"),
    (Install, ("/a", "abc", "x"), {}, "'abc' is not a sha256"),
    (Download, ("ftp://x", "/a", SUM), {}, "is not an http, https or file URL"),
    (Archive, ("/a", SUM, "x.rar"), {}, "'x.rar' is not an archive that Raijin unpacks"),
    (Image, ("pause 3", SUM, "x"), {}, "is not the full name of an image"),
    (Package, ((),), {}, "names no package"),
    (Package, (("kubelet=1.34",),), {}, "'kubelet=1.34' is not the name of a package"),
    (Package, (("-y",),), {}, "'-y' is not the name of a package"),
    (Repository, ("K8s", "https://x", ""), {}, "is not the name of a repository"),
    (Unit, ("a b",), {}, "'a b' is not the name of a unit"),
    (Unit, ("a",), {"masked": True}, "cannot be masked and running or enabled"),
    (Sysctl, ((),), {}, "holds no setting"),
    (Sysctl, ((("../../etc/passwd", "1"),),), {}, "is not the name of a kernel setting"),
    (Sysctl, ((("net..x", "1"),),), {}, "is not the name of a kernel setting"),
    (KernelModule, (("a/b",),), {}, "'a/b' is not the name of a kernel module"),
    (KernelModule, ((),), {}, "names no module"),
    (Hostname, ("W1",), {}, "is not a host name"),
    (Hostname, ("-w1",), {}, "is not a host name"),
    (Group, ("Wheel",), {}, "is not the name of a group"),
    (Mount, ("a", "x", "ext4"), {}, "'a' is not an absolute path"),
    (Command, ("x", ("true",)), {}, "the command 'x' has no guard"),
    (Command, ("x", ()), {"marker": "m"}, "the command 'x' runs nothing"),
    (Command, ("x", ("true",)), {"marker": "../m"}, "'../m' is not the name of a marker"),
    (Command, ("x", ("true",)), {"marker": "m", "environment": (("A B", ""),)}, "is not the name of a variable"),
    (Command, ("x", ("true",)), {"only_if": ("true",)}, "the command 'x' has no guard"),
    (Wait, ("x",), {}, "the wait 'x' has no condition"),
    (Reboot, (), {"flag": ""}, "a reboot has no condition"),
]


@pytest.mark.parametrize(
    ("kind", "values", "named", "message"), WRONG, ids=lambda item: getattr(item, "__name__", None)
)
def test_what_cannot_be_meant_is_refused_early(
    kind: type[Operation], values: tuple[object, ...], named: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        kind(*values, **named)
    assert message in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "path",
    [
        "/", "//", "/etc", "/var/", "/home", "/etc/", "/var/lib", "/usr/bin", "/usr/local/bin", "/etc/systemd/system",
        "/a/../etc", "/var/lib/..", "/var/./lib", "/var//lib", "relative/a", "/proc/1", "/sys/fs", "/dev/sda",
        "/bin/sh", "/etc/ssh/", "/var/lib/dpkg", "/unknown/x",
    ],
)  # fmt: skip
def test_what_must_not_be_removed(path: str) -> None:
    with pytest.raises(UsageError):
        Absent(path, recursive=True)


@pytest.mark.parametrize(
    "path", ["/etc/kubernetes", "/var/lib/kubelet/", "/opt/cni", "/usr/local/bin/kubelet", "/tmp/x"]
)
def test_what_may_be_removed(path: str) -> None:
    assert Absent(path).title == f"no {path}"

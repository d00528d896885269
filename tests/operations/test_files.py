"""Operations on files, by data cases: a change, no change, a refusal; each under every shell, and each under the laws.

The laws: a check writes nothing; the second apply finds nothing to do; Restore brings back every byte, mode, owner and
time.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from raijin.operations.absent import Absent
from raijin.operations.archive import Archive
from raijin.operations.base import Operation, SecretRef
from raijin.operations.claim import Claim
from raijin.operations.command import Command
from raijin.operations.credential import Credential
from raijin.operations.directory import Directory
from raijin.operations.download import Download
from raijin.operations.file import File
from raijin.operations.image import Image
from raijin.operations.install import Install
from raijin.operations.kernelarguments import KernelArguments
from raijin.operations.kubeconfig import KubeconfigTrust
from raijin.operations.line import Line
from raijin.operations.template import Template
from raijin.operations.wait import Wait

if TYPE_CHECKING:
    from tests.operations.conftest import Host

OLD = "#!/bin/sh\necho old\n"
BINARY = b"\x7fELF\x00binary" * 1000
SUM = hashlib.sha256(BINARY).hexdigest()
HOSTS = "127.0.0.1 localhost\n10.0.0.9 w1\n# end\n"


AUTHORITIES = "-----BEGIN CERTIFICATE-----\n" + "AbC+/" * 300 + "\n-----END CERTIFICATE-----\n"
DATA = base64.b64encode(AUTHORITIES.encode()).decode()
CONF = (
    "clusters:\n- cluster:\n    certificate-authority-data: {}\n    server: https://192.0.2.1:6443\n"
    "users:\n- user:\n    client-key-data: 'a|&b'\n"
)
CNI = {"bin/bridge": "bridge 1", "bin/deep/host": "host 1", "README": "read me"}


def images(host: Host) -> str:
    host.tool("ctr", 'for last; do :; done; case "$*" in *ls*) cat "$0.list";; *) cat "$last" >>"$0.list";; esac; :\n')
    return str(host.tools / "ctr")


@dataclass(frozen=True)
class Case:
    """fields: what the report names. restorable: Restore must bring the tree back. text: (path, content) afterwards."""

    name: str
    make: Callable[[Host], Operation]
    before: Callable[[Host], object] = lambda host: None
    fields: tuple[str, ...] = ()
    text: tuple[tuple[str, str], ...] = ()
    modes: tuple[tuple[str, int], ...] = ()
    absent: tuple[str, ...] = ()
    restorable: bool = True
    reason: str = ""

    def __str__(self) -> str:
        return self.name


CHANGES = [
    Case(
        "a new file",
        lambda h: File(h.path("a"), "one\ntwo"),
        fields=("state", "content"),
        text=(("a", "one\ntwo"),),
        modes=(("a", 0o644),),
    ),
    Case(
        "another content, mode and owner",
        lambda h: File(h.path("a"), "new\n", mode="600"),
        lambda h: (h.write("a", OLD, 0o755), os.chown(h.root / "a", *other())),
        fields=("content", "mode", "owner", "group"),
        text=(("a", "new\n"),),
        modes=(("a", 0o600),),
    ),
    Case(
        "an odd mode",
        lambda h: File(h.path("a"), "x", mode="4750"),
        modes=(("a", 0o4750),),
        fields=("state", "content"),
    ),
    Case(
        "a set-uid program of somebody else",
        lambda h: File(h.path("a"), "x", mode="4750", owner="daemon", group="daemon"),
        modes=(("a", 0o4750),),
        fields=("state", "content"),
    ),
    Case("an empty file", lambda h: File(h.path("a"), ""), lambda h: h.write("a", "x"), ("content",), (("a", ""),)),
    Case("a file over an empty one", lambda h: File(h.path("a"), "x"), lambda h: h.write("a"), ("content",)),
    Case("a name with odd letters", lambda h: File(h.path("a b'c\"\\n\n$(x)|é"), "x"), fields=("state", "content")),
    Case("a directory with its parents", lambda h: Directory(h.path("a/b/c"), mode="750"), fields=("state",)),
    Case("a directory's mode", lambda h: Directory(h.path("a"), mode="700"), lambda h: h.write("a/x"), ("mode",)),
    Case(
        "a line at the end",
        lambda h: Line(h.path("hosts"), "10.0.0.1 cp1"),
        lambda h: h.write("hosts", HOSTS),
        ("line",),
        (("hosts", HOSTS + "10.0.0.1 cp1\n"),),
    ),
    Case(
        "a line after one without a line break",
        lambda h: Line(h.path("hosts"), "10.0.0.1 cp1"),
        lambda h: h.write("hosts", "127.0.0.1 localhost", 0o640),
        ("line",),
        (("hosts", "127.0.0.1 localhost\n10.0.0.1 cp1\n"),),
        modes=(("hosts", 0o640),),
    ),
    Case(
        "a line in the place of another",
        lambda h: Line(h.path("hosts"), "10.0.0.1 w1", match="[[:space:]]w1$"),
        lambda h: h.write("hosts", HOSTS + "10.0.0.8\tw1\nlast"),
        ("line",),
        (("hosts", "127.0.0.1 localhost\n10.0.0.1 w1\n# end\nlast"),),
    ),
    Case("a line of a new file", lambda h: Line(h.path("x"), "a"), fields=("line",), text=(("x", "a\n"),)),
    Case(
        "a line that goes",
        lambda h: Line(h.path("hosts"), "10.0.0.9 w1", present=False),
        lambda h: h.write("hosts", HOSTS),
        ("line",),
        (("hosts", "127.0.0.1 localhost\n# end\n"),),
    ),
    Case(
        "lines that go by a pattern",
        lambda h: Line(h.path("hosts"), "", match="^1[0-9]+", present=False),
        lambda h: h.write("hosts", HOSTS),
        ("line",),
        (("hosts", "# end\n"),),
    ),
    Case(
        "a line with what a shell or a pattern would eat",
        lambda h: Line(h.path("x"), r"a\nb $HOME `id` * [x] 'q' \\ é", match=r"^a\\nb"),
        lambda h: h.write("x", "a\\nb old\n"),
        ("line",),
        (("x", r"a\nb $HOME `id` * [x] 'q' \\ é" + "\n"),),
    ),
    Case(
        "arguments of a kernel",
        lambda h: KernelArguments(h.path("c"), ("cgroup_memory=1", "cgroup_enable=memory")),
        lambda h: h.write("c", "console=tty1 root=PARTUUID=58b06195-02 rootwait\n", 0o755),
        ("arguments",),
        (("c", "console=tty1 root=PARTUUID=58b06195-02 rootwait cgroup_memory=1 cgroup_enable=memory\n"),),
        modes=(("c", 0o755),),
    ),
    Case(
        "one argument that is missing, in a line without an end, with a blank too many",
        lambda h: KernelArguments(h.path("c"), ("cgroup_memory=1", "cgroup_enable=memory")),
        lambda h: h.write("c", "cgroup_enable=cpuset cgroup_enable=memory  rootwait  "),
        ("arguments",),
        (("c", "cgroup_enable=cpuset cgroup_enable=memory  rootwait cgroup_memory=1"),),
    ),
    Case(
        "arguments before lines that no firmware reads",
        lambda h: KernelArguments(h.path("c"), ("a=1",)),
        lambda h: h.write("c", "rootwait aa=1\n# a=1\n\n"),
        ("arguments",),
        (("c", "rootwait aa=1 a=1\n# a=1\n\n"),),
    ),
    Case(
        "a template",
        lambda h: Template(h.path("t"), "{% for n in names %}\nhost {{ n }}\n{% endfor %}\n", {"names": ["a", "b"]}),
        fields=("state", "content"),
        text=(("t", "host a\nhost b\n"),),
    ),
    Case(
        "a binary",
        lambda h: Install(h.path("bin/kubelet"), h.stage(BINARY), "kubelet 1.34.2"),
        lambda h: h.write("bin/x"),
        ("state",),
        modes=(("bin/kubelet", 0o755),),
    ),
    Case(
        "a newer binary",
        lambda h: Install(h.path("bin/kubelet"), h.stage(BINARY), "kubelet 1.34.2"),
        lambda h: h.write("bin/kubelet", OLD, 0o700),
        ("content", "mode"),
    ),
    Case(
        "a download",
        lambda h: Download(f"file://{h.root}/up/x.bin", h.path("down/x"), SUM, mode="600"),
        lambda h: (h.write("up/x.bin", BINARY), h.write("down/y")),
        ("state",),
        modes=(("down/x", 0o600),),
    ),
    Case(
        "an archive",
        lambda h: Archive(h.path("cni"), h.stage(h.tarball(CNI)), "cni-plugins-linux-amd64-v1.9.1.tgz"),
        lambda h: h.write("cni/mine", "mine"),
        ("content",),
        (("cni/bin/bridge", "bridge 1"), ("cni/bin/deep/host", "host 1"), ("cni/mine", "mine")),
        modes=(("cni/bin/bridge", 0o755),),
    ),
    Case(
        "members of an archive without their folder",
        lambda h: Archive(h.path("cni"), h.stage(h.tarball(CNI)), "c.tar.gz", strip=1, members=("bin/bridge",)),
        lambda h: h.write("cni/bridge", "somebody's", 0o600),
        ("content",),
        (("cni/bridge", "bridge 1"),),
        absent=("cni/deep", "cni/README", "cni/bin"),
    ),
    Case(
        "a command",
        lambda h: Command(
            "make it",
            ("sh", "-c", 'printf %s "$A$1" >"$0"', h.path("made"), "b c"),
            creates=h.path("made"),
            environment=(("A", "x 'y'\n"),),
        ),
        fields=("done",),
        text=(("made", "x 'y'\nb c"),),
        restorable=False,
    ),
    Case(
        "a command until another one is content",
        lambda h: Command("link", ("ln", "-s", "x", h.path("l")), unless=("test", "-L", h.path("l"))),
        fields=("done",),
        restorable=False,
    ),
    Case(
        "a command with a marker, only if",
        lambda h: Command("once", ("touch", h.path("x")), marker="once", only_if=("test", "-e", h.path("go"))),
        lambda h: h.write("go"),
        ("done",),
        restorable=False,
    ),
    Case(
        "a wait for what comes",
        lambda h: Wait(
            "x", ("sh", "-c", 'mkdir "$0" 2>/dev/null && exit 1; [ -d "$0" ]', h.path("x")), path=h.path("")
        ),
        fields=("x",),
        restorable=False,
    ),
    Case(
        "a new credential",
        lambda h: Credential(h.path("k"), SecretRef("key")),
        fields=("state",),
        text=(("k", "(secret key)"),),
        modes=(("k", 0o600),),
        restorable=False,
    ),
    Case(
        "another credential, which nobody wants back",
        lambda h: Credential(h.path("k"), SecretRef("key"), mode="644"),
        lambda h: h.write("k", OLD, 0o600),
        fields=("content", "mode"),
        text=(("k", "(secret key)"),),
        modes=(("k", 0o644),),
        restorable=False,
    ),
    Case(
        "other authorities in a kubeconfig",
        lambda h: KubeconfigTrust(h.path("c"), h.path("ca")),
        lambda h: (h.write("ca", AUTHORITIES), h.write("c", CONF.format("b2xk"), 0o600)),
        fields=("authorities",),
        text=(("c", CONF.format(DATA)),),
        modes=(("c", 0o600),),
        restorable=False,
    ),
    Case("a claim", lambda h: Claim("lab"), fields=("owner",), restorable=False),
    Case(
        "a file that goes",
        lambda h: Absent(h.path("a")),
        lambda h: h.write("a"),
        ("state",),
        absent=("a",),
        restorable=False,
    ),
    Case(
        "a folder that goes",
        lambda h: Absent(h.path("a"), recursive=True),
        lambda h: (h.write("a/b/c"), (h.root / "a/l").symlink_to(h.root)),
        ("state",),
        absent=("a",),
        restorable=False,
    ),
    Case(
        "a link that goes alone",
        lambda h: Absent(h.path("l"), recursive=True),
        lambda h: (h.write("a/b"), (h.root / "l").symlink_to(h.root / "a")),
        ("state",),
        (("a/b", ""),),
        absent=("l",),
        restorable=False,
    ),
    Case(
        "an image",
        lambda h: Image("registry.k8s.io/pause:3.10", h.stage(b"registry.k8s.io/pause:3.10\n"), "pause", ctr=images(h)),
        fields=("state",),
        restorable=False,
    ),
]


def other() -> tuple[int, int]:
    """Somebody who is not root, where we may give files away."""
    return (1, 1) if os.geteuid() == 0 else (-1, -1)


@pytest.mark.parametrize("case", CHANGES, ids=str)
def test_a_change(host: Host, case: Case) -> None:
    if ("owner" in case.fields or "somebody else" in case.name) and os.geteuid() != 0:
        pytest.skip("only root gives files away")
    case.before(host)
    operation = case.make(host)
    before, everything = host.tree(), host.all()

    if not isinstance(operation, Wait):  # the probe of this one counts how often it was asked
        checked = host.check(operation).one()
        assert checked.state == "would-change"
        assert tuple(change.field for change in checked.changes) == case.fields
        assert host.all() == everything, "a check wrote something"

    applied = host.run(operation).one()
    assert applied.state == "changed", applied
    assert tuple(change.field for change in applied.changes) == case.fields
    for name, content in case.text:
        assert (host.root / name).read_text() == content
    for name, mode in case.modes:
        assert (host.root / name).stat().st_mode & 0o7777 == mode
    assert not [name for name in case.absent if os.path.lexists(host.root / name)]
    assert not list(host.root.rglob("*raijin*")), "something of ours lies about"
    assert not (host.base / "stage").exists() or not list((host.base / "stage").iterdir())

    after = host.tree()
    assert host.run(operation).one().state == "ok"
    assert host.check(operation).one().state == "ok"
    assert host.tree() == after

    if case.restorable:
        assert host.check(*restoring()).one().state == "would-change"
        assert host.restore().state == "changed"
        assert host.tree() == before
        assert host.restore().state == "ok"


def restoring() -> tuple[Operation, ...]:
    from raijin.operations.restore import Restore

    return (Restore(),)


SAME = [
    Case("the file", lambda h: File(h.path("a"), OLD, mode="755"), lambda h: h.write("a", OLD, 0o755)),
    Case("the directory", lambda h: Directory(h.path("a")), lambda h: h.write("a/x")),
    Case(
        "a link to a directory",
        lambda h: Directory(h.path("l")),
        lambda h: (h.write("a/x"), (h.root / "l").symlink_to("a")),
    ),
    Case("the line", lambda h: Line(h.path("x"), "b"), lambda h: h.write("x", "a\nb")),
    Case(
        "the arguments", lambda h: KernelArguments(h.path("c"), ("b=1", "a")), lambda h: h.write("c", "a x b=1 c\nd\n")
    ),
    Case("the matched line", lambda h: Line(h.path("x"), "k=1", match="^k="), lambda h: h.write("x", "a\nk=1\nb")),
    Case("no such line", lambda h: Line(h.path("x"), "k", match="^k", present=False), lambda h: h.write("x", "a\n")),
    Case("no such file for no line", lambda h: Line(h.path("x"), "k", present=False)),
    Case(
        "the template",
        lambda h: Template(h.path("t"), "{{ a }}\n", {"a": 1}),
        lambda h: h.write("t", "1\n"),
    ),
    Case(
        "the binary, without a stamp",
        lambda h: Install(h.path("x"), SUM, "x", mode="644"),
        lambda h: h.write("x", BINARY),
    ),
    Case(
        "the download",
        lambda h: Download("http://192.0.2.1/x", h.path("x"), SUM),
        lambda h: h.write("x", BINARY),
    ),
    Case(
        "a command that is not needed",
        lambda h: Command("no", ("false",), creates=h.path("x")),
        lambda h: h.write("x"),
    ),
    Case("a command whose time has not come", lambda h: Command("no", ("false",), marker="m", only_if=("false",))),
    Case("a wait for what is there", lambda h: Wait("x", ("true",), path=h.path("x")), lambda h: h.write("x")),
    Case(
        "the credential",
        lambda h: Credential(h.path("k"), SecretRef("key")),
        lambda h: h.write("k", "(secret key)", 0o600),
    ),
    Case(
        "the authorities in the kubeconfig",
        lambda h: KubeconfigTrust(h.path("c"), h.path("ca")),
        lambda h: (h.write("ca", AUTHORITIES), h.write("c", CONF.format(DATA))),
    ),
    Case(
        "a kubeconfig that names the file of the authorities",
        lambda h: KubeconfigTrust(h.path("c"), h.path("ca")),
        lambda h: (h.write("ca", AUTHORITIES), h.write("c", f"    certificate-authority: {h.path('ca')}\n")),
    ),
    Case("no kubeconfig", lambda h: KubeconfigTrust(h.path("c"), h.path("ca")), lambda h: h.write("ca", AUTHORITIES)),
    Case("nothing to remove", lambda h: Absent(h.path("x"), recursive=True)),
]


@pytest.mark.parametrize("case", SAME, ids=str)
def test_no_change(host: Host, case: Case) -> None:
    case.before(host)
    operation = case.make(host)
    before = host.tree()
    assert host.check(operation).one().state == "ok"
    assert host.run(operation).one().state == "ok"
    assert host.tree() == before
    assert not (host.base / "receipts").exists()


REFUSED = [
    Case("a file where a folder is", lambda h: File(h.path("a"), "x"), lambda h: h.write("a/b"), reason="a directory"),
    Case(
        "a file where a link is",
        lambda h: File(h.path("l"), "x"),
        lambda h: (h.root / "l").symlink_to("elsewhere"),
        reason="a symbolic link",
    ),
    Case(
        "a folder where a file is", lambda h: Directory(h.path("a")), lambda h: h.write("a", "x"), reason="regular file"
    ),
    Case("a credential where a folder is", lambda h: Credential(h.path("a"), SecretRef("k")), lambda h: h.write("a/b")),
    Case(
        "a kubeconfig without authorities",
        lambda h: KubeconfigTrust(h.path("c"), h.path("ca")),
        lambda h: (h.write("ca", AUTHORITIES), h.write("c", "clusters: []\n")),
        reason="holds no certificate-authority-data",
    ),
    Case(
        "a kubeconfig for authorities that are not there",
        lambda h: KubeconfigTrust(h.path("c"), h.path("ca")),
        lambda h: h.write("c", CONF.format("b2xk")),
        reason="does not exist",
    ),
    Case("arguments in no file", lambda h: KernelArguments(h.path("c"), ("a",)), reason="there is no"),
    Case(
        "arguments in a folder",
        lambda h: KernelArguments(h.path("a"), ("a",)),
        lambda h: h.write("a/b"),
        reason="a directory",
    ),
    Case(
        "arguments in an empty line",
        lambda h: KernelArguments(h.path("a"), ("a",)),
        lambda h: h.write("a", " \nx\n"),
        reason="is empty",
    ),
    Case("a line of a folder", lambda h: Line(h.path("a"), "x"), lambda h: h.write("a/b"), reason="a directory"),
    Case(
        "a line of a very long file",
        lambda h: Line(h.path("a"), "x"),
        lambda h: h.write("a", "y\n" * 200_000),
        reason="larger than 256 KiB",
    ),
    Case(
        "a binary where a folder is",
        lambda h: Install(h.path("a"), SUM, "x"),
        lambda h: h.write("a/b"),
        reason="a directory",
    ),
    Case(
        "a download where a folder is",
        lambda h: Download("http://192.0.2.1/x", h.path("a"), SUM),
        lambda h: h.write("a/b"),
        reason="a directory",
    ),
    Case("a full folder", lambda h: Absent(h.path("a")), lambda h: h.write("a/b"), reason="directory with content"),
    Case(
        "another cluster's host",
        lambda h: Claim("lab"),
        lambda h: (h.base.mkdir(), (h.base / "owner").write_text("shop\n")),
        reason="belongs to the cluster shop; destroy that cluster first",
    ),
]


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_a_refusal(host: Host, case: Case) -> None:
    case.before(host)
    operation = case.make(host)
    before = host.tree()
    checked = host.check(operation, File(host.path("after"), "x"))
    assert checked.states == ["refused", "would-change"]
    assert case.reason in checked.reports[0].reason
    assert host.run(operation, File(host.path("after"), "x")).states == ["refused", "skipped"]
    assert host.tree() == before


FAILED = [
    Case("a file in no folder", lambda h: File(h.path("no/a"), "x"), reason="does not exist"),
    Case(
        "a binary that did not come", lambda h: Install(h.path("a"), SUM, "kubelet"), reason="kubelet was not delivered"
    ),
    Case(
        "a binary that came wrong",
        lambda h: Install(h.path("a"), SUM, "kubelet"),
        lambda h: (h.base / "stage").mkdir(parents=True) or (h.base / "stage" / SUM).write_bytes(b"x"),
        reason=f"expected {SUM}",
    ),
    Case(
        "a download of another content",
        lambda h: Download(f"file://{h.root}/up", h.path("a"), SUM),
        lambda h: h.write("up", "x"),
        reason=f"expected {SUM}",
    ),
    Case(
        "a download of nothing",
        lambda h: Download(f"file://{h.root}/up", h.path("a"), SUM),
        reason="cannot be fetched",
    ),
    Case(
        "an archive that is none",
        lambda h: Archive(h.path(""), h.stage(b"no archive"), "x.tar"),
        reason="cannot be unpacked",
    ),
    Case(
        "an archive without the member",
        lambda h: Archive(h.path(""), h.stage(h.tarball(CNI)), "x.tgz", members=("bin/nothing",)),
        reason="cannot be unpacked",
    ),
    Case(
        "a command that fails",
        lambda h: Command("x", ("sh", "-c", "echo why >&2; exit 3"), marker="m"),
        reason="status 3",
    ),
    Case(
        "a command that fails and is looked at",
        lambda h: Command(
            "x", ("sh", "-c", "exit $A"), marker="m", environment=(("A", "4"),), post_mortem=("sh", "-c", "exit 7")
        ),
        reason="status 4",
    ),
    Case("a command that is not there", lambda h: Command("x", ("/no/such",), marker="m"), reason="cannot be run"),
    Case("a command that hangs", lambda h: Command("x", ("sleep", "30"), marker="m", timeout=1), reason="within 1 s"),
    Case(
        "a command that does not do what it says",
        lambda h: Command("x", ("true",), creates=h.path("x")),
        reason="still differs",
    ),
    Case("a wait in vain", lambda h: Wait("rain", path=h.path("rain"), timeout=1), reason="waited 1 s for: rain"),
    Case("a wait for a port", lambda h: Wait("web", port=1, timeout=1), reason="waited 1 s for: web"),
    Case("an image without containerd", lambda h: Image("a/b:c", h.stage(b"x"), "b"), reason="images need containerd"),
    Case(
        "an image under another name",
        lambda h: Image("a/b:c", h.stage(b"a/other:c\n"), "b", ctr=images(h)),
        reason="does not hold the image a/b:c",
    ),
]


@pytest.mark.parametrize("case", FAILED, ids=str)
def test_a_failure_says_why_and_leaves_no_half(host: Host, case: Case) -> None:
    case.before(host)
    operation = case.make(host)
    before = host.tree()
    failed, after = host.run(operation, File(host.path("after"), "x")).reports
    assert (failed.state, after.state) == ("failed", "skipped")
    assert case.reason in failed.reason + failed.stderr
    assert host.tree() == before
    assert host.restore().state in {"changed", "ok"}
    assert host.tree() == before


def test_a_wait_that_follows_a_change_is_no_difference_by_itself(host: Host) -> None:
    """An API server that is not ready yet, just after its host was started, is not what the definition differs in."""
    follows = Wait("rain", path=host.path("rain"), after=True, timeout=1)
    assert host.check(follows).states == ["ok"]
    assert host.run(follows).states == ["failed"]
    host.write("rain")
    assert host.run(follows).states == ["ok"]


def test_a_secret_is_in_the_file_and_in_no_report(host: Host) -> None:
    secret = File(host.path("token"), SecretRef("join-token"), mode="600")
    done = host.run(secret, resolve=lambda reference: f"value of {reference.secret}")
    assert (host.root / "token").read_text() == "value of join-token"
    (change,) = [change for change in done.one().changes if change.field != "state"] or [None]
    host.write("token", "older secret", 0o600)
    again = host.run(secret, resolve=lambda reference: "newer")
    assert [(c.field, c.before, c.after) for c in again.one().changes] == [("content", "(secret)", "(secret)")]
    assert "older" not in again.stdout
    assert change is None


def test_what_a_credential_held_is_nowhere_any_more(host: Host) -> None:
    host.write("k", "the old key", 0o600)
    done = host.run(Credential(host.path("k"), SecretRef("key")), resolve=lambda _: "the new key")
    assert "key" not in done.stdout.replace(host.path("k"), "").replace("credential", "")
    assert (host.root / "k").read_text() == "the new key"
    assert not [p for p in host.folder.rglob("*") if p.is_file() and b"the old key" in p.read_bytes()]
    host.restore()
    assert (host.root / "k").read_text() == "the new key"


def test_a_plan_sees_that_a_kubeconfig_follows_its_authorities(host: Host) -> None:
    host.write("ca", AUTHORITIES)
    host.write("c", CONF.format(DATA))
    bundle = Credential(host.path("ca"), SecretRef("both"), mode="644")
    trust = KubeconfigTrust(host.path("c"), host.path("ca"))
    assert host.check(bundle, trust).states == ["would-change", "would-change"]
    assert host.run(bundle, trust, resolve=lambda _: AUTHORITIES * 2).states == ["changed", "changed"]
    assert host.run(bundle, trust, resolve=lambda _: AUTHORITIES * 2).states == ["ok", "ok"]
    twice = base64.b64encode(AUTHORITIES.encode() * 2).decode()
    assert (host.root / "c").read_text() == CONF.format(twice)


def test_a_download_goes_on_where_it_was_cut(host: Host) -> None:
    host.write("up", BINARY)
    (host.root / f".raijin-{SUM}.part").write_bytes(BINARY[:5000])
    assert host.run(Download(f"file://{host.root}/up", host.path("x"), SUM)).states == ["changed"]
    assert (host.root / "x").read_bytes() == BINARY


def test_a_damaged_part_is_fetched_again(host: Host) -> None:
    host.write("up", BINARY)
    (host.root / f".raijin-{SUM}.part").write_bytes(b"x" * 5000)
    assert host.run(Download(f"file://{host.root}/up", host.path("x"), SUM)).states == ["changed"]


def test_a_stamp_saves_the_reading_and_never_lies(host: Host) -> None:
    install = Install(host.path("x"), host.stage(BINARY), "x")
    assert host.run(install).states == ["changed"]
    host.tool("sha256sum", "echo no >&2; exit 1\n")
    assert host.run(install).states == ["ok"], "it read the file although it was stamped"
    (host.tools / "sha256sum").unlink()
    path = host.root / "x"
    times = path.stat()
    path.write_bytes(BINARY[:-1] + b"!")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert host.check(install).states == ["would-change"]


def test_an_archive_is_unpacked_again_when_a_file_was_touched(host: Host) -> None:
    archive = Archive(host.path(""), host.stage(host.tarball(CNI)), "x.tgz")
    assert host.run(archive).states == ["changed"]
    (host.root / "bin/bridge").unlink()
    assert host.check(archive).states == ["would-change"]
    host.stage(host.tarball(CNI))
    assert host.run(archive).states == ["changed"]
    assert host.run(archive).states == ["ok"]
    assert host.restore().state == "changed"
    assert host.tree() == {}


def test_a_newer_archive_and_back_to_nothing(host: Host) -> None:
    newer = host.tarball({"bin/bridge": "bridge 2", "bin/new": "new 2"})
    assert host.run(Archive(host.path(""), host.stage(host.tarball(CNI)), "x.tgz")).states == ["changed"]
    assert host.run(Archive(host.path(""), host.stage(newer), "x.tgz")).states == ["changed"]
    assert (host.root / "bin/bridge").read_text() == "bridge 2"
    assert host.restore().state == "changed"
    assert host.tree() == {}


def test_two_operations_share_a_payload(host: Host) -> None:
    sha256 = host.stage(BINARY)
    both = (Install(host.path("a"), sha256, "x"), Install(host.path("b"), sha256, "x"))
    assert host.run(*both).states == ["changed", "changed"]
    assert not list((host.base / "stage").iterdir())


def test_lines_that_somebody_changed_since_are_turned_back_one_by_one(host: Host) -> None:
    host.write("hosts", HOSTS)
    assert host.run(Line(host.path("hosts"), "10.0.0.1 w1", match="[[:space:]]w1$")).states == ["changed"]
    assert host.run(Line(host.path("hosts"), "10.0.0.2 w2")).states == ["changed"]
    with (host.root / "hosts").open("a") as file:
        file.write("10.9.9.9 mine\n")
    assert host.restore().state == "changed"
    assert (host.root / "hosts").read_text() == HOSTS + "10.9.9.9 mine\n"


def test_arguments_go_out_of_a_line_that_somebody_changed_since(host: Host) -> None:
    host.write("c", "rootwait quiet\n")
    assert host.run(KernelArguments(host.path("c"), ("a=1", "b"))).states == ["changed"]
    host.write("c", "rootwait splash a=1 b bb\nmine\n")
    assert host.restore().state == "changed"
    assert (host.root / "c").read_text() == "rootwait splash bb\nmine\n"


def test_a_line_that_changed_twice_goes_back_to_the_first(host: Host) -> None:
    host.write("hosts", HOSTS)
    before = host.tree()
    for address in ("10.0.0.1", "10.0.0.2", "10.0.0.1"):
        assert host.run(Line(host.path("hosts"), f"{address} w1", match="[[:space:]]w1$")).states == ["changed"]
    assert host.restore().state == "changed"
    assert host.tree() == before


def test_a_folder_that_somebody_filled_stays(host: Host) -> None:
    assert host.run(Directory(host.path("a/b"))).states == ["changed"]
    host.write("a/b/mine", "x")
    assert host.restore().state == "changed"
    assert (host.root / "a/b/mine").exists()


def test_a_folder_of_a_program_goes_with_what_the_program_left(host: Host) -> None:
    before = host.tree()
    assert host.run(Directory(host.path("a/b"), filled=True)).states == ["changed"]
    host.write("a/b/dev/log", "x")
    assert host.restore().state == "changed"
    assert host.tree() == before


def test_a_folder_that_was_there_before_is_not_the_programs(host: Host) -> None:
    host.write("a/b/mine", "x")
    assert host.run(Directory(host.path("a/b"), mode="700", filled=True)).states == ["ok"]
    host.restore()
    assert (host.root / "a/b/mine").exists()


def test_a_wait_for_a_port(host: Host) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        assert host.run(Wait("web", port=server.getsockname()[1])).states == ["ok"]


def test_images_are_listed_once_for_all(host: Host) -> None:
    ctr = images(host)
    host.tool("ctr", 'echo x >>"$0.asked"; printf "a/b:%s\\n" 1 2 3\n')
    operations = [Image(f"a/b:{tag}", SUM, "b", ctr=ctr) for tag in (1, 2, 3)]
    assert host.check(*operations).states == ["ok"] * 3
    assert (host.tools / "ctr.asked").read_text() == "x\n"


def test_a_command_is_run_again_when_its_marker_says_something_else(host: Host) -> None:
    """Back to an earlier value too: what counts is what was done last."""

    def append(value: str) -> Command:
        script = ("sh", "-c", 'echo "$1" >>"$0"', host.path("log"), value)
        return Command("configure", script, marker="configured", value=value)

    for value in ("a", "a", "b", "b", "a"):
        host.run(append(value))
        assert host.check(append(value)).states == ["ok"]
    assert (host.root / "log").read_text() == "a\nb\na\n"

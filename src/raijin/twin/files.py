"""What operations on files do to a simulated host."""

from __future__ import annotations

import base64
import re

from raijin.operations.absent import Absent
from raijin.operations.archive import Archive
from raijin.operations.base import SecretRef, text_of
from raijin.operations.claim import Claim
from raijin.operations.credential import Credential
from raijin.operations.directory import Directory
from raijin.operations.download import Download
from raijin.operations.file import File
from raijin.operations.fixed import Fixed
from raijin.operations.image import Image
from raijin.operations.install import Install
from raijin.operations.kernelarguments import KernelArguments
from raijin.operations.kubeconfig import KubeconfigTrust
from raijin.operations.line import Line
from raijin.operations.report import FieldChange
from raijin.operations.stamps import stamp_path
from raijin.operations.template import Template, render
from raijin.twin.host import OWNER, STAGE, STAMPS, Entry, Host
from raijin.twin.run import Failed, Found, Refused, Run

IMAGES = "/var/lib/containerd/images"
"""Where the twin keeps what a runtime holds: images go with the data folder of containerd, as real ones do."""


def compared(host: Host, path: str, wanted: Entry, *, secret: bool = False, said: str = "") -> Found:
    """How a file differs from what is wanted. said: what to say of its content where that is not shown."""
    entry = host.entry(path)
    if entry is None:
        return [FieldChange("state", "absent", said or "file")]
    if entry.type != "file":
        raise Refused(f"{path} is a {entry.type}, not a file")
    found: Found = []
    if entry.content != wanted.content:
        before, after = ("(secret)", "(secret)") if secret else (entry.content, wanted.content)
        found.append(FieldChange("content", before, said or after))
    return found + attributes(entry, wanted)


def attributes(entry: Entry, wanted: Entry) -> Found:
    """How mode and owner differ."""
    pairs = (
        ("mode", entry.mode, wanted.mode),
        ("owner", entry.owner, wanted.owner),
        ("group", entry.group, wanted.group),
    )
    return [FieldChange(name, have, want) for name, have, want in pairs if have != want]


def check_file(run: Run, wanted: File) -> Found:
    content, secret = text_of(wanted.content, run.resolve), isinstance(wanted.content, SecretRef)
    entry = Entry("file", content, wanted.mode, wanted.owner, wanted.group)
    return compared(run.host, wanted.path, entry, secret=secret)


def change_file(run: Run, wanted: File) -> None:
    run.write(wanted.path, text_of(wanted.content, run.resolve), wanted.mode, wanted.owner, wanted.group)


def check_credential(run: Run, wanted: Credential) -> Found:
    return compared(
        run.host, wanted.path, Entry("file", text_of(wanted.content, run.resolve), wanted.mode), secret=True
    )


def change_credential(run: Run, wanted: Credential) -> None:
    run.host.write(wanted.path, text_of(wanted.content, run.resolve), mode=wanted.mode)


def _trusting(run: Run, wanted: KubeconfigTrust) -> str:
    data = base64.b64encode(run.host.text(wanted.authorities).encode()).decode()
    return re.sub(r"(certificate-authority-data: )\S+", rf"\g<1>{data}", run.host.text(wanted.path))


def check_kubeconfig(run: Run, wanted: KubeconfigTrust) -> Found:
    if run.host.entry(wanted.path) is None or _trusting(run, wanted) == run.host.text(wanted.path):
        return []
    return [FieldChange("authorities", "others", f"those of {wanted.authorities}")]


def change_kubeconfig(run: Run, wanted: KubeconfigTrust) -> None:
    run.host.write(wanted.path, _trusting(run, wanted), mode="600")


def _filled(run: Run, wanted: Template) -> str:
    values = {
        key: run.resolve(value) if isinstance(value, SecretRef) else value for key, value in wanted.values.items()
    }
    return render(wanted.path, wanted.template, values)


def check_template(run: Run, wanted: Template) -> Found:
    content = _filled(run, wanted)
    entry = Entry("file", content, wanted.mode, wanted.owner, wanted.group)
    return compared(run.host, wanted.path, entry, secret=wanted.secret)


def change_template(run: Run, wanted: Template) -> None:
    run.write(wanted.path, _filled(run, wanted), wanted.mode, wanted.owner, wanted.group)


def check_directory(run: Run, wanted: Directory) -> Found:
    path = wanted.path.rstrip("/") or "/"
    if not run.host.exists(path):
        return [FieldChange("state", "absent", "directory")]
    entry = run.host.entry(path) or Entry("directory", mode="755")
    if entry.type != "directory":
        raise Refused(f"{path} is a {entry.type}, not a directory")
    return [] if wanted.filled else attributes(entry, Entry("directory", "", wanted.mode, wanted.owner, wanted.group))


def change_directory(run: Run, wanted: Directory) -> None:
    path = wanted.path.rstrip("/") or "/"
    parents = [path[: match.start()] for match in re.finditer("/", path)][1:]
    for parent in parents:
        if not run.host.exists(parent):
            run.set(("path", parent), Entry("directory", mode="755", at=run.host.tick()))
    entry = Entry("directory", "", wanted.mode, wanted.owner, wanted.group, run.host.tick())
    run.set(("path", path), entry)


def check_kernel_arguments(run: Run, wanted: KernelArguments) -> Found:
    if not run.host.exists(wanted.path):
        raise Refused(f"there is no {wanted.path}")
    missing = [word for word in wanted.words if word not in _first(run, wanted.path).split()]
    return [FieldChange("arguments", "", " ".join(missing))] if missing else []


def change_kernel_arguments(run: Run, wanted: KernelArguments) -> None:
    entry, line = run.host.entry(wanted.path) or Entry(), _first(run, wanted.path)
    missing = [word for word in wanted.words if word not in line.split()]
    text = " ".join([line.rstrip(" "), *missing]) + entry.content[len(line) :]
    run.write(wanted.path, text, entry.mode, entry.owner, entry.group)


def _first(run: Run, path: str) -> str:
    return run.host.text(path).partition("\n")[0]


def check_line(run: Run, wanted: Line) -> Found:
    after = _edited(run.host.text(wanted.path), wanted)
    if after == run.host.text(wanted.path) and (run.host.exists(wanted.path) or not wanted.present):
        return []
    return [FieldChange("line", "", wanted.line if wanted.present else "")]


def change_line(run: Run, wanted: Line) -> None:
    entry = run.host.entry(wanted.path) or Entry()
    run.write(wanted.path, _edited(entry.content, wanted), entry.mode, entry.owner, entry.group)


def _edited(text: str, wanted: Line) -> str:
    lines, done = list[str](), False
    for line in text.splitlines():
        hit = re.search(wanted.match, line) is not None if wanted.match else line == wanted.line
        if not hit and not (wanted.present and line == wanted.line):
            lines.append(line)
        elif wanted.present and not done:
            lines.append(wanted.line)
            done = True
    if wanted.present and not done:
        lines.append(wanted.line)
    return "".join(f"{line}\n" for line in lines)


def _taken(run: Run, sha256: str, name: str) -> str:
    """The content of a file that was pushed: its sum stands for it."""
    if sha256 not in run.host.staged:
        raise Failed(f"{name} was not delivered to this host")
    return f"sha256 {sha256}"


def _stamp(run: Run, path: str, sha256: str, name: str) -> None:
    run.put(("path", stamp_path("file", path)), Entry(content=f"= {name}\n{sha256} {path}\n", at=run.host.tick()))


def check_install(run: Run, wanted: Install) -> Found:
    entry = Entry("file", f"sha256 {wanted.sha256}", wanted.mode)
    return compared(run.host, wanted.path, entry, said=wanted.name)


def change_install(run: Run, wanted: Install) -> None:
    run.write(wanted.path, _taken(run, wanted.sha256, wanted.name), wanted.mode)
    _stamp(run, wanted.path, wanted.sha256, wanted.name)


def check_download(run: Run, wanted: Download) -> Found:
    entry = Entry("file", f"sha256 {wanted.sha256}", wanted.mode)
    return compared(run.host, wanted.path, entry, said=wanted.url)


def change_download(run: Run, wanted: Download) -> None:
    run.write(wanted.path, f"sha256 {wanted.sha256}", wanted.mode)
    _stamp(run, wanted.path, wanted.sha256, wanted.url)


def check_archive(run: Run, wanted: Archive) -> Found:
    (stamp,) = wanted.stamps()
    text = run.host.text(stamp)
    if not text:
        return [FieldChange("content", "", wanted.name)]
    gone = [path for path in text.splitlines()[1:] if run.host.sum(path) != f"sha256 {wanted.sha256}"]
    return [FieldChange("content", "files are missing or were changed", wanted.name)] if gone else []


def change_archive(run: Run, wanted: Archive) -> None:
    folder = wanted.destination.rstrip("/")
    if not run.host.is_folder(folder):
        raise Failed(f"the folder {folder} does not exist")
    content = _taken(run, wanted.sha256, wanted.name)
    paths = [f"{folder}/{member}" for member in _members(wanted)]
    for path in paths:
        for parent in [path[: match.start()] for match in re.finditer("/", path)][1:]:
            if not run.host.exists(parent):
                run.set(("path", parent), Entry("directory", mode="755", at=run.host.tick()))
        run.write(path, content, "755")
    (stamp,) = wanted.stamps()
    run.put(("path", stamp), Entry(content="\n".join([f"= {wanted.name}", *paths, ""]), at=run.host.tick()))


_CONTENTS = {
    "containerd": ("bin/containerd", "bin/containerd-shim-runc-v2", "bin/ctr"),
    "cni-plugins": ("bridge", "host-local", "loopback", "portmap"),
    "crictl": ("crictl",),
    "helm": ("helm",),
    "rke2": ("bin/rke2", "lib/systemd/system/rke2-server.service", "lib/systemd/system/rke2-agent.service"),
}
"""What comes out of archives of which whole folders are unpacked, by the beginning of their name."""


def _members(archive: Archive) -> tuple[str, ...]:
    if archive.members and not any(member.endswith("/") for member in archive.members):
        return tuple("/".join(member.split("/")[archive.strip :]) for member in archive.members)
    found = next((names for start, names in _CONTENTS.items() if archive.name.startswith(start)), None)
    return found or (re.split(r"[-_.]", archive.name)[0],)


def check_image(run: Run, wanted: Image) -> Found:
    held = run.host.entry(_image(wanted)) is not None
    return [] if held else [FieldChange("state", "absent", wanted.name)]


def change_image(run: Run, wanted: Image) -> None:
    if run.host.entry(wanted.ctr) is None:
        raise Failed(f"{wanted.ctr} is not on this host: images need containerd")
    _taken(run, wanted.sha256, wanted.name)
    run.put(("path", _image(wanted)), Entry(content=wanted.sha256, at=run.host.tick()))


def _image(wanted: Image) -> str:
    return f"{IMAGES}/{wanted.namespace}/{wanted.ref.replace('/', ',')}"


def check_absent(run: Run, wanted: Absent) -> Found:
    path = wanted.path.rstrip("/")
    if not run.host.exists(path):
        return []
    if run.host.is_folder(path) and not wanted.recursive and any(True for _ in run.host.below(path)):
        raise Refused(f"{path} is a directory with content")
    return [FieldChange("state", "present", "absent")]


def change_absent(run: Run, wanted: Absent) -> None:
    run.host.remove(wanted.path.rstrip("/"))


def check_claim(run: Run, wanted: Claim) -> Found:
    owner = run.host.text(OWNER).strip()
    if owner and owner != wanted.cluster:
        raise Refused(f"this host belongs to the cluster {owner}; destroy that cluster first")
    return [] if owner else [FieldChange("owner", "", wanted.cluster)]


def change_claim(run: Run, wanted: Claim) -> None:
    run.host.write(OWNER, f"{wanted.cluster}\n")


def check_fixed(run: Run, wanted: Fixed) -> Found:
    path = f"{STAMPS}/fixed:{wanted.name}"
    if run.host.entry(path) is None:
        return [FieldChange("value", "", wanted.value)]
    have = run.host.text(path)
    if have != wanted.value:
        raise Refused(f"{wanted.what} is {have}, and {wanted.value} is wanted: {wanted.remedy}")
    return []


def change_fixed(run: Run, wanted: Fixed) -> None:
    run.host.write(f"{STAMPS}/fixed:{wanted.name}", wanted.value)


def deliver(host: Host, destination: str, sha256: str, size: int) -> None:
    """A file was pushed to a host."""
    if destination.startswith(f"{STAGE}/"):
        host.staged[sha256] = size
    else:
        host.write(destination, f"sha256 {sha256}")

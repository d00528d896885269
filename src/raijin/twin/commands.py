"""Programs that a simulated host can run: the few that guards, probes and commands name. Another one is refused.

There is no shell. `sh -c` is understood when it is plain commands joined by `&&`; anything else is the business of a
platform's twin, which knows the text.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from raijin.platforms.addresses import RELEASED
from raijin.platforms.remains import END_NETWORKS, END_SETS
from raijin.twin.host import Host
from raijin.twin.run import Failed, unknown

if TYPE_CHECKING:
    from raijin.twin.site import TwinSite

_ENDS = {END_NETWORKS.argv: "netns", END_SETS.argv: "ipset"}
_ENDED = {END_NETWORKS.unless: "netns", END_SETS.unless: "ipset"}
"""What Raijin runs, and asks, to end what pods leave, whatever the distribution: the kind of thing that it is about."""
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./\-\s'\"&]+\Z")


def succeeds(site: TwinSite, host: Host, argv: Sequence[str]) -> bool:
    """Whether a guard or a probe ends with status 0. It changes nothing. Raises Unsupported for an unknown one."""
    program, *words = argv
    program = program.rpartition("/")[2]
    if program in {"true", "false"}:
        return program == "true"
    if program == "test":
        return _test(host, words)
    if program == "systemctl" and words[0] == "is-active":
        name = next(word for word in words[1:] if not word.startswith("-"))
        return _active(host, name)
    if words[-2:] == ["--raw", "/readyz"]:
        return _kubectl(site, host, words)
    if tuple(argv) in _ENDED:
        return not host.of_kind(_ENDED[tuple(argv)])
    # A simulated kube-vip takes its address along when it ends.
    released = tuple(argv[:3]) == ("sh", "-c", RELEASED)
    answer = released or site.platform.probe(site, host, tuple(argv))
    if answer is None:
        raise unknown(f"the program `{' '.join(argv)}`")
    return answer


def perform(site: TwinSite, host: Host, argv: Sequence[str]) -> float:
    """Run a program for its effect; returns the seconds that it takes. Raises Failed, Unsupported."""
    program, *words = argv
    program = program.rpartition("/")[2]
    if program in {"true", "sync"}:
        return 0.0
    if program in {"mv", "rm", "mkdir", "tar"}:
        return _on_files(host, program, words)
    if program == "systemctl":
        return _systemctl(site, host, words)
    if program == "sh" and words and words[0] == "-c":
        return _shell(site, host, words)
    took = site.platform.perform(site, host, tuple(argv))
    if took is None:
        raise unknown(f"the program `{' '.join(argv)[:200]}`")
    return took


def _test(host: Host, words: Sequence[str]) -> bool:
    """`test`, as guards use it: -e -f -d -s and !, joined by -a and -o (which binds less)."""
    return any(all(_one(host, part) for part in _split(group, "-a")) for group in _split(words, "-o"))


def _split(words: Sequence[str], by: str) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for word in words:
        if word == by:
            found.append([])
        else:
            found[-1].append(word)
    return found


def _one(host: Host, words: Sequence[str]) -> bool:
    if words[0] == "!":
        return not _one(host, words[1:])
    flag, path = words
    if path == "/run/systemd/system":
        return True
    entry = host.entry(path)
    if flag == "-e":
        return host.exists(path)
    if flag == "-d":
        return host.is_folder(path)
    if flag in {"-f", "-r", "-x"}:
        return entry is not None and entry.type == "file"
    if flag == "-s":
        return entry is not None and bool(entry.content)
    raise unknown(f"the condition `test {' '.join(words)}`")


def _active(host: Host, name: str) -> bool:
    if name == "kubepods.slice":
        return ("slice", name) in host.things
    unit = host.unit(name if "." in name else f"{name}.service")
    return unit is not None and unit.running


def _systemctl(site: TwinSite, host: Host, words: Sequence[str]) -> float:
    verb, *names = (word for word in words if not word.startswith("-"))
    for name in (n if "." in n else f"{n}.service" for n in names):
        if verb == "reload" and _active(host, name):
            continue
        if verb == "stop" and name.endswith(".slice"):
            host.things.pop(("slice", name), None)
        elif verb in {"restart", "start"}:
            if host.unit(name) is None:
                raise Failed("it ended with status 5", f"Unit {name} not found.")
            host.start_unit(name)
            site.unit_changed(host, name)
        elif verb == "stop":
            host.stop_unit(name)
            site.unit_changed(host, name)
        else:
            raise unknown(f"`systemctl {' '.join(words)}`")
    return 1.0


def _on_files(host: Host, program: str, words: Sequence[str]) -> float:
    paths = [word for word in words if not word.startswith("-")]
    if program == "rm":
        for path in paths:
            host.remove(path)
    elif program == "mkdir":
        for path in paths:
            host.write(path, kind="directory", mode="755")
    elif program == "tar" and words[0] == "-cf":
        _pack(host, words)
    elif program == "mv" and len(paths) == 2:
        _move(host, *paths)
    else:
        raise unknown(f"`{program} {' '.join(words)}`")
    return 0.5


def _move(host: Host, source: str, target: str) -> None:
    if not host.exists(source):
        raise Failed("it ended with status 1", f"mv: cannot stat '{source}'")
    host.move(source, target)


def _pack(host: Host, words: Sequence[str]) -> None:
    """A real archive, because a person's machine opens it: `tar -cf FILE -C FOLDER NAME... -C FOLDER NAME...`."""
    import io  # noqa: PLC0415
    import tarfile  # noqa: PLC0415

    sink, folder = io.BytesIO(), "/"
    rest = list(words[2:])
    with tarfile.open(fileobj=sink, mode="w") as tar:
        while rest:
            word = rest.pop(0)
            if word == "-C":
                folder = rest.pop(0)
                continue
            path = f"{folder.rstrip('/')}/{word}"
            if not host.exists(path):
                raise Failed("it ended with status 2", f"tar: {path}: Cannot stat: No such file or directory")
            content = host.text(path).encode()
            entry = tarfile.TarInfo(word)
            entry.size, entry.mtime, entry.mode = len(content), int(host.epoch), 0o600
            tar.addfile(entry, io.BytesIO(content))
    host.write(words[1], sink.getvalue().decode("latin-1"), mode="600")


def _kubectl(site: TwinSite, host: Host, words: Sequence[str]) -> bool:
    path = words[words.index("--kubeconfig") + 1]
    return host.exists(path) and site.platform.serves(site, host)


def _shell(site: TwinSite, host: Host, words: Sequence[str]) -> float:
    text = words[1]
    if ("sh", *words) in _ENDS:
        for thing in host.of_kind(_ENDS["sh", *words]):
            host.things.pop(thing)
        return 0.5
    took = site.platform.perform(site, host, ("sh", *words))
    if took is not None:
        return took
    if not _PLAIN.match(text) or re.search(r"(?<!&)&(?!&)", text):
        raise unknown(f"the shell text `{text[:200]}`")
    return sum(perform(site, host, shlex.split(part)) for part in text.split("&&"))

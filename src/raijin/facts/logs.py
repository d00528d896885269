"""The logs of a host: the journal of its services, and the files of its containers. They need no API to be read.

Where they are: the kubelet keeps them as /var/log/pods/NAMESPACE_POD_UID/CONTAINER/N.log in the format of the CRI
(Kubernetes: logging architecture): `TIME STREAM P|F TEXT`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from raijin.transport.quoting import word

UNITS = (
    "kubelet", "containerd", "crio", "k3s", "k3s-agent", "rke2-server", "rke2-agent", "haproxy", "keepalived",
)  # fmt: skip
CONTAINERS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-vip")
PARTS = (*UNITS, *CONTAINERS)
"""What a host is asked for when nobody names parts; it shows those that it has."""

_SHELL = r"""
l_show() { while IFS= read -r l_line; do printf '%s\t%s\n' "$1" "$l_line"; done; }
l_unit() {
  systemctl cat "$1.service" >/dev/null 2>&1 || return 0
  journalctl -u "$1.service" --no-pager -o short-iso @JOURNAL 2>/dev/null | l_show "$1"
}
l_file() { # label folder
  l_newest=$(ls -t "$2"/*.log 2>/dev/null | head -n 1)
  [ -z "$l_newest" ] || tail @TAIL "$l_newest" | l_show "$1"
}
l_container() {
  # The folder of a static pod has another name each time that its manifest changes.
  l_dir=$(ls -td /var/log/pods/kube-system_*/"$1" 2>/dev/null | head -n 1)
  [ -z "$l_dir" ] || l_file "$1" "$l_dir"
}
l_pod() { # namespace, or *, and name
  for l_dir in /var/log/pods/$1_"$2"_*/*; do
    [ ! -d "$l_dir" ] || l_file "$2/${l_dir##*/}" "$l_dir"@AND
  done
}
"""
# Whoever follows is gone when nobody reads any more: an empty line that cannot be written tells.
_FOLLOW = "trap 'kill $(jobs -p) 2>/dev/null' EXIT\nwhile sleep 5; do echo || exit 0; done\n"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much of a log: the last `lines`, not older than `since` seconds before now, and whether it goes on."""

    lines: int = 200
    since: float | None = None
    follow: bool = False


def script(wanted: Wanted, parts: Sequence[str] = (), pods: Sequence[tuple[str, str]] = ()) -> str:
    """Prints `PART TAB LINE`. pods: (namespace, empty for any, and name), as `NAME/CONTAINER`."""
    since = [f"--since=-{int(wanted.since)}s"] if wanted.since is not None else []
    journal = " ".join([f"-n {wanted.lines}", *since, *(["-f"] if wanted.follow else [])])
    tail = f"-n {wanted.lines}" + (" -F" if wanted.follow else "")
    aside = " &" if wanted.follow else ""
    shell = _SHELL.replace("@JOURNAL", journal).replace("@TAIL", tail).replace("@AND", aside)
    asked = [f"l_unit {word(part)}{aside}" for part in parts if part not in CONTAINERS]
    asked += [f"l_container {word(part)}{aside}" for part in parts if part in CONTAINERS]
    asked += [f"l_pod {word(space or '*')} {word(name)}" for space, name in pods]
    return "\n".join([shell, "set +f", *asked, _FOLLOW if wanted.follow else "exit 0", ""])


def parse_line(line: str) -> tuple[str, str] | None:
    """(part, text); None for what is no line of a log."""
    part, tab, text = line.partition("\t")
    return (part, text) if tab and part else None


_CRI = re.compile(r"(\S+) std(?:out|err) [PF] ?(.*)", re.DOTALL)


def plain(text: str) -> tuple[float | None, str]:
    """A line of a container: when it was written (seconds since the epoch), and `TIME TEXT`. Others as they are."""
    found = _CRI.fullmatch(text)
    if found is None:
        return None, text
    try:
        # Python reads six digits of a second, the kubelet writes nine.
        moment = dt.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", found[1]))
    except ValueError:
        return None, text
    return moment.timestamp(), f"{moment.strftime('%Y-%m-%dT%H:%M:%S%z')} {found[2]}"

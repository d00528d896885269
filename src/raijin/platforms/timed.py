"""Backups that a control plane host makes by itself, by a timer of systemd: a safety net when nobody remembers.

They lie where etcd's own data lies, readable by root alone, so they are not encrypted; what leaves the host is
(`raijin cluster backup`). The archives can be restored like any other.
"""

from __future__ import annotations

from collections.abc import Sequence

from raijin.facts.raijin import STATE_FOLDER
from raijin.operations.absent import Absent
from raijin.operations.base import Operation
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.operations.program import Program
from raijin.operations.unit import Unit
from raijin.platforms.base import Context, Node
from raijin.transport.quoting import word

FORMAT = 1
"""Of the manifest (backups.archive reads it)."""
SCRIPT = f"{STATE_FOLDER}/backup.sh"
UNITS = "/etc/systemd/system"
SERVICE, TIMER = "raijin-backup.service", "raijin-backup.timer"

_SCRIPT = """\
#!/bin/sh
# A snapshot of the cluster {cluster} with its keys, and the newest {keep} of them. Written by Raijin.
set -eu
umask 077
folder={folder}
mkdir -p "$folder"
now=$(date -u +%s)
name={cluster}-$(date -u -d "@$now" +%Y%m%dT%H%M%SZ)
work=$(mktemp -d "$folder/.work-XXXXXX")
trap 'rm -rf "$work"' EXIT
{snapshot} "$work/etcd.db" >/dev/null
sums=
for path in "$work/etcd.db" {paths}; do
  sum=$(sha256sum <"$path")
  case $path in "$work"/*) entry=etcd.db;; *) entry=${{path#/}};; esac
  sums="$sums${{sums:+, }}\\"$entry\\": \\"${{sum%% *}}\\""
done
printf '{{"cluster": "%s", "platform": "%s", "version": "%s", "node": "%s", "created": %s.0, "kind": "{kind}",
 "definition": "", "entries": {{%s}}, "format": {format}}}\n' \
  {cluster} {platform} "$({version})" {node} "$now" "$sums" >"$work/raijin.json"
tar -cf "$work/backup.tar" -C "$work" etcd.db raijin.json -C / {files}
mv "$work/backup.tar" "$folder/$name.tar"
ls -1 "$folder" | grep -x '{cluster}-[0-9TZ]*[.]tar' | sort -r | tail -n +{beyond} | while read -r old; do
  rm -f -- "$folder/$old"
done
"""
_SERVICE = """\
[Unit]
Description=Backup of the cluster {cluster}
After=kubelet.service k3s.service rke2-server.service

[Service]
Type=oneshot
Nice=10
IOSchedulingClass=idle
ExecStart=/bin/sh {script}
"""
_TIMER = """\
[Unit]
Description=Backups of the cluster {cluster}

[Timer]
OnCalendar={schedule}
RandomizedDelaySec=10m
Persistent=true

[Install]
WantedBy=timers.target
"""


def timed(
    context: Context,
    node: Node,
    snapshot: Sequence[str],
    version: Sequence[str],
    files: Sequence[str],
    *,
    kind: str = "etcd",
) -> Program | None:
    """The timer that the definition wants, or the way back from one that it wants no longer; None: neither.

    snapshot: the command that makes one, its target's path left out. version: the command that prints that of the
    cluster. files: paths from `/`. kind: of the snapshot.
    """
    cluster, backup = context.cluster, context.cluster.backup
    if backup.schedule is None:
        if node.facts is None or f"{UNITS}/{TIMER}" not in node.facts.files:
            return None
        return Program("keep no backups by itself", cluster.name, _removed())
    script = _SCRIPT.format(
        cluster=cluster.name,
        keep=backup.local_keep,
        beyond=backup.local_keep + 1,
        folder=word(str(backup.local_folder)),
        snapshot=" ".join(map(word, snapshot)),
        version=" ".join(map(word, version)),
        platform=cluster.type.value,
        node=node.name,
        kind=kind,
        format=FORMAT,
        paths=" ".join(map(word, files)),
        files=" ".join(word(path.lstrip("/")) for path in files),
    )
    operations: tuple[Operation, ...] = (
        Directory(str(backup.local_folder), mode="700"),
        File(SCRIPT, script, mode="700"),
        File(f"{UNITS}/{SERVICE}", _SERVICE.format(cluster=cluster.name, script=SCRIPT)),
        File(f"{UNITS}/{TIMER}", _TIMER.format(cluster=cluster.name, schedule=backup.schedule)),
        Unit(TIMER, watches=(f"{UNITS}/{TIMER}",)),
    )
    return Program("make backups by itself", cluster.name, operations)


def _removed() -> tuple[Operation, ...]:
    return (
        Unit(TIMER, running=False, enabled=False),
        Absent(f"{UNITS}/{TIMER}"),
        Absent(f"{UNITS}/{SERVICE}"),
        Absent(SCRIPT),
    )

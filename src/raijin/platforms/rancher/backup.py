"""Backups and the way back: etcd by the program's own snapshots, SQLite by a copy of its database.

Sources: docs.k3s.io "k3s etcd-snapshot" and "Backup and restore", docs.rke2.io "Backup and restore". With the token the
data gives everything else, the authorities' keys among it: they are in the datastore, encrypted with it.
"""

from __future__ import annotations

from raijin.errors import PlanRefused
from raijin.facts.raijin import STATE_FOLDER
from raijin.operations.absent import Absent, unmarked
from raijin.operations.base import Operation, SecretRef
from raijin.operations.command import Command
from raijin.operations.containers import ContainersAbsent
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.operations.install import Install
from raijin.operations.program import Program
from raijin.operations.unit import Unit
from raijin.platforms import packing
from raijin.platforms.base import Context, Node
from raijin.platforms.rancher.layout import SOCKET, Distribution
from raijin.platforms.timed import timed

SQLITE = "sqlite"
"""The kind of a backup whose snapshot is an SQLite database; else it is etcd's."""
BEFORE = f"{STATE_FOLDER}/server-before"
"""What a restoration has replaced, by the time of that."""
SNAPSHOT_FILE = f"{STATE_FOLDER}/restore.db"

# $0: the program, $1: where it goes. The program adds node and time to the name that it is given.
SAVE_ETCD = (
    'f=$(dirname "$1")/taken; rm -rf "$f"; "$0" etcd-snapshot save --name raijin --dir "$f" >&2 && '
    'mv "$f"/raijin-* "$1" && rm -rf "$f"'
)
# $0: the unit, $1: the database, $2: where it goes. Where nothing on the host can read SQLite while it is written, the
# server stands still for the second that a copy takes; pods go on.
SAVE_SQLITE = """\
rm -f "$2"
if command -v sqlite3 >/dev/null; then sqlite3 "$1" ".timeout 10000" "VACUUM INTO '$2'"
elif command -v python3 >/dev/null; then
  python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).backup(sqlite3.connect(sys.argv[2]))' "$1" "$2"
else
  trap 'systemctl start "$0"' EXIT
  systemctl stop "$0" && { [ ! -s "$1-wal" ] || { echo "its log was not written back" >&2; exit 1; }; } && cp "$1" "$2"
fi
"""
# $0: the data of a server, $1: where it goes.
ASIDE = 'mv "$0" "$1" && mkdir -m 700 "$0" && { [ ! -d "$1/manifests" ] || cp -a "$1/manifests" "$0/"; }'
# $0: the data of a server, $1: the snapshot, $2: the program.
SEED_SQLITE = 'rm -rf "$0/db" && mkdir -m 700 "$0/db" && cp "$1" "$0/db/state.db"'
SEED_ETCD = 'rm -rf "$0/db" && "$2" server --cluster-reset --cluster-reset-restore-path="$1"'


def pack(context: Context, distribution: Distribution, node: Node) -> Program:
    take = Command(
        "take a snapshot",
        (*save(distribution, node), packing.SNAPSHOT),
        creates=packing.SNAPSHOT,
        timeout=packing.SNAPSHOT_SECONDS,
    )
    return packing.pack(context, take, files(distribution))


def save(distribution: Distribution, node: Node) -> tuple[str, ...]:
    """The command that makes a snapshot; its target's path comes after it."""
    if kind(distribution, node) == SQLITE:
        return ("sh", "-c", SAVE_SQLITE, distribution.server_unit, distribution.sqlite)
    return ("sh", "-c", SAVE_ETCD, distribution.program)


def kind(distribution: Distribution, node: Node) -> str:
    """Of the data on a server: etcd's, unless there is only SQLite's."""
    found = node.facts.files if node.facts is not None else frozenset[str]()
    return SQLITE if distribution.sqlite in found and distribution.etcd_member not in found else "etcd"


def files(distribution: Distribution) -> tuple[str, ...]:
    return (distribution.server_token, distribution.agent_token_file)


def by_itself(context: Context, distribution: Distribution, node: Node) -> Program | None:
    """By a timer of the host. etcd's own snapshots, twelve hours apart, are made beside it whatever this says."""
    told = f"{distribution.program} --version | sed -n 's/^{distribution.product} version \\([^ ]*\\).*/\\1/p'"
    saving = save(distribution, node)
    return timed(context, node, saving, ("sh", "-c", told), files(distribution), kind=kind(distribution, node))


def halt(context: Context, distribution: Distribution, *, containers: bool) -> Program:
    """Stop the server, and forget that it was one. Its data is kept aside; what people put into `manifests` stays.

    containers: the control plane runs in containers, which outlive the program.
    """
    kept = f"{BEFORE}/{context.snapshot.restoration if context.snapshot else 'unknown'}"
    data = distribution.server_data
    operations: tuple[Operation, ...] = (
        Unit(distribution.server_unit, running=False, enabled=None),
        *((ContainersAbsent(SOCKET),) if containers else ()),
        *unmarked(*distribution.markers),
        Absent(distribution.guard_file),
        Absent(distribution.starting_file),
        Absent(distribution.kubeconfig),
        Directory(BEFORE, mode="700"),
        Command(
            "keep the old data aside",
            ("sh", "-c", ASIDE, data, kept),
            creates=kept,
            only_if=("test", "-d", f"{data}/db"),
        ),
    )
    return Program("halt the control plane", context.cluster.name, operations)


def seed(context: Context, distribution: Distribution) -> Program:
    """The tokens, and the data made from the snapshot, with this server as the only member."""
    snapshot = context.snapshot
    if snapshot is None:
        raise PlanRefused("there is no snapshot to restore from")
    data = distribution.server_data
    tokens = {
        distribution.token_file: distribution.server_token,
        distribution.agent_token_file: distribution.agent_token_file,
    }
    command: tuple[str, ...]
    if snapshot.kind == SQLITE:
        command = ("sh", "-c", SEED_SQLITE, data, SNAPSHOT_FILE)
    else:
        command = ("sh", "-c", SEED_ETCD, data, SNAPSHOT_FILE, distribution.program)
    operations: tuple[Operation, ...] = (
        *(
            File(path, SecretRef(snapshot.files[entry]), mode="600")
            for path, entry in tokens.items()
            if entry in snapshot.files
        ),
        Directory(data, mode="700"),
        Install(SNAPSHOT_FILE, snapshot.sha256, f"snapshot {snapshot.id}", mode="600"),
        Command(
            "restore the snapshot",
            command,
            marker=f"{distribution.product}-restored",
            value=snapshot.restoration,
            timeout=1800,
        ),
        Absent(SNAPSHOT_FILE),
    )
    return Program("restore the data", context.cluster.name, operations)

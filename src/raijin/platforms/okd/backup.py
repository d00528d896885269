"""A backup of an OKD cluster: what its own `cluster-backup.sh` makes on a control plane machine, fetched by SSH.

Source: "Backing up etcd" of the OKD documentation: the script writes `snapshot_<time>.db` and
`static_kuberesources_<time>.tar.gz` into a folder, as root, on one control plane machine. Restoring is a procedure of
several machines that OKD documents for hands; Raijin does not do it.
"""

from __future__ import annotations

from pathlib import Path

from raijin.errors import HostError, OperationFailed
from raijin.plan.handlers import CallContext
from raijin.platforms.okd.look import connection_to

SCRIPT = "/usr/local/bin/cluster-backup.sh"
FOLDER = "/var/tmp/raijin-backup"  # noqa: S108  (made with mode 0700, and only where nothing of the name is)
PACKED = f"{FOLDER}/backup.tar"
RESOURCES = "static_kuberesources.tar.gz"
SECONDS = 1800.0

# One tar, with the names that Raijin's backups have; the folder is gone after it was fetched.
MAKE = f"""
set -e
rm -rf {FOLDER}
mkdir -m 700 {FOLDER}
{SCRIPT} {FOLDER}/made >&2
cd {FOLDER}
set -- made/snapshot_*.db
[ $# -eq 1 ] && [ -s "$1" ] || {{ echo "cluster-backup.sh made no snapshot" >&2; exit 65; }}
mv "$1" etcd.db
set -- made/static_kuberesources_*.tar.gz
[ $# -eq 1 ] && [ -s "$1" ] || {{ echo "cluster-backup.sh packed no static pods" >&2; exit 65; }}
mkdir -m 700 okd
mv "$1" okd/{RESOURCES}
tar -cf backup.tar etcd.db okd/{RESOURCES}
"""


async def fetch(context: CallContext, host: str, target: Path) -> None:
    """The pack of a backup, here. Raises HostError."""
    connection = await connection_to(context.pool, host)
    try:
        done = await connection.run(MAKE, timeout=SECONDS)
    except HostError as error:
        raise type(error)(
            f"a backup is made over SSH, and that cannot be opened: {error.message}",
            host=host,
            remedy="give `ssh` of the host (user core, the key of platformConfig.sshKey), and try again",
        ) from error
    try:
        if done.status != 0:
            lines = done.stderr.strip().splitlines() or [f"status {done.status}"]
            raise OperationFailed(
                f"cluster-backup.sh failed: {lines[-1]}",
                host=host,
                remedy="look at `oc get clusteroperator etcd`, then try again",
                detail=done.stderr,
            )
        await connection.pull(PACKED, target)
    finally:
        await connection.run(f"rm -rf {FOLDER}\n", timeout=60.0)

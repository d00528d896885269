"""Making a backup: what a host has packed is fetched, encrypted, and put into every target."""

from __future__ import annotations

import asyncio
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from raijin.app.backups import targets_of, workshop
from raijin.app.restoring import forget_opened
from raijin.app.session import Session
from raijin.backups.archive import SNAPSHOT, Manifest, seal
from raijin.backups.naming import file_name, new_id
from raijin.backups.targets import Target, surplus
from raijin.errors import OperationFailed, RaijinError
from raijin.plan.handlers import CallContext, Handlers
from raijin.platforms import packing, platform_of
from raijin.state.backups import BackupRecord, Backups
from raijin.state.secrets import SecretStore
from raijin.transport.delivery import sha256_of


def handlers_of(session: Session) -> Handlers:
    """The calls of a plan that have to do with backups."""

    async def keep(context: CallContext) -> None:
        await _keep(session, context)

    async def forget(context: CallContext) -> None:
        forget_opened(session, context.text("snapshot"))

    return {"backup.keep": keep, "backup.forget": forget}


async def _keep(session: Session, context: CallContext) -> None:
    """backup.keep: what a host has packed, encrypted and put into every target; the oldest beyond `keep` go."""
    host, store = context.text("host"), SecretStore(session.home)
    with workshop(session) as folder:
        plain = folder / "backup.tar"
        context.say(f"fetching the snapshot from {host}")
        await platform_of(session.cluster).fetch_pack(context, host, plain)
        created = _time_of(plain)
        backup = new_id(context.cluster, created)
        sealed = folder / file_name(backup)
        manifest = Manifest(
            cluster=context.cluster,
            platform=session.cluster.type.value,
            version=context.text("version"),
            node=host,
            created=created,
            kind=context.text("kind"),
            definition=_definition(session),
        )
        recipients = [store.public_key(), *session.cluster.backup.recipients]
        await asyncio.to_thread(seal, plain, manifest, recipients, sealed)
        digest = await asyncio.to_thread(sha256_of, sealed)
        record = BackupRecord(backup, context.cluster, manifest.version, host, created, digest)
        Backups(session.database).record(record)
        await _put(session, targets_of(session, context.pool), sealed, context.say)


async def _put(session: Session, targets: Sequence[Target], sealed: Path, say: Callable[[str], None]) -> None:
    """Into every target, however many fail. Raises OperationFailed with those that did."""
    cluster, faults = session.cluster, []
    for target in targets:
        try:
            say(f"keeping {sealed.name} in {target.name}")
            await target.put(sealed)
            for stored in surplus(await target.list(cluster.name), cluster.backup.keep):
                await target.delete(stored.name)
        except RaijinError as error:
            faults.append(f"{target.name}: {error}")
    if faults:
        kept = len(targets) - len(faults)
        raise OperationFailed(
            f"the backup is kept in {kept} of {len(targets)} targets; {'; '.join(faults)}",
            host=cluster.name,
            remedy="mend the target, then resume the run",
        )


def _definition(session: Session) -> str:
    """What the cluster was made from, without secrets: for those who have lost everything but the backup."""
    documents = (session.definition.site(), session.cluster)
    return yaml.safe_dump_all(
        [d.model_dump(mode="json", by_alias=True, exclude_unset=True) | {"kind": d.kind} for d in documents],
        sort_keys=False,
    )


def _time_of(plain: Path) -> float:
    """When the snapshot was taken: the same for every try to keep it."""
    with tarfile.open(plain) as tar:
        return float(tar.getmember(SNAPSHOT).mtime)


BY_HAND = {
    "backup.keep": f"Copy {packing.PACKED} from the host to where you keep backups; it holds the keys of the cluster:",
    "backup.forget": "Remove the copy of the backup that you opened",
}

"""Restoring a cluster: a backup is opened on this machine, planned with, and forgotten again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from raijin.app.backups import fetched, workshop
from raijin.app.home import opened_file
from raijin.app.session import Session
from raijin.backups.archive import SNAPSHOT, Manifest, extract_snapshot, opened, read_entry
from raijin.backups.naming import new_id
from raijin.errors import UsageError
from raijin.facts import x509
from raijin.model.version import Version
from raijin.platforms.base import Snapshot
from raijin.platforms.encrypted import PLAIN, Keys, key_secret, read_configuration, state_secret
from raijin.platforms.kubeadm.backup import alone
from raijin.platforms.kubeadm.paths import PKI
from raijin.state.secrets import Imagined, SecretStore

if TYPE_CHECKING:
    from raijin.app.planning import Planned
    from raijin.app.running import Confirm, Finished
    from raijin.plan.model import Plan


async def restore(
    session: Session,
    wanted: str,
    confirm: Confirm,
    *,
    at: float | None = None,
    identities: Sequence[str] = (),
    force: bool = False,
    promised: Plan | None = None,
    restoration: str = "",
) -> Finished:
    """Open a backup, plan with it, ask, run. What was laid open here goes, unless a run may still have to go on.

    promised: a plan that was shown, and restoration the name that it has.
    """
    from raijin.app.running import carry_out  # noqa: PLC0415  (it knows the calls of backups, this module among them)

    async with fetched(session, wanted, at) as sealed:
        snapshot = await asyncio.to_thread(open_backup, session, sealed, identities, restoration)
    session.snapshot = snapshot
    begun = False

    def asked(planned: Planned) -> bool:
        nonlocal begun
        begun = confirm(planned)
        return begun

    try:
        return await carry_out(session, "restore", asked, promised=promised, force=force)
    finally:
        if not begun:
            forget_opened(session, snapshot.sha256)


async def plan_restore(
    session: Session, wanted: str, at: float | None, restoration: str, *, force: bool = False
) -> tuple[Planned, str]:
    """What a restoration of this name would do, and of which backup (its id). Nothing is kept of what it opens."""
    from raijin.app.running import plan  # noqa: PLC0415

    session.secrets = Imagined(session.home)
    async with fetched(session, wanted, at) as sealed:
        snapshot = await asyncio.to_thread(open_backup, session, sealed, (), restoration, keep=False)
    session.snapshot = snapshot
    return await plan(session, "restore", force=force), snapshot.id


def open_backup(
    session: Session, sealed: Path, identities: Sequence[str] = (), restoration: str = "", *, keep: bool = True
) -> Snapshot:
    """Lay a backup open: its files in the session's secrets, its snapshot in RAIJIN_HOME (not where `keep` is off).

    Raises what `archive.opened` raises, and UsageError for one of another distribution.
    """
    store = session.secrets
    with workshop(session) as folder, opened(sealed, [*identities, *store.identities()], folder) as (about, tar):
        version = _fitting(session, about, sealed)
        files = {}
        for path, entry in about.files().items():
            files[path] = opened_secret(session.cluster.name, path)
            store.put(files[path], alone(path, read_entry(tar, entry).decode()))
        _take_keys(store, session.cluster.name, files)
        sha256 = about.entries[SNAPSHOT]
        if keep:
            target = opened_file(session.home, sha256)
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            extract_snapshot(tar, target)
    name = new_id(about.cluster, about.created)
    restoration = restoration or time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    trusted = files.get(f"{PKI}/ca.crt")
    authority = x509.read(next(x509.blocks(store.get(trusted)))).key if trusted else ""
    return Snapshot(name, sha256, files, version, restoration, about.kind, authority)


def _take_keys(store: SecretStore, cluster: str, files: Mapping[str, str]) -> None:
    """The keys that the data of a backup is encrypted with are needed from now on, whatever is noted here of later."""
    found = next((name for path, name in files.items() if path.endswith("/encryption.yaml")), None)
    keys, ways = read_configuration(store.get(found)) if found else ({}, (PLAIN,))
    for key, value in keys.items():
        store.put(key_secret(cluster, key), value)
    if found or store.has(state_secret(cluster)):
        store.put(state_secret(cluster), Keys(written=ways[0], begun=ways[1:]).as_json())


def _fitting(session: Session, about: Manifest, sealed: Path) -> Version:
    version = Version.parse(about.version)
    if about.platform != session.cluster.type.value or version is None:
        raise UsageError(
            f"{sealed.name} is of a {about.platform} cluster ({about.version}), {session.cluster.name} is "
            f"{session.cluster.type}",
            remedy="restore it into a cluster of the same type",
        )
    return version


def forget_opened(session: Session, sha256: str) -> None:
    """What a restoration has laid open on this machine goes."""
    store = SecretStore(session.home)
    for name in store.names(opened_secret(session.cluster.name, "")):
        store.delete(name)
    if sha256:
        opened_file(session.home, sha256).unlink(missing_ok=True)


def opened_secret(cluster: str, path: str) -> str:
    """The name under which a file of an opened backup is kept until it is restored."""
    return f"restore/{cluster}/{path}"


def read_identities(path: Path) -> list[str]:
    """The keys of a file as `age-keygen` writes it. Raises UsageError."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the key {path} cannot be read: {error}") from error
    keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not keys or not all(key.startswith("AGE-SECRET-KEY-1") for key in keys):
        raise UsageError(
            f"{path} is no key of age", remedy="give the file that `age-keygen` or `raijin backup key` made"
        )
    return keys

"""What an auditor asks beside what happened: who may do what, whether the trail is whole, which policies are kept.

Of clusters only what their definitions say and what was seen of them last; no host is asked for a report. A policy that
nobody has looked at is no policy that is kept.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raijin.app.auditing import clock, report
from raijin.app.health import OLD_BACKUP_SECONDS
from raijin.app.store import Store
from raijin.definition.load import load
from raijin.errors import RaijinError
from raijin.facts.certificates import DAY
from raijin.model.cluster import Cluster, ClusterType
from raijin.state.access import Tokens, Users
from raijin.state.audit import Audit, Entry
from raijin.state.backups import Backups
from raijin.state.looks import CERTIFICATES, DRIFT, HEALTH, Looks

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine as Database

PASS, FAIL, UNKNOWN = "pass", "FAIL", "not known"

Row = tuple[str, str, str]
"""Policy, whether it is kept, and by what one sees it."""
CHECKS = {
    "api-security": "API servers and etcd ask who comes",
    "host-security": "Keys and kubeconfigs are for root alone",
    "access-rights": "Nobody unknown is an administrator",
    "pod-security": "Pods that reach into their host are labelled",
    "version-support": "Versions are supported",
}


def compliance(home: Path, database: Database, folder: Path, entries: list[Entry]) -> Iterator[str]:
    """A report for people. entries: of the time that it is about. folder: where definitions lie."""
    yield from report(entries)
    yield from ("", "## Integrity of the trail", "")
    found = Audit(database, home).verify()
    if found.faults:
        yield from (f"- BROKEN: {fault}" for fault in found.faults)
    else:
        yield f"The chain was verified up to entry {found.count}, with the hash `{found.head}`."
    yield from _access(database)
    yield from _refused(entries)
    yield from _clusters(database, folder)


def _cell(value: object) -> str:
    """In one cell of a table."""
    return str(value).replace("|", "\\|").replace("\n", " ")


def _table(headers: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    names = list(headers)
    yield "| " + " | ".join(names) + " |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield "| " + " | ".join(map(_cell, row)) + " |"


def _access(database: Database) -> Iterator[str]:
    now, users = time.time(), Users(database).all()
    yield from ("", "## Who may do what", "")
    rows = [
        (u.name, u.origin, ", ".join(u.grants) or "nothing", "disabled" if u.disabled else "may log in") for u in users
    ]
    yield from _table(("user", "judged by", "roles", "state"), rows)
    tokens = [token for token in Tokens(database).of(None) if token.owner]
    yield from ("", "## Tokens", "")
    yield from _table(
        ("token", "of", "roles", "made", "expires", "last used"),
        (
            (
                f"{t.name} ({t.id})", t.owner, ", ".join(t.grants), clock(t.created), _expiry(t.expires, now),
                clock(t.used) if t.used else "never",
            )
            for t in tokens
        ),
    )  # fmt: skip


def _expiry(expires: float | None, now: float) -> str:
    if expires is None:
        return "never"
    return f"{clock(expires)}{' (expired)' if expires < now else ''}"


def _refused(entries: Iterable[Entry]) -> Iterator[str]:
    counts = Counter((e.action, e.who or "somebody", e.address or e.origin) for e in entries if e.result == "refused")
    yield from ("", "## Refused", "")
    yield from _table(("what", "who", "from", "count"), ((*key, count) for key, count in sorted(counts.items())))


def _clusters(database: Database, folder: Path) -> Iterator[str]:
    store = Store(folder)
    for entry in store.clusters() if folder.is_dir() else ():
        yield from ("", f"## Policies of {entry.name}", "")
        try:
            cluster = load(store.paths(entry.name), {}).cluster(entry.name)
        except RaijinError as error:
            yield f"Its definition cannot be read: {error.message}"
            continue
        yield from _table(("policy", "kept", "evidence"), _policies(database, cluster))


def _policies(database: Database, cluster: Cluster) -> Iterator[Row]:
    looks, name = Looks(database), cluster.name
    health = looks.get(name, HEALTH)
    checks: dict[str, list[str]] = dict(health.data.get("checks", {})) if health else {}
    seen = f"seen {clock(health.at)}" if health else "it was not looked at yet"
    flags = checks.get("api-security")
    yield _asked("Encryption at rest", _encrypts(cluster), flags, seen)
    yield _asked(
        "Audit log of the API", "kubernetes.audit" if cluster.kubernetes.audit is not None else "", flags, seen
    )
    yield from _backups(database, cluster)
    yield _certificates(looks, name)
    for check, title in CHECKS.items():
        grade, text = checks.get(check, [UNKNOWN, ""])
        word = UNKNOWN if grade in {UNKNOWN, "unknown"} else PASS if grade == "ok" else FAIL
        yield title, word, f"{check}: {text}, {seen}" if text else seen
    drift = looks.get(name, DRIFT)
    if drift is None:
        yield "Nothing has moved from the definition", UNKNOWN, "no plan was made for it yet"
    else:
        steps = int(drift.data["steps"])
        yield "Nothing has moved from the definition", FAIL if steps else PASS, f"{steps} steps, {clock(drift.at)}"


def _encrypts(cluster: Cluster) -> str:
    """What in a definition asks for encryption at rest; empty when nothing does."""
    if cluster.type is ClusterType.RKE2:
        return "RKE2 always encrypts Secrets"
    if cluster.type is ClusterType.K3S:
        return "kubernetes.k3s.secretsEncryption" if cluster.kubernetes.k3s.secrets_encryption else ""
    return "kubernetes.encryption" if cluster.kubernetes.encryption is not None else ""


def _asked(title: str, asked: str, flags: list[str] | None, seen: str) -> Row:
    """Of what the definition asks for and the check of the flags has looked at."""
    if not asked:
        return title, FAIL, "the definition does not ask for it"
    if flags is None or flags[0] == "unknown":
        return title, UNKNOWN, f"{asked}; {seen}"
    return title, FAIL if flags[0] == "failed" else PASS, f"{asked}; {flags[1]}, {seen}"


def _backups(database: Database, cluster: Cluster) -> Iterator[Row]:
    known, now = sorted(Backups(database).of(cluster.name).values(), key=lambda b: b.created), time.time()
    latest = known[-1] if known else None
    if latest is None:
        yield "Backups are made", FAIL, "none is known here"
    else:
        fresh = now - latest.created < OLD_BACKUP_SECONDS
        yield "Backups are made", PASS if fresh else FAIL, f"{latest.id}, of {clock(latest.created)}"
        yield "Backups are encrypted", PASS, f"with age, as every backup is; sha256 {latest.sha256}"
    good = [backup for backup in known if backup.verified and not backup.fault]
    tried = (
        f"{good[-1].id} was restored {clock(good[-1].verified or 0.0)}, {good[-1].keys} keys" if good else "none was"
    )
    yield "Backups are tried", PASS if good else FAIL, tried
    keep, targets = cluster.backup.keep, ", ".join(target.name for target in cluster.backup.targets) or "RAIJIN_HOME"
    when = f"; {cluster.backup.schedule}" if cluster.backup.schedule else ""
    yield "Backups are retained", PASS if known else FAIL, f"{keep} in each of {targets}{when}; {len(known)} known"


def _certificates(looks: Looks, name: str) -> Row:
    title, look = "Certificates are valid", looks.get(name, CERTIFICATES)
    if look is None:
        return title, UNKNOWN, "nobody has looked at them yet"
    days = (float(look.data["ends"]) - time.time()) / DAY
    what: Any = f"{look.data['path']} of {look.data['host']}"
    return title, PASS if days > 0 else FAIL, f"{what} is the first to end, in {days:.0f} days; seen {clock(look.at)}"

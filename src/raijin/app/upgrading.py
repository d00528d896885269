"""Another version for a cluster, as a change of its definition."""

from __future__ import annotations

from pydantic import ValidationError

from raijin.app.session import Session
from raijin.definition.edit import Edits
from raijin.errors import NotFound, UsageError
from raijin.model.version import Version
from raijin.platforms import platform_of


def propose_version(session: Session, wanted: str | None, *, max_unavailable: str | None = None) -> str:
    """Go on with this version in the definition, or with the newest that is held. Returns it.

    max_unavailable: how many workers may be out of service at once, for this upgrade alone.
    """
    version = wanted or str(newest_held(session))
    edits = Edits(list(session.paths))
    edits.set_value("Cluster", session.cluster.name, ("version",), version)
    session.propose(edits)
    if max_unavailable is not None:
        allow_unavailable(session, max_unavailable)
    return version


def allow_unavailable(session: Session, wanted: str) -> None:
    """Let so many workers be out of service at once, for what this session does. Raises UsageError."""
    policy = session.cluster.policy
    try:
        changed = policy.model_validate({**policy.model_dump(by_alias=True), "maxUnavailable": wanted})
    except ValidationError as error:
        raise UsageError(
            f"{wanted} is no number of workers that may be out of service", remedy="write it as 1 or 25%"
        ) from error
    session.__dict__["cluster"] = session.cluster.model_copy(update={"policy": changed})


def held(session: Session) -> list[Version]:
    """Every release of the cluster's distribution in the lock or the bundles."""
    release = platform_of(session.cluster).release
    return [version for text in session.lock.versions_of(release) if (version := Version.parse(text))]


def newest_held(session: Session) -> Version:
    """The newest of them. Raises NotFound."""
    found, cluster = held(session), session.cluster
    if not found:
        raise none_held(cluster.name, cluster.version)
    newest = max(found)
    if newest < cluster.kubernetes_version:
        raise NotFound(
            f"{cluster.name} is to be {cluster.version}, and the newest release that is locked is {newest}",
            remedy="name a newer one with --version",
        )
    return newest


def none_held(cluster: str, version: str) -> NotFound:
    """version: that of its definition."""
    return NotFound(
        f"no release is locked that {cluster} ({version}) could be upgraded to",
        remedy="name one with --version; `raijin artifacts lock` locks what the definition says then",
    )


def warnings(session: Session) -> list[str]:
    """What stands against the version that the definition says by now, as far as it is known without the hosts."""
    cluster = session.cluster
    if cluster.kubernetes_version in held(session):
        return []
    return [f"{cluster.version} is not locked: `raijin artifacts lock` before it is applied, or a bundle that has it"]

"""What people may do: three roles, each for one cluster or for all. Whoever may more may also less."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from raijin.errors import AccessDenied, UsageError

EVERYWHERE = "*"
_CLUSTER = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")


class Role(StrEnum):
    """VIEWER looks. OPERATOR also plans, runs, scales and backs up. ADMIN also restores, ends clusters, gives access,
    and writes definitions (which say what runs as root on hosts)."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return list(Role).index(self)


@dataclass(frozen=True, slots=True)
class Grant:
    role: Role
    cluster: str = EVERYWHERE

    @classmethod
    def parse(cls, text: str) -> Grant:
        """`admin` or `operator:production`. Raises UsageError."""
        role, colon, cluster = text.partition(":")
        if role not in set(Role) or (colon and not _CLUSTER.fullmatch(cluster)):
            raise UsageError(
                f"{text[:80]!r} is no role", remedy="write viewer, operator or admin, as in operator or operator:prod"
            )
        return cls(Role(role), cluster or EVERYWHERE)

    def __str__(self) -> str:
        return str(self.role) if self.cluster == EVERYWHERE else f"{self.role}:{self.cluster}"

    def covers(self, role: Role, cluster: str) -> bool:
        return self.role.rank >= role.rank and self.cluster in {EVERYWHERE, cluster}


def grants_of(texts: Iterable[str]) -> tuple[Grant, ...]:
    return tuple(Grant.parse(text) for text in texts)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. grants: sets that all have to allow it (a token allows at most what its owner may).

    address: where the request comes from. csrf: what a browser's session must repeat when it changes something.
    """

    name: str
    grants: Sequence[Sequence[Grant]] = field(default=())
    address: str = ""
    csrf: str = ""
    session: str = ""

    def may(self, role: Role, cluster: str = EVERYWHERE) -> bool:
        return bool(self.grants) and all(any(g.covers(role, cluster) for g in some) for some in self.grants)

    def sees(self, cluster: str) -> bool:
        return self.may(Role.VIEWER, cluster)

    def require(self, role: Role, cluster: str = EVERYWHERE) -> None:
        """Raises AccessDenied."""
        if not self.may(role, cluster):
            where = "all clusters" if cluster == EVERYWHERE else f"the cluster {cluster}"
            raise AccessDenied(
                f"{self.name} is no {role} of {where}", remedy="ask an administrator of this server for the role"
            )

    def require_any(self, role: Role) -> None:
        """Raises AccessDenied for whoever has that role nowhere."""
        if not self.grants or not all(any(grant.role.rank >= role.rank for grant in some) for some in self.grants):
            raise AccessDenied(f"{self.name} is {role} of nothing", remedy="ask an administrator of this server")

    def allows_at_most(self, grants: Iterable[Grant]) -> None:
        """Raises AccessDenied when one of these would allow more than the caller may."""
        for grant in grants:
            self.require(grant.role, grant.cluster)

    def written(self) -> list[str]:
        """The smallest of the sets, in words."""
        return [str(grant) for grant in min(self.grants, key=len)] if self.grants else []

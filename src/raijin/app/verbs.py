"""What each verb looks at, what may stand against it, and which steps it could take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from raijin.lifecycle import apply, backup, destroy, restore
from raijin.lifecycle.preflight import preflight
from raijin.plan.draft import Draft
from raijin.platforms.base import Context


def _nothing(context: Context, api_failure: str) -> Sequence[str]:
    del context, api_failure
    return ()


def _restore_reasons(context: Context, api_failure: str) -> Sequence[str]:
    del api_failure  # the cluster that is given up need not answer
    return restore.reasons(context)


@dataclass(frozen=True, slots=True)
class Verb:
    """drafts: every step that could be needed. reasons: what stands against it.

    equips: it brings hosts nearer to the definition, so that it needs artifacts. converges: it looks at all that is in
    the cluster, upgrades and removes. lives: it asks the API of the cluster and etcd. tolerant: hosts that cannot be
    reached are judged by `reasons`, not by the policy.
    """

    drafts: Callable[[Context], list[Draft]]
    reasons: Callable[[Context, str], Sequence[str]] = _nothing
    equips: bool = False
    converges: bool = False
    lives: bool = True
    tolerant: bool = False


VERBS = {
    "apply": Verb(apply.drafts, preflight, equips=True, converges=True),
    "prepare": Verb(apply.prepare_drafts, preflight, equips=True),
    "destroy": Verb(destroy.drafts),
    "backup": Verb(backup.drafts, tolerant=True),
    "restore": Verb(restore.drafts, _restore_reasons, equips=True, lives=False, tolerant=True),
}

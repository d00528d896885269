"""The verbs: what each looks at, what may stand against it, and which steps it could take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from raijin.plan.draft import Draft
    from raijin.platforms.base import Context


@dataclass(frozen=True, slots=True)
class Verb:
    """stages, refusals: where its functions are, as `module:name`; imported when they are asked for.

    stages: from a context to every step that could be needed. refusals: from a context, and why the API does not
    answer, to what stands against it. equips: it brings hosts nearer to the definition, so that it needs artifacts and
    leaves hosts in quarantine alone. converges: it looks at all that is in the cluster, upgrades and removes. leaves:
    hosts that the definition no longer places are part of it. ends: all hosts leave the cluster. lives: it asks the API
    of the cluster and etcd. tolerant: hosts that cannot be reached are judged by the refusals, not by the policy.
    members: it asks etcd also where there is only one control plane host. restarts: it stops control plane hosts
    for a moment, which etcd has a say in.
    """

    stages: str
    refusals: str = ""
    equips: bool = False
    converges: bool = False
    leaves: bool = True
    ends: bool = False
    lives: bool = True
    tolerant: bool = False
    restarts: bool = False
    members: bool = False

    def drafts(self, context: Context) -> list[Draft]:
        drafts: list[Draft] = _function(self.stages)(context)
        return drafts

    def reasons(self, context: Context, api_failure: str) -> Sequence[str]:
        """What stands against it."""
        reasons: Sequence[str] = _function(self.refusals)(context, api_failure) if self.refusals else ()
        return reasons


def _function(place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


_PREFLIGHT = "raijin.lifecycle.preflight:preflight"
VERBS = {
    "apply": Verb("raijin.lifecycle.apply:drafts", _PREFLIGHT, equips=True, converges=True),
    "prepare": Verb("raijin.lifecycle.apply:prepare_drafts", _PREFLIGHT, equips=True, leaves=False),
    "destroy": Verb("raijin.lifecycle.destroy:drafts", ends=True),
    "backup": Verb("raijin.lifecycle.backup:drafts", tolerant=True),
    "renew": Verb("raijin.lifecycle.renew:drafts", "raijin.lifecycle.renew:reasons", leaves=False, restarts=True),
    "rotate-ca": Verb("raijin.lifecycle.rotate:drafts", "raijin.lifecycle.rotate:reasons", leaves=False, restarts=True),
    "defragment": Verb(
        "raijin.lifecycle.etcd:defragment", "raijin.lifecycle.etcd:defragment_reasons", tolerant=True, members=True
    ),
    "replace": Verb(
        "raijin.lifecycle.etcd:replace_member",
        "raijin.lifecycle.etcd:replace_reasons",
        equips=True,
        tolerant=True,
        members=True,
    ),
    "reset": Verb("raijin.lifecycle.reset:drafts", "raijin.lifecycle.reset:reasons", tolerant=True, members=True),
    "restore": Verb(
        "raijin.lifecycle.restore:drafts",
        "raijin.lifecycle.restore:reasons",
        equips=True,
        lives=False,
        tolerant=True,
    ),
}

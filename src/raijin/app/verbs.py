"""The verbs: what each drafts from what was seen, and what has to be seen and known before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from raijin.plan.draft import Draft
    from raijin.platforms.base import Context


@dataclass(frozen=True, slots=True)
class Verb:
    """stages: where its function from context to drafts is, as `module:name`; imported when it is asked for.

    converges: it brings hosts nearer to the definition, so that it needs artifacts, must pass the preflight, and leaves
    hosts in quarantine alone. whole: it is about all that the cluster holds, documents and strangers included. leaves:
    hosts that the definition no longer places are part of it.
    """

    stages: str
    converges: bool = False
    whole: bool = False
    leaves: bool = True

    def drafts(self, context: Context) -> list[Draft]:
        module, _, name = self.stages.partition(":")
        return cast("Callable[[Context], list[Draft]]", getattr(import_module(module), name))(context)


VERBS = {
    "apply": Verb("raijin.lifecycle.apply:drafts", converges=True, whole=True),
    "prepare": Verb("raijin.lifecycle.apply:prepare_drafts", converges=True, leaves=False),
    "destroy": Verb("raijin.lifecycle.destroy:drafts"),
}

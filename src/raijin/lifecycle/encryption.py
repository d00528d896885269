"""Encryption at rest on its way to another key, on or off. At each moment every API server reads what any other writes.

keys       the new key is made here
configure  (with the other settings) every API server learns to read it, one after the other
encrypt    every API server writes with it
rewrite    everything is written anew
rewritten  it is noted here: from now on the old key is not needed
unlearn    every API server forgets the old one
"""

from __future__ import annotations

from collections.abc import Iterable

from raijin.lifecycle.stages import joined, settle
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change, Disruption
from raijin.platforms import platform_of
from raijin.platforms.base import Context
from raijin.platforms.encrypted import Written, at_rest

REWRITE_SECONDS = 3600


def make_keys(context: Context) -> Iterable[Draft]:
    """A key that is not there yet; for a cluster that is not there yet also the note that it is written with it."""
    goal, keys = context.writing, context.keys
    missing = bool(goal.key) and goal.key not in keys.names
    fresh = not context.started and context.snapshot is None and goal != keys.written
    if not (missing or fresh):
        return
    change = Change(f"encryption key {goal.key}", "state", "absent", "made")
    other = Change("encryption at rest", "key", keys.written.key or "none", goal.key or "none")
    yield Draft(
        "keys",
        context.cluster.name,
        "make the key of encryption at rest",
        Call("encryption.key", {"key": goal.key, "written": goal.as_json() if fresh else ""}),
        changes=(change if missing else other,),
        timeout=30,
    )


def encrypt_anew(context: Context) -> Iterable[Draft]:
    servers = platform_of(context.cluster).api_servers
    if servers is None or not context.rewriting or not context.started:
        return
    old, new, name = context.keys.written, context.writing, context.cluster.name
    learnt = ("configure/*", "follow/*", f"keys/{name}")
    yield from _each(context, "encrypt", (new, old), f"write with {_said(new)}", learnt)
    resources = tuple(dict.fromkeys((*new.resources, *old.resources)))
    yield Draft(
        "rewrite",
        context.first.name,
        "write everything in etcd anew",
        servers.rewrite(context, resources),
        needs=("encrypt/*", "encrypted/*"),
        changes=(Change(", ".join(resources), "encrypted with", _said(old), _said(new)),),
        timeout=REWRITE_SECONDS,
        estimate=10,
        forced=True,
    )
    yield Draft(
        "rewritten",
        name,
        "note how data is written now",
        Call("encryption.written", {"written": new.as_json()}),
        needs=(f"rewrite/{context.first.name}",),
        follows=True,
        timeout=30,
    )
    if old.key:
        noted = (f"rewritten/{name}",)
        yield from _each(context, "unlearn", at_rest(new), f"forget {_said(old)}", noted)


def _each(
    context: Context, stage: str, order: tuple[Written, ...], title: str, before: tuple[str, ...]
) -> Iterable[Draft]:
    """One control plane host after the other."""
    first, servers = before, platform_of(context.cluster).api_servers
    if servers is None:
        return
    for node in joined(context, context.control_planes):
        yield Draft(
            stage,
            node.name,
            title,
            servers.write_with(context, order, title),
            needs=before,
            disruption=Disruption.API if len(context.control_planes) == 1 else Disruption.RESTART,
            timeout=600,
            estimate=20,
            forced=True,
        )
        done = f"{stage}ed" if stage == "encrypt" else "forgotten"
        yield settle(context, node, done, (f"{stage}/{node.name}",))
        before = (*first, f"{stage}/{node.name}", f"{done}/{node.name}")


def _said(way: Written) -> str:
    return f"the key {way.key}" if way.key else "no key"

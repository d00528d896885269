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
    """Before anything is written in another way: its key is made, and it is noted here that the turn has begun."""
    way, keys = context.writing, context.keys
    fresh = not context.started and context.snapshot is None
    missing = bool(way.key) and way.key not in keys.names
    if not missing and (way in keys.found if not fresh else keys.found == (way,)):
        return
    before = keys.written.key or "none"
    changes = (
        Change(f"encryption key {way.key}", "state", "absent", "made")
        if missing
        else Change("encryption at rest", "key", before, way.key or "none"),
    )
    yield Draft(
        "keys",
        context.cluster.name,
        "make the key of encryption at rest" if missing else "note that data will be written in another way",
        Call("encryption.key", {"way": way.as_data(), "fresh": fresh}),
        changes=changes,
        timeout=30,
    )


def encrypt_anew(context: Context) -> Iterable[Draft]:
    servers = platform_of(context.cluster).api_servers
    if servers is None or not context.rewriting or not context.started:
        return
    found, new, name = context.keys.found, context.writing, context.cluster.name
    old = context.keys.written
    learnt = ("configure/*", "follow/*", f"keys/{name}")
    yield from _each(context, "encrypt", (new, *found), f"write with {_said(new)}", learnt)
    resources = tuple(dict.fromkeys(kind for way in (new, *found) for kind in way.resources))
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
        Call("encryption.written", {"way": new.as_data()}),
        needs=(f"rewrite/{context.first.name}",),
        follows=True,
        timeout=30,
    )
    if any(way.key for way in found if way != new):
        yield from _each(context, "unlearn", at_rest(new), "forget the old keys", (f"rewritten/{name}",))


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

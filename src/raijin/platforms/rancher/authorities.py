"""The call of K3s and RKE2 that makes the authorities of a rotation, or finds them."""

from __future__ import annotations

import datetime as dt

from raijin.observe.masking import MASKER
from raijin.operations.stamps import command_marker
from raijin.plan.handlers import CallContext, Handlers
from raijin.platforms.authorities import forget_others, has_files
from raijin.platforms.rancher.layout import AUTHORITY_FILES
from raijin.platforms.turns import MARKER, authority_secret
from raijin.transport.base import Connection


async def make_authorities(context: CallContext) -> None:
    """rancher.authorities: those that wait on a server, else those that are kept here, else new ones that follow."""
    rotation, hosts = context.text("rotation"), context.texts("hosts")
    connections = [await context.pool.get(host) for host in hosts]
    forget_others(context, rotation)
    moment = dt.datetime.now(dt.UTC)
    for name, file in AUTHORITY_FILES.items():
        certificates, keys = await _one(context, connections, rotation, (name, file), moment)
        MASKER.add(keys)
        for part, text in (("new", certificates), ("key", keys)):
            context.secrets.put(authority_secret(context.cluster, rotation, name, part), text)
    context.say("the new authorities are kept here until the rotation has ended")


async def _one(
    context: CallContext, connections: list[Connection], rotation: str, which: tuple[str, str], moment: dt.datetime
) -> tuple[str, str]:
    name, file = which
    marker = command_marker(f"{MARKER}{rotation}")
    for connection in connections:
        waiting = f"{context.text('staged')}/{file}"
        if await has_files(connection, marker, f"{waiting}.crt", f"{waiting}.key"):
            return await _pair(connection, waiting)
    kept = [authority_secret(context.cluster, rotation, name, part) for part in ("new", "key")]
    if all(context.secrets.has(one) for one in kept):
        return context.secrets.get(kept[0]), context.secrets.get(kept[1])
    from raijin.platforms.rancher.signing import successor  # noqa: PLC0415  (plans import this module)

    certificates, keys = await _pair(connections[0], f"{context.text('tls')}/{file}")
    return successor(f"{context.text('product')}-{name}", certificates, keys, moment)


async def _pair(connection: Connection, path: str) -> tuple[str, str]:
    """Raises OperationFailed when one of them is not there."""
    certificates, keys = [(await connection.read(f"{path}.{end}")).decode() for end in ("crt", "key")]
    MASKER.add(keys)
    return certificates, keys


HANDLERS: Handlers = {"rancher.authorities": make_authorities}
BY_HAND = {
    "rancher.authorities": "Make authorities that the present ones sign too, in a folder of their own, after 'Rotating "
    "Self-Signed CA Certificates' of the documentation",
}

"""Calls of K3s and RKE2: the cluster's tokens made, and one sent to the host that joins."""

from __future__ import annotations

import secrets as randomness

from raijin.errors import HostError, NotFound, OperationFailed
from raijin.observe.masking import MASKER
from raijin.plan.handlers import CallContext, Handlers
from raijin.plan.model import Call, Json
from raijin.platforms.base import Context, Node
from raijin.platforms.rancher import authorities
from raijin.platforms.rancher.config import registration
from raijin.platforms.rancher.layout import Distribution
from raijin.platforms.rancher.members import agent_token_secret, join_secret, token_secret
from raijin.transport.base import Connection
from raijin.transport.pool import Pool
from raijin.transport.quoting import word

SECONDS = 60.0


def found(distribution: Distribution) -> Call:
    """Before a cluster is started."""
    arguments: dict[str, Json] = {"token": distribution.token_file, "agent_token": distribution.agent_token_file}
    return Call("rancher.tokens", arguments)


def admission(context: Context, distribution: Distribution, node: Node) -> Call:
    arguments: dict[str, Json] = {
        "door": context.first.name,
        "token": distribution.server_token if node.control_plane else distribution.full_agent_token,
        "agent_token": distribution.agent_token_file if node.control_plane else "",
    }
    return Call("rancher.admit", arguments)


async def make_tokens(context: CallContext) -> None:
    """rancher.tokens: what servers and agents will join with. A start that was begun goes on with those it began with.

    The host's own come first: after a restoration the data that lies there can only be read with them.
    """
    connection = await context.pool.get(context.target)
    names = {"token": token_secret(context.cluster), "agent_token": agent_token_secret(context.cluster)}
    for argument, name in names.items():
        token = await _read(connection, context.text(argument))
        if not token and context.secrets.has(name):
            token = context.secrets.get(name)
        if not token:
            token = randomness.token_hex(32)
            context.say("a new token was made")
        MASKER.add(token)
        context.secrets.put(name, token)


async def admit(context: CallContext) -> None:
    """rancher.admit: the token with the hash of the cluster's authority, by which a host knows whom it joins."""
    door = context.text("door")
    connection = await context.pool.get(door)
    wanted = {join_secret(context.cluster, context.target): context.text("token")}
    if context.text("agent_token"):
        wanted[agent_token_secret(context.cluster)] = context.text("agent_token")
    for name, path in wanted.items():
        token = await _read(connection, path)
        if not token:
            raise NotFound(
                f"{path} is not there: no server has started on this host", host=door, remedy="resume the run"
            )
        MASKER.add(token)
        context.secrets.put(name, token)


async def revoke(context: CallContext) -> None:
    """rancher.revoke: the host has its token, or its join has failed: the copy here goes."""
    context.secrets.delete(join_secret(context.cluster, context.target))


async def _read(connection: Connection, path: str) -> str:
    """The token in a file of a host; empty when there is none."""
    done = await connection.run(f"[ ! -s {word(path)} ] || cat -- {word(path)}\n", timeout=SECONDS)
    if done.status != 0:
        raise HostError(f"{path} cannot be read", detail=done.stderr)
    return done.stdout.strip()


async def join_command(pool: Pool, context: Context, distribution: Distribution, ttl_minutes: int) -> str:
    """What makes an agent of a host that Raijin does not manage, with a token that ends by itself.

    Source: docs.k3s.io "k3s token"; RKE2's program has the same command.
    """
    hosts = [node.name for node in context.started]
    if not hosts:
        name = context.cluster.name
        raise NotFound(f"{name} is not running: there is nothing to join", remedy="apply the definition first")
    create = (distribution.program, "token", "create", "--ttl", f"{ttl_minutes}m", "--description", "made by Raijin")
    connection = await pool.get(hosts[0])
    done = await connection.run(" ".join(map(word, create)) + "\n", timeout=SECONDS)
    token = done.stdout.strip()
    if done.status != 0 or not token:
        raise OperationFailed(
            "no join token could be made", host=hosts[0], remedy="see the output", detail=done.stderr or done.stdout
        )
    return f"{distribution.product} agent --server {registration(context, distribution)} --token {token}"


HANDLERS: Handlers = {
    **authorities.HANDLERS,
    "rancher.tokens": make_tokens,
    "rancher.admit": admit,
    "rancher.revoke": revoke,
}

BY_HAND = {
    **authorities.BY_HAND,
    "rancher.tokens": "Make two passwords, for servers and for agents: `head -c 32 /dev/urandom | sha256sum`",
    "rancher.admit": "On a server: the token for {target} is in the file `token` (for a server) or `agent-token` below "
    "/var/lib/rancher/*/server; with it the host joins",
    "rancher.revoke": "Forget your copy of the token of {target}",
}

"""Calls of the Talos platform: each asks before it acts, so that a run that was cut short goes on.

A configuration in the arguments has words in the place of secrets (see bundle.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

import yaml

from raijin.errors import HostError, HostUnreachable, NotFound, OperationFailed, PlanRefused
from raijin.observe.waiting import until
from raijin.plan.handlers import CallContext, Handlers
from raijin.platforms.access import open_cluster
from raijin.platforms.calls import wait_for_node
from raijin.platforms.talos import bundle, etcd
from raijin.platforms.talos.look import Machine, connection_to, has_etcd_data, machine_at, reachable
from raijin.transport.private import private_file
from raijin.transport.talos import TalosConnection

Document = dict[str, Any]
INSTALL_SECONDS = 2100.0
"""A machine pulls the installer, writes it to the disk and boots from there."""
REQUEST_SECONDS = 120.0
RECOVER_SECONDS = 1800.0
UPGRADE_K8S_SECONDS = 3600.0


async def start(context: CallContext) -> None:
    """talos.start: the first machine configured, and etcd bootstrapped on it, unless a member ever was started."""
    await _secrets(context)
    connection = await _configured(context)
    for host in context.texts("planes"):
        await _no_etcd(context, host)
    if not await has_etcd_data(connection):
        await _bootstrap(context, connection)
    await _api(context)


async def join(context: CallContext) -> None:
    """talos.join: a machine in maintenance mode gets its configuration, by which it becomes a member."""
    await _configured(context)


async def configure(context: CallContext) -> None:
    """talos.configure: another configuration for a machine that runs."""
    connection = await connection_to(context.pool, context.target)
    mode = context.text("mode")
    with private_file(_text(context)) as path:
        words = ("apply-config", "--file", path, "--mode", mode)
        said = await connection.talosctl(*words, timeout=REQUEST_SECONDS)
    for line in said.splitlines():
        context.say(line)
    if mode == "staged":
        context.say("it takes effect when the machine is booted the next time")
    await _running(context, connection, context.timeout)


async def upgrade(context: CallContext) -> None:
    """talos.upgrade: another version of Talos, by its installer; the machine boots."""
    connection = await connection_to(context.pool, context.target)
    if (await machine_at(connection)).version == context.text("version"):
        context.say("it runs that version already")
        return
    words = ("upgrade", "--image", context.text("image"), "--wait=false")
    await connection.talosctl(*words, timeout=context.timeout)
    await _version(context, connection)


async def wait_for_version(context: CallContext) -> None:
    """talos.wait-version: until the machine runs a version of Talos and its node is Ready."""
    await _version(context, await connection_to(context.pool, context.target))
    await wait_for_node(context)


async def upgrade_kubernetes(context: CallContext) -> None:
    """talos.upgrade-k8s: Kubernetes on all nodes, by the way that Talos knows for it."""
    connection = await connection_to(context.pool, context.text("host"))
    words = ("upgrade-k8s", "--to", context.text("version").removeprefix("v"), "--endpoint", context.text("endpoint"))
    docs = ("--with-docs=false", "--with-examples=false")
    said = await connection.talosctl(*words, *docs, timeout=UPGRADE_K8S_SECONDS)
    context.say(said.strip().splitlines()[-1] if said.strip() else "done")


async def register(context: CallContext) -> None:
    """talos.register: the kubelet started anew, so that it registers its node."""
    connection = await connection_to(context.pool, context.target)
    await connection.talosctl("service", "kubelet", "restart")


async def reset(context: CallContext) -> None:
    """talos.reset: what was installed is wiped, and the machine waits in maintenance mode again.

    The node object and the etcd member are gone by then, or the whole cluster goes: there is nobody to say goodbye to.
    """
    connection = await connection_to(context.pool, context.target)
    machine = await machine_at(connection)
    if machine.foreign:
        raise PlanRefused("it is configured by somebody else, and is not reset", host=context.target)
    if machine.stage == "maintenance":
        context.say("it has no configuration any more")
        return
    await _wipe(connection, "STATE", "EPHEMERAL")

    async def probe() -> str:
        try:
            now = await machine_at(connection)
        except HostError as error:
            return error.message
        return "" if now.stage == "maintenance" else f"it is {now.stage or 'not wiped yet'}"

    await _until(context, f"{context.target} to wait in maintenance mode", probe, context.timeout)


async def halt(context: CallContext) -> None:
    """talos.halt: etcd and its data end on a control plane machine, which keeps its configuration."""
    connection = await connection_to(context.pool, context.target)
    if not await has_etcd_data(connection):
        context.say("there is no data of etcd on it")
        return
    await _wipe(connection, "EPHEMERAL")

    async def probe() -> str:
        try:
            return "its data is still there" if await has_etcd_data(connection) else ""
        except HostError as error:
            return error.message

    await _until(context, f"{context.target} to come back without data", probe, context.timeout)


async def _wipe(connection: TalosConnection, *partitions: str) -> None:
    labels = [word for label in partitions for word in ("--system-labels-to-wipe", label)]
    words = ("reset", "--graceful=false", "--reboot", *labels, "--wait=false")
    await connection.talosctl(*words, timeout=REQUEST_SECONDS)


async def _secrets(context: CallContext) -> None:
    """The bundle: that of the backup that is restored, the kept one, or a new one."""
    name, given = bundle.bundle_secret(context.cluster), str(context.arguments.get("bundle") or "")
    kept = context.secrets.get(name) if context.secrets.has(name) else ""
    if given:
        restored = context.secrets.get(given)
        if kept and yaml.safe_load(kept) != yaml.safe_load(restored):
            raise PlanRefused(
                f"the backup has other keys than {context.cluster}: it is of another cluster",
                remedy="destroy this cluster first, or restore under the name of the other one",
            )
        kept = restored
    if not kept:
        connection = await connection_to(context.pool, context.target)
        version = context.text("talos")
        done = await connection.access.run("gen", "secrets", "--talos-version", version, "--output-file", "-")
        if done.status != 0 or not done.stdout.strip():
            raise OperationFailed("talosctl made no secrets", host=context.target, detail=done.stderr)
        kept = done.stdout
        context.say("new secrets were made; they are kept encrypted in RAIJIN_HOME")
    bundle.mask(kept)
    context.secrets.put(name, kept)


def _text(context: CallContext) -> str:
    name = bundle.bundle_secret(context.cluster)
    if not context.secrets.has(name):
        raise NotFound(f"the secrets of {context.cluster} are not kept here", remedy="use the RAIJIN_HOME that made it")
    kept = context.secrets.get(name)
    bundle.mask(kept)
    documents = bundle.filled(cast("list[Document]", context.arguments["config"]), kept)
    return yaml.safe_dump_all(documents, explicit_start=True, sort_keys=False)


async def _configured(context: CallContext) -> TalosConnection:
    """The machine with its configuration, running; applied only where there is none."""
    connection = await connection_to(context.pool, context.target)
    machine: Machine = await machine_at(connection)
    if machine.foreign:
        raise PlanRefused("it is configured by somebody else; reset it first", host=context.target)
    if machine.stage == "maintenance":
        with private_file(_text(context)) as path:
            words = ("apply-config", "--file", path)
            await connection.talosctl(*words, maintenance=True, timeout=REQUEST_SECONDS)
        context.say("it has its configuration, and installs itself")
    await _answers(context, connection)
    return connection


async def _answers(context: CallContext, connection: TalosConnection) -> None:
    """A control plane machine before the bootstrap never gets further than booting: it waits for etcd."""

    async def probe() -> str:
        try:
            machine = await machine_at(connection)
        except HostError as error:
            return error.message
        return "" if machine.stage in {"booting", "running"} else f"it is {machine.stage or 'starting'}"

    await _until(context, f"{context.target} to boot what was installed", probe, INSTALL_SECONDS)


async def _running(context: CallContext, connection: TalosConnection, seconds: float) -> None:
    async def probe() -> str:
        return await reachable(connection)

    await _until(context, f"{context.target} to run", probe, seconds)


async def _version(context: CallContext, connection: TalosConnection) -> None:
    wanted = context.text("version")

    async def probe() -> str:
        try:
            machine = await machine_at(connection)
        except HostError as error:
            return error.message
        if machine.version != wanted:
            return f"it still runs {machine.version}"
        return "" if machine.stage == "running" else f"it is {machine.stage}"

    await _until(context, f"{context.target} to run Talos {wanted}", probe, context.timeout)


async def _no_etcd(context: CallContext, host: str) -> None:
    """Raises PlanRefused when a member ever was started there, HostUnreachable when that cannot be known."""
    connection = await connection_to(context.pool, host)
    machine = await machine_at(connection)
    if machine.data:
        raise PlanRefused(
            f"{host} has data of etcd: a second cluster is never started beside it",
            host=context.target,
            remedy="apply again: the cluster is taken up where it is",
        )


async def _bootstrap(context: CallContext, connection: TalosConnection) -> None:
    words, seconds = ["bootstrap"], REQUEST_SECONDS
    if recovered := str(context.arguments.get("snapshot") or ""):
        words += ["--recover-from", str(await context.locate(recovered))]
        seconds = RECOVER_SECONDS

    async def probe() -> str:
        try:
            await connection.talosctl(*words, timeout=seconds)
        except (HostUnreachable, OperationFailed) as error:
            text = str(error.detail or "")
            if "AlreadyExists" in text:
                return ""
            if isinstance(error, HostUnreachable) or "FailedPrecondition" in text:
                return error.message  # not yet: it still boots, or its clock is not set
            raise
        return ""

    await _until(context, f"etcd to be bootstrapped on {context.target}", probe, context.timeout)


async def _api(context: CallContext) -> None:
    port, path = int(cast("int", context.arguments["port"])), context.text("kubeconfig")

    async def probe() -> str:
        try:
            async with open_cluster(context.pool, (context.target,), context.cluster, port=port, path=path) as kube:
                await kube.probe()
        except HostError as error:
            return error.message
        return ""

    await _until(context, f"the API server of {context.target} to answer", probe, context.timeout)


async def _until(context: CallContext, what: str, probe: Callable[[], Awaitable[str]], seconds: float) -> None:
    await until(
        what,
        probe,
        timeout=min(seconds, context.timeout),
        interval=2.0,
        host=context.target,
        on_wait=context.say,
        remedy=f"look at the machine's console, or `talosctl --nodes {context.target} dmesg`, then resume the run",
    )


HANDLERS: Handlers = {
    "talos.start": start,
    "talos.join": join,
    "talos.configure": configure,
    "talos.upgrade": upgrade,
    "talos.wait-version": wait_for_version,
    "talos.upgrade-k8s": upgrade_kubernetes,
    "talos.register": register,
    "talos.reset": reset,
    "talos.halt": halt,
    "talos.remove-member": etcd.remove_member,
    "talos.wait-member": etcd.wait_for_member,
}

BY_HAND = {
    "talos.start": "`talosctl gen secrets` (once per cluster; keep them safe), put them into this configuration, "
    "`talosctl apply-config --insecure --nodes {target} --file FILE`, and when it has booted, once and never again: "
    "`talosctl bootstrap --nodes {target}`. The configuration, with words for the secrets:",
    "talos.join": "`talosctl apply-config --insecure --nodes {target} --file FILE` with:",
    "talos.configure": "`talosctl apply-config --nodes {target} --file FILE` with:",
    "talos.upgrade": "`talosctl upgrade --nodes {target} --image ...`, with the image of:",
    "talos.wait-version": "Wait: `talosctl version --nodes {target}` says the new version, and its node is Ready",
    "talos.upgrade-k8s": "`talosctl upgrade-k8s --nodes CONTROL_PLANE --to VERSION`, with:",
    "talos.register": "`talosctl service kubelet restart --nodes {target}`",
    "talos.reset": "`talosctl reset --nodes {target} --graceful=false --reboot --system-labels-to-wipe STATE "
    "--system-labels-to-wipe EPHEMERAL`",
    "talos.halt": "`talosctl reset --nodes {target} --graceful=false --reboot --system-labels-to-wipe EPHEMERAL`",
    "talos.remove-member": "`talosctl etcd leave --nodes {target}`; if it is dead, on another one: `talosctl etcd "
    "members`, then `talosctl etcd remove-member ID`; never while another member does not answer",
    "talos.wait-member": "Wait: `talosctl etcd members` and `talosctl etcd status` show {target} as a voting member",
}

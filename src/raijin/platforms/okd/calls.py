"""Calls of the OKD platform: each asks before it acts, so that a run that was cut short goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from raijin.errors import HostError, KubernetesError, OperationFailed, PlanRefused
from raijin.observe.waiting import until
from raijin.plan.handlers import CallContext, Handlers
from raijin.platforms.calls import NOT_REGISTERED, node_fault
from raijin.platforms.okd import approval, assets, etcd, install, operators, upgrade
from raijin.platforms.okd.look import CONFIG_SERVER, KUBERNETES_PORTS, SSH, access_of, connection_to, server_of
from raijin.platforms.okd.offering import Offered, files_now, files_of, machines_of, offered
from raijin.platforms.okd.reach import open_api
from raijin.transport.okd import OkdAccess

if TYPE_CHECKING:
    from raijin.transport.kube import Kube

Document = dict[str, Any]
INTERVAL = 5.0
BOOTSTRAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bootstrap", "namespace": "kube-system"}}
"""Where the bootstrap machine says that it has ended (openshift/installer, waitForBootstrapConfigMap)."""
POWER_SECONDS = 300.0


async def start(context: CallContext) -> None:
    """okd.start: machines are offered their configuration until the control plane stands without the bootstrap."""
    kept = assets.required(context.secrets, context.cluster)
    if kept.complete:
        context.say("the cluster was started already")
        return
    if not await _ended(context):
        await install.still_good(context, kept)
        async with offered(context, machines_of(context), files_of(kept)) as files:
            await _bootstrapped(context, files, kept.kubeconfig)
    assets.keep(context.secrets, context.cluster, assets.completed(kept))
    context.say("the control plane stands without the bootstrap machine")


async def _ended(context: CallContext) -> bool:
    """Whether an earlier run got that far. Raises KubernetesError when another cluster answers in its place."""
    try:
        async with open_api(context) as kube:
            return await _bootstrap_fault(kube) == ""
    except KubernetesError as error:
        if not error.transient:
            raise
        return False


async def _bootstrap_fault(kube: Kube) -> str:
    found = await kube.get(BOOTSTRAP)
    status = ((found or {}).get("data") or {}).get("status", "")
    return "" if status == "complete" else "the bootstrap machine has not ended its work"


async def _door_fault(access: OkdAccess, kubeconfig: str) -> str:
    """What a load balancer lacks; empty where it takes connections, whoever is behind it."""
    host, port = server_of(kubeconfig)
    closed = sorted({port, CONFIG_SERVER} - await access.open_ports(host, (port, CONFIG_SERVER)))
    ports = " and ".join(map(str, closed))
    return f" (nobody takes connections at {host}, port {ports}: look at the load balancer)" if closed else ""


async def _bootstrapped(context: CallContext, files: Offered, kubeconfig: str) -> None:
    said = set[approval.Verdict]()

    async def probe() -> str:
        try:
            async with open_api(context) as kube:
                await _sign(context, kube, said)
                return await _bootstrap_fault(kube)
        except KubernetesError as error:
            if not error.transient:
                raise
            idle = f"; {', '.join(files.idle)} did not fetch its configuration yet" if files.idle else ""
            return f"the API does not answer yet{await _door_fault(access_of(context.pool), kubeconfig)}{idle}"

    await context.until(
        f"{context.cluster} to stand without its bootstrap machine",
        probe,
        interval=INTERVAL,
        remedy="look at `journalctl -u bootkube` on the bootstrap machine (ssh core@...), then resume the run",
    )


async def join(context: CallContext) -> None:
    """okd.join: a machine is offered its configuration until it is a node that is Ready; its requests are signed."""
    kept = assets.required(context.secrets, context.cluster)
    machines = machines_of(context)
    async with open_api(context) as kube:
        if await _member_fault(kube, context.target) == "":
            context.say("it is a node already")
            return
        files = await files_now(kube, kept)
    said = set[approval.Verdict]()
    async with offered(context, machines, files) as waiting:

        async def probe() -> str:
            async with open_api(context) as kube:
                await _sign(context, kube, said)
                fault = await _member_fault(kube, context.target)
            idle = waiting.idle and fault == NOT_REGISTERED
            return f"{fault}; it did not fetch its configuration yet" if idle else fault

        await context.until(
            f"{context.target} to be a node that is Ready",
            probe,
            interval=INTERVAL,
            host=context.target,
            remedy="look at the console of the machine and at `oc get csr`, then resume the run",
        )


async def _member_fault(kube: Kube, name: str) -> str:
    """What is missing until a node is Ready and the API reaches its kubelet; empty when nothing is."""
    fault = await node_fault(kube, name)
    if fault:
        return fault
    try:
        await kube.read(f"/api/v1/nodes/{name}/proxy/healthz")
    except KubernetesError as error:
        return f"its kubelet cannot be reached: {error.message}"
    return ""


async def _sign(context: CallContext, kube: Kube, said: set[approval.Verdict]) -> None:
    """Sign the requests of expected nodes, and say once what became of each. said: what was said in this call."""
    expected = cast("Mapping[str, Sequence[str]]", context.arguments["expected"])
    nodes = [str(node["metadata"]["name"]) for node in await kube.list_nodes()]
    for verdict in await approval.approve(kube, expected, nodes):
        if verdict in said:
            continue
        said.add(verdict)
        what = "serving" if verdict.serving else "client"
        if verdict.fault:
            context.say(f"the request {verdict.request} ({what}) is not signed: {verdict.fault}")
        else:
            context.say(f"the {what} certificate of {verdict.node} is signed ({verdict.request})")


async def complete(context: CallContext) -> None:
    """okd.complete: until the version is available and every operator is available, not progressing, not degraded."""
    said = set[approval.Verdict]()

    async def probe() -> str:
        async with open_api(context) as kube:
            await _sign(context, kube, said)
            fault = operators.version_fault(await kube.get(operators.VERSION))
            wrong = operators.operator_faults(await kube.items(operators.OPERATORS))
        return "; ".join([*([fault] if fault else []), *wrong[:4], *(["..."] if len(wrong) > 4 else [])])

    await context.until(
        f"the operators of {context.cluster} to be available",
        probe,
        interval=INTERVAL,
        remedy="look at `oc describe clusteroperator NAME` of those that are named, then resume the run",
    )


async def release(context: CallContext) -> None:
    """okd.release: the bootstrap machine has no part in the cluster any more; switched off where that is wanted."""
    kept = assets.required(context.secrets, context.cluster)
    if not kept.complete:
        raise PlanRefused("the control plane does not stand without it yet", host=context.target)
    if bool(context.arguments["power_off"]):
        await _switch_off(context, "test -e /opt/openshift/.bootkube.done")
    if not context.arguments["balanced"]:
        context.say(f"take {context.target} out of your load balancer now (ports 6443 and 22623)")
    assets.keep(context.secrets, context.cluster, replace(kept, released=True))
    context.say(f"{context.target} is free: wipe its disk before you use it for anything else")


async def shut_down(context: CallContext) -> None:
    """okd.shut-down: a machine that has left is switched off, so that its kubelet does not register it again."""
    connection = await connection_to(context.pool, context.target)
    if not await connection.access.open_ports(connection.address, (SSH, *KUBERNETES_PORTS)):
        context.say("it is off already")
        return
    await _switch_off(context, "test -e /etc/kubernetes/kubelet.conf -o -e /var/lib/kubelet/kubeconfig")

    async def probe() -> str:
        left = await connection.access.open_ports(connection.address, (SSH, *KUBERNETES_PORTS))
        return f"port {min(left)} still answers" if left else ""

    await until(f"{context.target} to be off", probe, timeout=POWER_SECONDS, host=context.target, on_wait=context.say)
    context.say("its disk keeps what it had: wipe it before it is switched on again in another role")


async def _switch_off(context: CallContext, proof: str) -> None:
    """proof: a shell condition by which the machine is known to be the one that is meant."""
    remedy = "switch it off by hand, then resume the run"
    try:
        connection = await context.pool.get(context.target)
        done = await connection.run(f"{proof} || exit 65\nsystemctl --no-block poweroff\n", timeout=60.0)
    except HostError as error:
        raise OperationFailed(
            f"it cannot be switched off: {error.message}", host=context.target, remedy=remedy, detail=error.detail
        ) from error
    if done.status == 65:
        raise PlanRefused("it is not the machine that it should be: it is left alone", host=context.target)
    if done.status != 0:
        text = f"it cannot be switched off (status {done.status})"
        raise OperationFailed(text, host=context.target, remedy=remedy, detail=done.stderr)


HANDLERS: Handlers = {
    "okd.assets": install.make_assets,
    "okd.start": start,
    "okd.join": join,
    "okd.complete": complete,
    "okd.release": release,
    "okd.shut-down": shut_down,
    **etcd.HANDLERS,
    **upgrade.HANDLERS,
}

BY_HAND = {
    "okd.assets": "Write install-config.yaml as below, `openshift-install create manifests`, set `mastersSchedulable` "
    "in manifests/cluster-scheduler-02-config.yml, put the further manifests into openshift/, then "
    "`openshift-install create ignition-configs`; they are good for 24 hours. With:",
    "okd.start": "Serve the .ign files by HTTP; boot each machine into the live system of CoreOS and `coreos-installer "
    "install DISK --ignition-url=URL --ignition-hash=sha512-...`; `openshift-install wait-for bootstrap-complete`. "
    "With:",
    "okd.join": "Boot {target} with its .ign file; `oc get csr`, then `oc adm certificate approve NAME` for those of "
    "{target} alone, twice: for its client, and for its serving certificate",
    "okd.complete": "`openshift-install wait-for install-complete`; `oc get clusteroperators` shows True, False, False",
    "okd.release": "Switch {target} off, or wipe it: the cluster does not need it any more",
    "okd.shut-down": "`ssh core@{target} sudo systemctl poweroff`; wipe its disk before you switch it on again",
    **etcd.BY_HAND,
    **upgrade.BY_HAND,
}

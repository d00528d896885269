"""etcd of an OKD cluster, asked by `oc exec` in its pods; its operator adds members, dead ones are taken out here.

Source: "Replacing an unhealthy etcd member" of the OKD documentation, for a machine that is not running: the member is
removed, the quorum guard is off until a new one votes, the node and the secrets of the member go.
"""

from __future__ import annotations

from collections.abc import Sequence

from raijin.errors import DeadlineExceeded, HostError, KubernetesError, NotFound, PlanRefused
from raijin.facts.etcd import EtcdState
from raijin.plan.handlers import CallContext, Handlers
from raijin.platforms.calls import NODE
from raijin.platforms.etcd import first_answer, require_removable, until_state, vote_fault
from raijin.platforms.okd.look import KUBERNETES_PORTS, connection_to
from raijin.platforms.okd.reach import open_api
from raijin.transport.base import Completed
from raijin.transport.okd import OkdConnection
from raijin.transport.pool import Pool

NAMESPACE = "openshift-etcd"
OPERATOR = {"apiVersion": "operator.openshift.io/v1", "kind": "Etcd", "metadata": {"name": "cluster"}}
GUARD = "useUnsupportedUnsafeNonHANonProductionUnstableEtcd"
SECRETS = ("etcd-peer", "etcd-serving", "etcd-serving-metrics")
# The container `etcdctl` of these pods has endpoints and certificates in its environment.
QUESTION = (
    "etcdctl member list -w json || echo null; etcdctl endpoint status --cluster -w json 2>/dev/null || :; echo; "
    "etcdctl alarm list -w json || echo null"
)
SECONDS = 60.0


async def _exec(connection: OkdConnection, host: str, command: str) -> Completed:
    words = ("exec", "-n", NAMESPACE, f"etcd-{host}", "-c", "etcdctl", "--", "sh", "-c", command)
    return await connection.access.oc(*words, timeout=SECONDS)


async def ask(pool: Pool, hosts: Sequence[str]) -> tuple[EtcdState, str]:
    """The members, and the host that told. Raises KubernetesError when none of the hosts can tell."""

    async def question(host: str) -> Completed:
        return await _exec(await connection_to(pool, host), host, QUESTION)

    return await first_answer(
        hosts,
        question,
        passing=(HostError, DeadlineExceeded, NotFound),
        remedy="look at `oc get pods -n openshift-etcd`, or restore a backup by hand",
    )


async def remove_member(context: CallContext) -> None:
    """okd.remove-member: the member of a machine that is off, its node and its secrets; never one that still runs."""
    hosts, address = context.texts("hosts"), context.text("address")
    others = tuple(host for host in hosts if host != context.target)
    state, host = await ask(context.pool, others)
    member = state.at(address)
    if member is not None:
        require_removable(state, member, context.target)
    await _is_off(context, running=member is not None and member.healthy)
    async with open_api(context) as kube:
        await kube.patch(OPERATOR, {"spec": {"unsupportedConfigOverrides": {GUARD: True}}})
        if member is not None:
            done = await _exec(await connection_to(context.pool, host), host, f"etcdctl member remove {member.id}")
            if done.status != 0:
                raise KubernetesError(f"etcd did not take {member.id} out", host=context.target, detail=done.stderr)
            context.say(f"its etcd member {member.id} is out; {len(state.members) - 1} are left")
        await kube.delete({**NODE, "metadata": {"name": context.target}})
        for name in SECRETS:
            metadata = {"name": f"{name}-{context.target}", "namespace": NAMESPACE}
            await kube.delete({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
    context.say("the quorum guard of etcd is off until a new member votes")


async def _is_off(context: CallContext, *, running: bool) -> None:
    """The operator adds the member of a machine that runs again, whoever takes it out. Raises PlanRefused."""
    connection = await connection_to(context.pool, context.target)
    if running or await connection.access.open_ports(connection.address, KUBERNETES_PORTS):
        raise PlanRefused(
            f"{context.target} still runs, and OKD's etcd operator would add its member again",
            host=context.target,
            remedy=f"`ssh core@{context.target} sudo systemctl poweroff`, then apply again",
        )


async def wait_for_member(context: CallContext) -> None:
    """okd.wait-member: until the member of one host votes and all answer; then the quorum guard is on again."""
    hosts, address = context.texts("hosts"), context.text("address")
    await until_state(
        context,
        lambda: ask(context.pool, hosts),
        lambda state: vote_fault(state, address),
        f"the etcd member of {context.target} to vote",
        remedy="look at `oc get clusteroperator etcd` and at the pods of openshift-etcd, then resume the run",
    )
    async with open_api(context) as kube:
        live = await kube.get(OPERATOR) or {}
        if GUARD in (live.get("spec", {}).get("unsupportedConfigOverrides") or {}):
            await kube.patch(OPERATOR, {"spec": {"unsupportedConfigOverrides": None}})
            context.say("the quorum guard of etcd is on again")


HANDLERS: Handlers = {
    "okd.remove-member": remove_member,
    "okd.wait-member": wait_for_member,
}

BY_HAND = {
    "okd.remove-member": "With {target} off: `oc rsh -n openshift-etcd -c etcdctl etcd-OTHER etcdctl member list`, "
    "then `etcdctl member remove ID`; `oc patch etcd/cluster` as the documentation says (the quorum guard); `oc delete "
    "node {target}`; delete the secrets etcd-peer-, etcd-serving-, etcd-serving-metrics-{target} of openshift-etcd",
    "okd.wait-member": "Wait: `oc rsh -n openshift-etcd -c etcdctl etcd-{target} etcdctl endpoint health` is well for "
    "all; then take `unsupportedConfigOverrides` out of etcd/cluster again",
}

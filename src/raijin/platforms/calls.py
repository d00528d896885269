"""Calls that hold for every platform: nodes labelled, drained, deleted, waited for; documents applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from raijin.errors import KubernetesError
from raijin.facts.cluster import LABELS_NOTE, PART_LABEL, PRUNED_KINDS, TAINTS_NOTE, node_state
from raijin.plan.handlers import CallContext, Handlers
from raijin.platforms import authorities, certificates, etcd, keys, restarting, rollout
from raijin.platforms.access import open_access, open_cluster, read_kubeconfig
from raijin.platforms.drain import drain, uncordon
from raijin.platforms.kubeconfig import kubeconfig_secret, renamed
from raijin.transport.document import Document, describe, is_custom

if TYPE_CHECKING:
    from raijin.transport.kube import Kube

NODE = {"apiVersion": "v1", "kind": "Node"}
NOT_REGISTERED = "the node has not registered yet"


async def apply_documents(context: CallContext) -> None:
    """kube.apply: server-side apply of `documents`, in their order."""
    documents = cast("list[Document]", context.arguments["documents"])
    async with open_access(context) as kube:
        for document in documents:
            if is_custom(document["apiVersion"]):
                await _until_served(kube, document, context)
            context.say(f"applying {describe(document)}")
            await kube.apply(document)


async def _until_served(kube: Kube, document: Document, context: CallContext) -> None:
    """A kind that one of the documents before has defined takes a moment until the API knows it."""

    async def probe() -> str:
        return "" if await kube.serves(document) else "the API does not know it yet"

    what = f"the kind {document['kind']} of {document['apiVersion']}"
    await context.until(what, probe)


async def prune(context: CallContext) -> None:
    """kube.prune: objects of a part that are no longer wanted. Only kinds of the fixed list, only with its label."""
    async with open_access(context) as kube:
        for document in cast("list[Document]", context.arguments["objects"]):
            if (document["apiVersion"], document["kind"]) not in PRUNED_KINDS:
                raise KubernetesError(f"{describe(document)} is of a kind that is never pruned", host=kube.cluster)
            live = await kube.get(document)
            if live is None:
                continue
            if live["metadata"].get("labels", {}).get(PART_LABEL) != context.text("part"):
                context.say(f"{describe(document)} stays: somebody has taken it over")
                continue
            context.say(f"deleting {describe(document)}")
            await kube.delete(document)


async def label_node(context: CallContext) -> None:
    """kube.label: the labels and taints that a node shall have; those that Raijin gave before and no longer are, go."""
    labels = cast("dict[str, str]", context.arguments["labels"])
    taints = cast("list[dict[str, str]]", context.arguments["taints"])
    async with open_access(context) as kube:

        async def probe() -> str:
            live = await kube.get({**NODE, "metadata": {"name": context.target}})
            if live is None:
                return NOT_REGISTERED
            await kube.patch_node(context.target, node_patch(live, labels, taints))
            return ""

        await context.until(f"node {context.target}", probe)


def node_patch(live: Document, labels: dict[str, str], taints: list[dict[str, str]]) -> Document:
    """The merge patch that makes a node's labels and taints so, leaving alone what others set."""
    notes = live["metadata"].get("annotations", {})
    gone = {key: None for key in notes.get(LABELS_NOTE, "").split(",") if key and key not in labels}
    owned = {tuple(item.split(":", 1)) for item in notes.get(TAINTS_NOTE, "").split(",") if item}
    ours = {(taint["key"], taint["effect"]) for taint in taints}
    others = [
        taint
        for taint in live.get("spec", {}).get("taints") or []
        if (taint["key"], taint["effect"]) not in owned | ours
    ]
    annotations = {
        LABELS_NOTE: ",".join(sorted(labels)) or None,
        TAINTS_NOTE: ",".join(sorted(f"{key}:{effect}" for key, effect in ours)) or None,
    }
    return {
        "metadata": {"labels": {**gone, **labels}, "annotations": annotations},
        "spec": {"taints": [*others, *taints] or None},
    }


async def node_fault(kube: Kube, name: str) -> str:
    """Why a node is not Ready; empty when it is."""
    live = await kube.get({**NODE, "metadata": {"name": name}})
    return NOT_REGISTERED if live is None else node_state(live).reason


async def wait_for_node(context: CallContext) -> None:
    """kube.wait-node: until the node is Ready."""
    async with open_access(context) as kube:
        await context.until(
            f"node {context.target} to be Ready",
            lambda: node_fault(kube, context.target),
            host=context.target,
            remedy="look at `journalctl -u kubelet` and at the pods of kube-system on that node",
        )


async def wait_for_version(context: CallContext) -> None:
    """kube.wait-version: until the node is Ready and its kubelet is of a version."""
    wanted = context.text("version")
    async with open_access(context) as kube:

        async def probe() -> str:
            live = await kube.get({**NODE, "metadata": {"name": context.target}})
            if live is None:
                return NOT_REGISTERED
            state = node_state(live)
            return state.reason or ("" if state.version == wanted else f"its kubelet still reports {state.version}")

        await context.until(
            f"node {context.target} to be Ready with {wanted}",
            probe,
            host=context.target,
            remedy="look at `journalctl -u kubelet` on that node, then resume the run",
        )


async def return_node(context: CallContext) -> None:
    """kube.return-node: when the node is Ready, pods may come back to it."""
    await wait_for_node(context)
    async with open_access(context) as kube:
        await uncordon(kube, context.target, say=context.say)


async def wait_for_api(context: CallContext) -> None:
    """kube.wait-api: until the API server of one control plane host answers, whatever the others do."""
    port, path = int(cast("int", context.arguments["port"])), context.text("kubeconfig")

    async def probe() -> str:
        async with open_cluster(context.pool, (context.target,), context.cluster, port=port, path=path) as kube:
            await kube.probe()
        return ""

    await context.until(
        f"the API server of {context.target} to answer",
        probe,
        interval=1.0,
        host=context.target,
        remedy="look at the kube-apiserver and etcd containers of that host (crictl logs), then resume the run",
    )


async def drain_node(context: CallContext) -> None:
    """kube.drain: cordon, then evict through the eviction API; on failure the node is uncordoned again."""
    async with open_access(context) as kube:
        await drain(
            kube,
            context.target,
            timeout=context.timeout,
            force=bool(context.arguments.get("force")),
            say=context.say,
        )


async def delete_node(context: CallContext) -> None:
    """kube.delete-node: the node object, and with it what the garbage collector takes."""
    async with open_access(context) as kube:
        if not await kube.delete({**NODE, "metadata": {"name": context.target}}):
            context.say("the node object is gone already")


async def fetch_kubeconfig(context: CallContext) -> None:
    """cluster.kubeconfig: into the secret store, with the address that people reach the API under."""
    text = await read_kubeconfig(context.pool, context.target, context.text("kubeconfig"))
    context.secrets.put(kubeconfig_secret(context.cluster), renamed(text, context.cluster, context.text("endpoint")))


async def forget_member(context: CallContext) -> None:
    """raijin.forget: the host is no longer part of the cluster."""
    context.members.forget(context.cluster, context.target)
    for name in context.texts("secrets"):
        context.secrets.delete(name)


async def quarantine_member(context: CallContext) -> None:
    """raijin.quarantine: later plans leave the host alone, until it is released."""
    context.members.quarantine(context.cluster, context.target, context.text("reason"))


# What a call means in kubectl's words, for hands. {target} is the step's node.
BY_HAND = {
    **etcd.BY_HAND,
    **rollout.BY_HAND,
    **certificates.BY_HAND,
    **keys.BY_HAND,
    **authorities.BY_HAND,
    **restarting.BY_HAND,
    "kube.apply": "Apply these documents:",
    "kube.prune": "`kubectl delete` each of these objects:",
    "kube.label": "`kubectl label node {target} --overwrite ...` and `kubectl taint node {target} ...`, with:",
    "kube.wait-node": "Wait: `kubectl wait --for=condition=Ready node/{target} --timeout=30m`",
    "kube.wait-version": "Wait until `kubectl get node {target}` shows it Ready with the new version",
    "kube.wait-api": "Wait until the API server of {target} answers: `curl -k https://127.0.0.1:6443/readyz` there",
    "kube.return-node": "When {target} is Ready: `kubectl uncordon {target}`",
    "kube.drain": "`kubectl drain {target} --ignore-daemonsets --delete-emptydir-data`; if it fails: "
    "`kubectl uncordon {target}` and stop here",
    "kube.delete-node": "`kubectl delete node {target}`",
    "cluster.kubeconfig": "Copy the administrator's kubeconfig of {target} to your machine, readable by you alone",
    "raijin.forget": "Take {target} out of your own notes",
    "raijin.quarantine": "Do not switch {target} on before `raijin cluster reset {target}` can wipe it",
}

HANDLERS: Handlers = {
    **etcd.HANDLERS,
    **rollout.HANDLERS,
    **certificates.HANDLERS,
    **keys.HANDLERS,
    **authorities.HANDLERS,
    **restarting.HANDLERS,
    "kube.apply": apply_documents,
    "kube.prune": prune,
    "kube.label": label_node,
    "kube.wait-node": wait_for_node,
    "kube.wait-version": wait_for_version,
    "kube.wait-api": wait_for_api,
    "kube.return-node": return_node,
    "kube.drain": drain_node,
    "kube.delete-node": delete_node,
    "cluster.kubeconfig": fetch_kubeconfig,
    "raijin.forget": forget_member,
    "raijin.quarantine": quarantine_member,
}

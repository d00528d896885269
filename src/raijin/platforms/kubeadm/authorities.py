"""Calls of a rotation of authorities: the new ones made or found, and what the cluster tells of them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import yaml

from raijin.errors import OperationFailed
from raijin.observe.masking import MASKER
from raijin.operations.stamps import command_marker
from raijin.plan.handlers import CallContext, Handlers
from raijin.platforms.access import open_access
from raijin.platforms.authorities import forget_others, has_files
from raijin.platforms.kubeadm.certificates import period_days
from raijin.platforms.kubeadm.paths import ROTATION
from raijin.platforms.kubeadm.rotation import ETCD_CA, FILES, FRONT_PROXY_CA, KUBERNETES_CA
from raijin.platforms.turns import MARKER, authority_secret

if TYPE_CHECKING:
    from raijin.transport.base import Connection
    from raijin.transport.kube import Kube

COMMON_NAMES = {KUBERNETES_CA: "kubernetes", ETCD_CA: "etcd-ca", FRONT_PROXY_CA: "front-proxy-ca"}
"""As kubeadm calls them (phases/certs)."""
VALID_DAYS = 3650.0
_END = "-----END CERTIFICATE-----\n"
_CLUSTER_INFO = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "cluster-info", "namespace": "kube-public"},
}
_AUTHENTICATION = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "extension-apiserver-authentication", "namespace": "kube-system"},
}
"""Where API servers tell aggregated ones whom they may trust; each adds what it has, and none takes anything out."""


async def make_authorities(context: CallContext) -> None:
    """kubeadm.authorities: those that wait on a host, else those that are kept here, else new ones; and all texts."""
    rotation, hosts = context.text("rotation"), context.texts("hosts")
    wanted = context.texts("authorities")
    connections = [await context.pool.get(host) for host in hosts]
    forget_others(context, rotation)
    for name in wanted:
        certificate, key = await _new_one(context, connections, rotation, name)
        MASKER.add(key)
        held = await _held(connections, name, certificate)
        if not held:
            held = [certificate]
        texts = {
            "key": key,
            "new": certificate,
            "old": held[0],
            "both": "".join((*held, certificate)),
            "turned": "".join((certificate, *held)),
        }
        for part, text in texts.items():
            context.secrets.put(authority_secret(context.cluster, rotation, name, part), text)
    context.say(f"the new authorities are kept here until the rotation has ended: {', '.join(wanted)}")


async def _new_one(context: CallContext, connections: list[Connection], rotation: str, name: str) -> tuple[str, str]:
    """Certificate and key, as PEM."""
    for connection in connections:
        paths = (
            command_marker(f"{MARKER}{rotation}"),
            f"{ROTATION}/{name}.crt",
            f"{ROTATION}/{name}.key",
        )
        if await has_files(connection, *paths):
            return await _text(connection, paths[1]), await _text(connection, paths[2])
    kept = [authority_secret(context.cluster, rotation, name, part) for part in ("new", "key")]
    if all(context.secrets.has(one) for one in kept):
        return context.secrets.get(kept[0]), context.secrets.get(kept[1])
    if not await has_files(connections[0], f"{FILES[name]}.key"):
        raise OperationFailed(
            f"the key of the authority {name} is not on this host: it is kept outside of the cluster",
            host=context.texts("hosts")[0],
            remedy="replace it where it is kept, after 'Manual Rotation of CA Certificates' of kubernetes.io",
        )
    from raijin.platforms.signing import new_root  # noqa: PLC0415  (plans import this module, and sign nothing)

    return new_root(COMMON_NAMES[name], context.text("algorithm"), period_days(context.text("validity"), VALID_DAYS))


async def _held(connections: list[Connection], name: str, new: str) -> list[str]:
    """The authorities that are to be replaced, as a host has them; none when all hosts have forgotten them."""
    for connection in connections:
        every = _split(await _text(connection, f"{FILES[name]}.crt"))
        if old := [one for one in every if one != new]:
            return old
    return []


def _split(pem: str) -> list[str]:
    """One text for each certificate."""
    parts = pem.split("-----BEGIN CERTIFICATE-----")[1:]
    return [f"-----BEGIN CERTIFICATE-----{part.split(_END.strip())[0]}{_END}" for part in parts]


async def _text(connection: Connection, path: str) -> str:
    """Empty where there is no such file. Raises HostError."""
    if not await has_files(connection, path):
        return ""
    text = (await connection.read(path)).decode()
    if "PRIVATE KEY" in text:
        MASKER.add(text)
    return text


async def publish(context: CallContext) -> None:
    """kubeadm.publish: who joins is told of the authorities, and pods and aggregated API servers are, before we go on.

    The controller manager gives pods what lies in its root-ca-file (ConfigMap kube-root-ca.crt of each namespace).
    """
    names, part = context.texts("authorities"), context.text("text")
    texts = {
        name: context.secrets.get(authority_secret(context.cluster, context.text("rotation"), name, part))
        for name in names
    }
    async with open_access(context) as kube:
        if KUBERNETES_CA in texts:
            await _tell_who_joins(kube, texts[KUBERNETES_CA])
            await _until_pods_are_told(context, kube, texts[KUBERNETES_CA])
        if part == "new":
            fields = {KUBERNETES_CA: "client-ca-file", FRONT_PROXY_CA: "requestheader-client-ca-file"}
            data = {fields[name]: text for name, text in texts.items() if name in fields}
            if data and await kube.get(_AUTHENTICATION) is not None:
                await kube.patch(_AUTHENTICATION, {"data": data})


async def _tell_who_joins(kube: Kube, authorities: str) -> None:
    """The signatures beside it are made anew by the controller manager."""
    live = await kube.get(_CLUSTER_INFO)
    text = ((live or {}).get("data") or {}).get("kubeconfig")
    if not text:
        return  # the cluster lets nobody in by a token
    document: dict[str, Any] = yaml.safe_load(text)
    for entry in document["clusters"]:
        entry["cluster"]["certificate-authority-data"] = base64.b64encode(authorities.encode()).decode()
    await kube.patch(_CLUSTER_INFO, {"data": {"kubeconfig": yaml.safe_dump(document, sort_keys=False)}})


async def _until_pods_are_told(context: CallContext, kube: Kube, authorities: str) -> None:
    wanted = sorted(_split(authorities))

    async def probe() -> str:
        found = await kube.items("/api/v1/configmaps", fieldSelector="metadata.name=kube-root-ca.crt")
        late = [
            one["metadata"]["namespace"]
            for one in found
            if sorted(_split((one.get("data") or {}).get("ca.crt", ""))) != wanted
        ]
        if not found:
            return "no namespace has its ConfigMap kube-root-ca.crt yet"
        return f"{', '.join(late[:5])}{' and others' if len(late) > 5 else ''} still tell the old ones" if late else ""

    await context.until(
        "the controller manager to tell pods of the authorities",
        probe,
        interval=1.0,
        remedy="look at the log of kube-controller-manager (root-ca-certificate-publisher), then resume the run",
    )


HANDLERS: Handlers = {"kubeadm.authorities": make_authorities, "kubeadm.publish": publish}
BY_HAND = {
    "kubeadm.authorities": "Make a new key and certificate for each authority: `kubeadm init phase certs ca` "
    "(`etcd-ca`, `front-proxy-ca`) with another `certificatesDir`; keep them where only you can read them",
    "kubeadm.publish": "`kubectl -n kube-public edit configmap cluster-info` (certificate-authority-data), then wait "
    "until `kubectl get configmap kube-root-ca.crt -A` has these authorities; at the end take the old ones out of "
    "`kubectl -n kube-system edit configmap extension-apiserver-authentication`",
}

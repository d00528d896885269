"""Calls of the kubeadm platform: join tokens made and taken back, the kubeconfig fetched."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
import string
from typing import Any, cast

import yaml

from raijin.errors import KubernetesError
from raijin.observe.masking import MASKER
from raijin.plan.handlers import CallContext, Handlers
from raijin.platforms.access import ca_certificate, ca_hash, open_cluster, read_kubeconfig
from raijin.platforms.kubeadm.members import join_secret, kubeconfig_secret
from raijin.transport.kube import Document

_ALPHABET = string.ascii_lowercase + string.digits
TOKEN_GROUP = "system:bootstrappers:kubeadm:default-node-token"  # noqa: S105  (a group's name, not a token)


def new_token() -> str:
    """A bootstrap token: `[a-z0-9]{6}.[a-z0-9]{16}` (Kubernetes: bootstrap tokens, token format)."""
    identity, secret = ("".join(secrets.choice(_ALPHABET) for _ in range(size)) for size in (6, 16))
    return f"{identity}.{secret}"


def token_document(token: str, ttl_minutes: int, purpose: str) -> Document:
    """The Secret that makes a bootstrap token valid, until it expires."""
    identity, secret = token.split(".")
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=ttl_minutes)
    fields = {
        "token-id": identity,
        "token-secret": secret,
        "description": purpose,
        "expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "usage-bootstrap-authentication": "true",
        "usage-bootstrap-signing": "true",
        "auth-extra-groups": TOKEN_GROUP,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "bootstrap.kubernetes.io/token",
        "metadata": {"name": f"bootstrap-token-{identity}", "namespace": "kube-system"},
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in fields.items()},
    }


def parsed(kubeconfig: str) -> dict[str, Any]:
    content = yaml.safe_load(kubeconfig)
    if not isinstance(content, dict):
        raise KubernetesError("the kubeconfig is not a mapping")
    return content


async def make_token(context: CallContext) -> None:
    """kubeadm.token: one token for the hosts that join now; each host's join document goes to the secret store."""
    hosts = context.texts("control_planes")
    documents = cast("dict[str, Document]", context.arguments["documents"])
    kubeconfig = parsed(await read_kubeconfig(context.pool, hosts[0]))
    token = new_token()
    MASKER.add(token)
    port = int(cast("int", context.arguments["port"]))
    ttl = int(cast("int", context.arguments["ttl_minutes"]))
    async with open_cluster(context.pool, hosts, context.cluster, port=port) as kube:
        await kube.apply(token_document(token, ttl, f"made by Raijin for {', '.join(documents)}"))
    discovery = {
        "bootstrapToken": {
            "apiServerEndpoint": context.text("endpoint"),
            "token": token,
            "caCertHashes": [ca_hash(ca_certificate(kubeconfig))],
        }
    }
    for host, document in documents.items():
        context.secrets.put(join_secret(context.cluster, host), yaml.safe_dump({**document, "discovery": discovery}))
    context.secrets.put(f"cluster/{context.cluster}/token-id", token.split(".")[0])
    context.say(f"a join token is valid for {ttl} minutes")


async def revoke_token(context: CallContext) -> None:
    """kubeadm.revoke: the token has served; it and the documents that hold it go."""
    name = f"cluster/{context.cluster}/token-id"
    if context.secrets.has(name):
        identity = context.secrets.get(name)
        document = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"bootstrap-token-{identity}", "namespace": "kube-system"},
        }
        port = int(cast("int", context.arguments["port"]))
        async with open_cluster(context.pool, context.texts("control_planes"), context.cluster, port=port) as kube:
            await kube.delete(document)
        context.secrets.delete(name)
    for secret in context.secrets.names(f"cluster/{context.cluster}/join/"):
        context.secrets.delete(secret)


async def fetch_kubeconfig(context: CallContext) -> None:
    """kubeadm.kubeconfig: into the secret store, with the address that people reach the API under."""
    text = await read_kubeconfig(context.pool, context.target)
    context.secrets.put(kubeconfig_secret(context.cluster), renamed(text, context.cluster, context.text("endpoint")))


def renamed(kubeconfig: str, cluster: str, endpoint: str) -> str:
    """The same credentials under names that do not collide in a merged file (kubeadm calls every cluster alike)."""
    content = yaml.safe_load(kubeconfig)
    try:
        inner = {**content["clusters"][0]["cluster"], "server": f"https://{endpoint}"}
        user = content["users"][0]["user"]
    except (KeyError, IndexError, TypeError) as error:
        raise KubernetesError(f"the kubeconfig of {cluster} has an unknown form") from error
    admin = f"{cluster}-admin"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": inner}],
        "users": [{"name": admin, "user": user}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": admin}}],
        "current-context": cluster,
    }
    return yaml.safe_dump(document, sort_keys=False)


HANDLERS: Handlers = {
    "kubeadm.token": make_token,
    "kubeadm.revoke": revoke_token,
    "kubeadm.kubeconfig": fetch_kubeconfig,
}

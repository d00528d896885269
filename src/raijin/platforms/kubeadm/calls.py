"""Calls of the kubeadm platform: a host let in, and the door closed after it."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
import string
from typing import TYPE_CHECKING, cast

import yaml

from raijin.errors import NotFound, OperationFailed
from raijin.observe.masking import MASKER
from raijin.plan.handlers import CallContext, Handlers
from raijin.platforms.access import open_access, open_cluster, read_kubeconfig
from raijin.platforms.addresses import api_endpoint
from raijin.platforms.base import Context
from raijin.platforms.kubeadm import authorities
from raijin.platforms.kubeadm.certificates import client_secret
from raijin.platforms.kubeadm.members import join_secret
from raijin.platforms.kubeadm.paths import ADMIN_CONF, CONFIG_FILE
from raijin.platforms.kubeconfig import ca_certificate, ca_hash, parsed, private_part
from raijin.transport.document import Document
from raijin.transport.pool import Pool
from raijin.transport.quoting import word
from raijin.transport.yamls import write_yaml

if TYPE_CHECKING:
    from raijin.transport.kube import Kube

_ALPHABET = string.ascii_lowercase + string.digits
TOKEN_GROUP = "system:bootstrappers:kubeadm:default-node-token"  # noqa: S105  (a group's name, not a token)
CERTIFICATES = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "kubeadm-certs", "namespace": "kube-system"}}
"""Where kubeadm keeps the certificates, encrypted with the certificate key, for the control plane hosts that join."""


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


def token_secret(cluster: str, host: str) -> str:
    """The name under which the id of a host's token is kept, so that it can be taken back."""
    return f"cluster/{cluster}/token/{host}"


async def admit(context: CallContext) -> None:
    """kubeadm.admit: a token for one host; its join document goes to the secret store.

    A control plane host gets the certificates too: kubeadm puts them into the cluster for two hours, encrypted with a
    key of this host's own (kubeadm init, phase upload-certs).
    """
    door = context.text("door")
    kubeconfig = parsed(await read_kubeconfig(context.pool, door, ADMIN_CONF))
    document = dict(cast("Document", context.arguments["document"]))
    if upload := context.arguments.get("upload"):
        document["controlPlane"] = {
            **document["controlPlane"],
            "certificateKey": await upload_certificates(context, door, cast("list[Document]", upload)),
        }
    token = new_token()
    MASKER.add(token)
    ttl = int(cast("int", context.arguments["ttl_minutes"]))
    # Kept before the token exists: whatever happens next, there is a name to take it back by.
    context.secrets.put(token_secret(context.cluster, context.target), token.split(".")[0])
    async with open_access(context) as kube:
        await kube.apply(token_document(token, ttl, f"made by Raijin for {context.target}"))
    document["discovery"] = {
        "bootstrapToken": {
            "apiServerEndpoint": context.text("endpoint"),
            "token": token,
            "caCertHashes": [ca_hash(ca_certificate(kubeconfig))],
        }
    }
    context.secrets.put(join_secret(context.cluster, context.target), write_yaml(document))
    context.say(f"a join token is valid for {ttl} minutes")


async def upload_certificates(context: CallContext, host: str, documents: list[Document]) -> str:
    """Put the cluster's certificates into the cluster, encrypted with a new key. Returns the key (64 hex digits)."""
    key = secrets.token_hex(32)
    MASKER.add(key)
    init, *others = documents
    text = yaml.safe_dump_all([{**init, "certificateKey": key}, *others], explicit_start=True)
    connection = await context.pool.get(host)
    # From standard input: the key is in no file and in no command line of the host.
    done = await connection.run(
        f"printf '%s' {word(text)} | kubeadm init phase upload-certs --upload-certs --config /dev/stdin\n",
        timeout=context.timeout,
    )
    if done.status != 0:
        raise OperationFailed(
            f"the certificates could not be put into the cluster (status {done.status})",
            host=host,
            remedy="see the output of kubeadm, then resume the run",
            detail=done.stderr or done.stdout[-2000:],
        )
    return key


async def revoke(context: CallContext) -> None:
    """kubeadm.revoke: the token of a host has served, or its join has failed: it goes, and what it opened."""
    name = token_secret(context.cluster, context.target)
    async with open_access(context) as kube:
        if context.secrets.has(name):
            identity = context.secrets.get(name)
            metadata = {"name": f"bootstrap-token-{identity}", "namespace": "kube-system"}
            await kube.delete({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
        if context.arguments.get("certificates"):
            await remove_certificates(kube)
    context.secrets.delete(join_secret(context.cluster, context.target))
    context.secrets.delete(name)


async def remove_certificates(kube: Kube) -> None:
    """The certificates that were put into the cluster go, and the token that owns them and would have ended them."""
    live = await kube.get(CERTIFICATES)
    if live is None:
        return
    await kube.delete(CERTIFICATES)
    for owner in live["metadata"].get("ownerReferences") or []:
        metadata = {"name": owner["name"], "namespace": "kube-system"}
        await kube.delete({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})


async def readmit(context: CallContext) -> None:
    """kubeadm.readmit: a client certificate for the kubelet of a node whose own has expired; to the secret store.

    After "Kubelet client certificate rotation fails" of kubernetes.io. Needs no API: the authority signs on its host.
    """
    door, name = context.text("door"), word(f"system:node:{context.target}")
    command = f"kubeadm kubeconfig user --org system:nodes --client-name {name} --config {CONFIG_FILE}\n"
    connection = await context.pool.get(door)
    done = await connection.run(command, timeout=context.timeout)
    if done.status != 0:
        raise OperationFailed(
            f"kubeadm made no certificate for {context.target} (status {done.status})",
            host=door,
            remedy="see the output of kubeadm, then resume the run",
            detail=done.stderr,
        )
    MASKER.add(private_part(done.stdout))
    user = parsed(done.stdout)["users"][0]["user"]
    parts = [base64.b64decode(user[f"client-{part}-data"]).decode() for part in ("certificate", "key")]
    MASKER.add(parts[1])
    context.secrets.put(client_secret(context.cluster, context.target), "".join(parts))


async def discard(context: CallContext) -> None:
    """kubeadm.discard: the kubelet has its certificate, or will be given another one."""
    context.secrets.delete(client_secret(context.cluster, context.target))


async def join_command(pool: Pool, context: Context, ttl_minutes: int) -> str:
    """A `kubeadm join` line with a fresh token, for a worker that Raijin does not manage."""
    cluster, hosts = context.cluster, [node.name for node in context.started]
    if not hosts:
        raise NotFound(f"{cluster.name} is not running: there is nothing to join", remedy="apply the definition first")
    kubeconfig = parsed(await read_kubeconfig(pool, hosts[0], ADMIN_CONF))
    token = new_token()
    port = cluster.kubernetes.api_server_port
    async with open_cluster(pool, hosts, cluster.name, port=port, path=ADMIN_CONF) as kube:
        await kube.apply(token_document(token, ttl_minutes, "made by raijin worker join-command"))
    digest = ca_hash(ca_certificate(kubeconfig))
    return f"kubeadm join {api_endpoint(context)} --token {token} --discovery-token-ca-cert-hash {digest}"


HANDLERS: Handlers = {
    **authorities.HANDLERS,
    "kubeadm.admit": admit,
    "kubeadm.revoke": revoke,
    "kubeadm.readmit": readmit,
    "kubeadm.discard": discard,
}

BY_HAND = {
    **authorities.BY_HAND,
    "kubeadm.admit": "On a control plane host: `kubeadm token create --ttl 30m --print-join-command` (to join a "
    "control plane also `kubeadm init phase upload-certs --upload-certs`)",
    "kubeadm.revoke": "On a control plane host: `kubeadm token list`, then `kubeadm token delete TOKEN`",
    "kubeadm.readmit": "On a control plane host: `kubeadm kubeconfig user --org system:nodes --client-name "
    "system:node:{target} --config /etc/kubernetes/raijin/kubeadm.yaml`; certificate and key of it, decoded, go to "
    "/var/lib/kubelet/pki/kubelet-client-raijin.pem of {target}",
    "kubeadm.discard": "Delete your copy of the certificate and key of {target}",
}

"""What the API server reads beside its flags: the policy of its audit log, and the keys of encryption at rest.

Sources: "Auditing" and "Encrypting Confidential Data at Rest" of kubernetes.io; the flags and volumes as kubeadm's
ClusterConfiguration takes them (v1beta3, v1beta4: extraArgs, extraVolumes).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from raijin.operations.absent import Absent
from raijin.operations.base import Operation
from raijin.operations.command import Command
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.operations.program import Program
from raijin.operations.staticpod import StaticPod
from raijin.operations.template import Template
from raijin.operations.wait import Wait
from raijin.platforms.base import Context
from raijin.platforms.encrypted import Written, at_rest, configuration
from raijin.platforms.kubeadm import external
from raijin.platforms.kubeadm.paths import ADMIN_CONF, AUDIT_LOG, AUDIT_POLICY, CRI_SOCKET, ENCRYPTION_FILE, FOLDER

Settings = dict[str, Any]
SECONDS = 300
REWRITE_SECONDS = 1800
_REWRITTEN = "/run/raijin-rewritten"
# An object that somebody changes meanwhile is refused (409) and is then written anew already; all are tried again.
_REWRITE = (
    'export KUBECONFIG="$0"; for kind in "$@"; do n=0; '
    'until kubectl get "$kind" --all-namespaces -o json | kubectl replace -f - >/dev/null; '
    f"do n=$((n + 1)); [ $n -lt 5 ] || exit 1; done; done; : >{_REWRITTEN}"
)


def encrypts(context: Context) -> bool:
    """Whether the API servers read keys. Once they do they go on, so that nothing becomes unreadable."""
    return bool(context.writing.key or context.keys.names)


def reasons(context: Context) -> Iterable[str]:
    """Keys that nobody here has must not be replaced: what is encrypted with them would be lost."""
    keys = context.keys
    if keys.names and all(way.key in keys.names for way in keys.found if way.key):
        return
    for node in context.started:
        if node.facts is not None and ENCRYPTION_FILE in node.facts.files:
            yield (
                f"{node.name}: data is encrypted with keys that this RAIJIN_HOME does not have; use the RAIJIN_HOME "
                "that made them, or restore the cluster from one of its backups, which holds them"
            )
            return


def flags(context: Context) -> dict[str, str]:
    audit, found = context.cluster.kubernetes.audit, {}
    if audit is not None:
        found = {
            "audit-policy-file": AUDIT_POLICY,
            "audit-log-path": AUDIT_LOG,
            "audit-log-maxage": str(audit.max_age_days),
            "audit-log-maxbackup": str(audit.max_files),
            "audit-log-maxsize": str(audit.max_size_megabytes),
        }
    return found | ({"encryption-provider-config": ENCRYPTION_FILE} if encrypts(context) else {})


def volumes(context: Context) -> list[Settings]:
    found = []
    if context.cluster.kubernetes.audit is not None:
        folder = AUDIT_LOG.rpartition("/")[0]
        found.append(_volume("audit-policy", AUDIT_POLICY, "File", read_only=True))
        found.append(_volume("audit-log", folder, "DirectoryOrCreate", read_only=False))
    if encrypts(context):
        found.append(_volume("encryption-keys", ENCRYPTION_FILE, "File", read_only=True))
    return found


def _volume(name: str, path: str, kind: str, *, read_only: bool) -> Settings:
    return {"name": name, "hostPath": path, "mountPath": path, "readOnly": read_only, "pathType": kind}


def files(context: Context, order: tuple[Written, ...] | None = None) -> list[Operation]:
    """What is to be on a control plane host before its API server starts.

    order: the ways to read data, the first to write; without it those by which this host can read what every other one
    writes, and writes as data is written now.
    """
    found: list[Operation] = []
    audit = context.cluster.kubernetes.audit
    if audit is not None:
        policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": list(audit.rules)}
        found.append(File(AUDIT_POLICY, yaml.safe_dump(policy, sort_keys=False), mode="600"))
    if encrypts(context):
        text, values = configuration(context.cluster.name, *(order or careful(context)))
        found.append(Template(ENCRYPTION_FILE, text, values, mode="600"))
    return [*external.files(context.cluster), *([Directory(FOLDER, mode="700"), *found] if found else [])]


def careful(context: Context) -> tuple[Written, ...]:
    """On the way to another way of writing, everybody first learns to read it."""
    if context.rewriting:
        return (context.keys.written, context.writing, *context.keys.begun)
    return at_rest(context.writing)


def renewed(context: Context) -> Iterable[Operation]:
    """The API server runs with what these files hold."""
    cluster = context.cluster
    watched = (
        *(external.FILES.values() if external.outside(cluster) else ()),
        *((AUDIT_POLICY,) if cluster.kubernetes.audit is not None else ()),
        *((ENCRYPTION_FILE,) if encrypts(context) else ()),
    )
    if watched:
        yield StaticPod("kube-apiserver", CRI_SOCKET, watched, timeout=SECONDS)


def own(context: Context) -> str:
    """The address of its own API server on a control plane host."""
    return f"https://127.0.0.1:{context.cluster.kubernetes.api_server_port}"


def answers(context: Context) -> Wait:
    """Until the API server of the host itself is ready, whatever carries the address of the cluster.

    Its certificate always has the name `kubernetes` (kubeadm: certificates, API server); not every one has 127.0.0.1.
    """
    where = ("--server", own(context), "--tls-server-name", "kubernetes")
    ready = ("kubectl", "--kubeconfig", ADMIN_CONF, *where, "get", "--raw", "/readyz")
    return Wait("its API server answers", ready, timeout=SECONDS)


def write_with(context: Context, order: tuple[Written, ...], title: str) -> Program:
    """The API server of one control plane host reads data in these ways, and writes it in the first of them."""
    operations = (*files(context, order), *renewed(context), answers(context))
    return Program(title, context.cluster.name, operations)


def rewrite(context: Context, resources: Sequence[str]) -> Program:
    """Everything of these resources is written anew, on one control plane host for all."""
    again = Command(
        "write everything anew",
        ("sh", "-c", _REWRITE, ADMIN_CONF, *resources),
        creates=_REWRITTEN,
        timeout=REWRITE_SECONDS,
    )
    # Whether it is needed, the keys tell (lifecycle/encryption.py); what an earlier time has left means nothing.
    operations = (Absent(_REWRITTEN), again, Absent(_REWRITTEN))
    return Program("write everything in etcd anew", context.cluster.name, operations)

"""api-security: who is let in by API servers and etcd, by the flags of their static pods.

Rules: CIS Kubernetes Benchmark 1.10, sections 1.2 and 2, by number; the flags as kube-apiserver's reference has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from raijin.facts.base import Unknown
from raijin.facts.security import Security
from raijin.platforms.view import HostView
from raijin.validation.finding import Finding, Grade
from raijin.validation.seen import Seen
from raijin.validation.subject import Subject

NAME = "api-security"
FLAGS = "kubernetes.kubeadm.clusterConfiguration of the definition (apiServer, etcd.local: extraArgs)"

Said = tuple[Grade, str, str]
"""How bad, what, and the remedy."""
Flags = Mapping[str, str]


def security_of(seen: Seen, host: str) -> Security | str:
    """What a host told of it, or why it is not known. A host that no program can run on has an empty one."""
    view = seen.hosts.get(host, "it was not asked")
    if isinstance(view, str):
        return view
    if view.own is not None:
        return Security()
    told = view.facts.security
    return told.unknown if isinstance(told, Unknown) else told


def by_calls(seen: Seen, host: str) -> bool:
    """Whether no program can run on the host, so that its files are its system's own business."""
    view = seen.hosts.get(host)
    return isinstance(view, HostView) and view.own is not None


def api_security(seen: Seen) -> Iterable[Finding]:
    if not seen.subject.control_planes:
        yield Finding(NAME, seen.subject.cluster, Grade.UNKNOWN, "there is no control plane host that could be asked")
    for host in seen.subject.control_planes:
        told = security_of(seen, host)
        if isinstance(told, str):
            yield Finding(NAME, host, Grade.UNKNOWN, f"its flags are not known: {told}", "look at the machine")
            continue
        server = told.pods.get("kube-apiserver")
        if server is None and seen.subject.type == "VANILLA":
            text = "there is no manifest of an API server on it"
            yield Finding(NAME, host, Grade.UNKNOWN, text, "run `raijin apply`")
            continue
        if server is None:
            yield Finding(NAME, host, Grade.OK, f"{seen.subject.type} sets its flags itself; Raijin looks at none")
            continue
        said = [*_server(server), *_wanted(seen.subject, server), *_etcd(told.pods.get("etcd"))]
        yield from (Finding(NAME, host, *one) for one in said)
        if not said:
            yield Finding(NAME, host, Grade.OK, _well(server))


def _words(flags: Flags, name: str) -> list[str]:
    return [word.strip() for word in flags.get(name, "").split(",") if word.strip()]


def _server(flags: Flags) -> Iterator[Said]:
    modes = _words(flags, "authorization-mode")
    if "AlwaysAllow" in modes or (not modes and "authorization-config" not in flags):
        yield Grade.FAILED, "it allows everything to everybody (authorization-mode; CIS 1.2.6)", f"Node,RBAC in {FLAGS}"
    elif modes and (lacks := [mode for mode in ("Node", "RBAC") if mode not in modes]):
        text = f"it authorizes without {' and '.join(lacks)} (authorization-mode; CIS 1.2.7, 1.2.8)"
        yield Grade.WARNING, text, f"Node,RBAC in {FLAGS}"
    if "token-auth-file" in flags:
        text = "it takes tokens from a file, which never expire (token-auth-file; CIS 1.2.2)"
        yield Grade.WARNING, text, f"take the flag out of {FLAGS}"
    if flags.get("insecure-port", "0") != "0":
        yield Grade.FAILED, "it answers without TLS (insecure-port)", f"take the flag out of {FLAGS}"
    plugins = _words(flags, "enable-admission-plugins")
    if "AlwaysAdmit" in plugins:
        text = "it admits everything (AlwaysAdmit; CIS 1.2.10)"
        yield Grade.FAILED, text, f"take it out of enable-admission-plugins in {FLAGS}"
    if "NodeRestriction" not in plugins:
        text = "a kubelet may change other nodes (no NodeRestriction; CIS 1.2.14)"
        yield Grade.WARNING, text, f"enable-admission-plugins in {FLAGS}"
    for name, number in (("ServiceAccount", "1.2.12"), ("NamespaceLifecycle", "1.2.13")):
        if name in _words(flags, "disable-admission-plugins"):
            text = f"it runs without {name} (disable-admission-plugins; CIS {number})"
            yield Grade.WARNING, text, f"take it out of {FLAGS}"


def _wanted(subject: Subject, flags: Flags) -> Iterator[Said]:
    """What the definition asks for and the server does not do."""
    if subject.encrypted and "encryption-provider-config" not in flags:
        text = "it keeps Secrets as they are, and the definition asks for encryption at rest (CIS 1.2.27)"
        yield Grade.FAILED, text, "run `raijin apply`"
    if subject.audited and not {"audit-policy-file", "audit-log-path"} <= flags.keys():
        yield Grade.FAILED, "it keeps no audit log, and the definition asks for one (CIS 1.2.16)", "run `raijin apply`"


def _etcd(flags: Flags | None) -> Iterator[Said]:
    """None: its etcd is elsewhere, or is no static pod."""
    for kind, number in (("", "2.2, 2.3"), ("peer-", "2.5, 2.6")):
        whom = "peers" if kind else "clients"
        if flags is not None and flags.get(f"{kind}client-cert-auth") != "true":
            text = f"its etcd asks {whom} for no certificate ({kind}client-cert-auth; CIS {number})"
            yield Grade.FAILED, text, f"{kind}client-cert-auth: true in {FLAGS}"
        if flags is not None and flags.get(f"{kind}auto-tls") == "true":
            text = f"its etcd signs certificates for its {whom} itself ({kind}auto-tls; CIS {number})"
            yield Grade.FAILED, text, f"take {kind}auto-tls out of {FLAGS}"


def _well(flags: Flags) -> str:
    """Anonymous requests are no fault by themselves: kubeadm's probes are such. What they may do: access-rights."""
    limited = flags.get("anonymous-auth") == "false" or "authentication-config" in flags
    anonymous = "no anonymous requests" if limited else "anonymous requests are judged by access-rights (CIS 1.2.1)"
    secrets = "encryption at rest" if "encryption-provider-config" in flags else "no encryption at rest"
    log = "an audit log" if "audit-log-path" in flags else "no audit log"
    return f"it asks who comes and what they may do; {anonymous}; {secrets}, {log}, as the definition says"

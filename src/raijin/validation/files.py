"""host-security: who can read keys, kubeconfigs and data on a host, and whom its kubelet answers.

Rules: CIS Kubernetes Benchmark 1.10, sections 1.1, 4.1 and 4.2, by number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from raijin.facts.security import Guarded, Security
from raijin.platforms.view import HostView
from raijin.validation.apiserver import Said, by_calls, security_of
from raijin.validation.finding import Finding, Grade, few
from raijin.validation.seen import Seen

NAME = "host-security"
READ_ONLY_PORT = 10255
"""Of a kubelet that answers without asking who comes (KubeletConfiguration, `readOnlyPort`)."""
KUBELET = "kubernetes.kubeadm.kubeletConfiguration of the definition"


def host_security(seen: Seen) -> Iterable[Finding]:
    for place in seen.subject.places:
        if place.left_out:
            continue
        told = security_of(seen, place.name)
        if isinstance(told, str):
            text = f"the modes of its files are not known: {told}"
            yield Finding(NAME, place.name, Grade.UNKNOWN, text, "look at the machine")
            continue
        if by_calls(seen, place.name):
            yield Finding(NAME, place.name, Grade.OK, "no program runs on it: its files are its system's own")
            continue
        view = seen.hosts[place.name]
        said = [*_files(told), *_owners(told), *_kubelet(told), *_port(view)]
        yield from (Finding(NAME, place.name, *one) for one in said)
        if not said:
            text = f"{len(told.files)} files and folders are for root alone"
            yield Finding(NAME, place.name, Grade.OK, text)


def _files(told: Security) -> Iterator[Said]:
    everybody = [file for file in told.files if file.by_all]
    group = [file for file in told.files if file.by_group and not file.by_all]
    if everybody:
        text = f"everybody on the host can get at {_names(everybody)} (CIS 1.1, 4.1)"
        yield Grade.FAILED, text, _chmod(everybody)
    if group:
        yield Grade.WARNING, f"a group on the host can get at {_names(group)} (CIS 1.1, 4.1)", _chmod(group)


def _names(files: list[Guarded]) -> str:
    return few((f"{file.path} ({file.mode:o})" for file in files), 3)


def _chmod(files: list[Guarded]) -> str:
    return f"`chmod go= {few((file.path for file in files), 3)}`"


def _owners(told: Security) -> Iterator[Said]:
    """etcd's data may be etcd's own (CIS 1.1.12)."""
    strange = [file for file in told.files if file.owner not in {"root", "etcd"}]
    if strange:
        whose = few((f"{file.path} ({file.owner})" for file in strange), 3)
        yield Grade.WARNING, f"not root's: {whose} (CIS 1.1, 4.1)", "`chown root:root` them"


def _kubelet(told: Security) -> Iterator[Said]:
    if told.kubelet is None:
        return
    if told.kubelet.anonymous:
        text = "its kubelet answers whoever comes (authentication.anonymous; CIS 4.2.1)"
        yield Grade.FAILED, text, f"`authentication: {{anonymous: {{enabled: false}}}}` in {KUBELET}"
    if told.kubelet.authorization == "AlwaysAllow":
        text = "its kubelet allows everything (authorization.mode; CIS 4.2.2)"
        yield Grade.FAILED, text, f"`authorization: {{mode: Webhook}}` in {KUBELET}"


def _port(view: HostView | str) -> Iterator[Said]:
    """By who listens, on every Linux; and by the kubelet's file, in case it was not started anew since."""
    listens = isinstance(view, HostView) and view.listener(READ_ONLY_PORT) is not None
    security = view.facts.security if isinstance(view, HostView) else None
    kubelet = security.kubelet if isinstance(security, Security) else None
    if listens or (kubelet is not None and kubelet.read_only_port):
        text = "its kubelet tells everybody about its pods, without asking who comes (readOnlyPort; CIS 4.2.4)"
        yield Grade.FAILED, text, f"`readOnlyPort: 0` in {KUBELET}"

"""Each check, with what it sees when all is well and when it is not. Law: what cannot be seen is never called well."""

from __future__ import annotations

import copy
from dataclasses import fields, replace
from typing import Any

import pytest

from raijin.errors import NotFound
from raijin.facts.base import Unknown
from raijin.facts.etcd import EtcdAccess, EtcdMember, EtcdState
from raijin.facts.gather import HostFacts
from raijin.facts.kubernetes import Kubernetes
from raijin.facts.ports import Port
from raijin.facts.security import Guarded, Kubelet, Security
from raijin.model.validation import HEALTH_CHECKS
from raijin.platforms.view import HostView
from raijin.validation.checks import CATEGORIES, CHECKS, chosen, judge, parts_of
from raijin.validation.finding import Finding, Grade, faults, few
from raijin.validation.seen import LISTS, Part, Seen
from raijin.validation.subject import Place, Subject, subject_from

ACCESS = EtcdAccess("https://127.0.0.1:2379", "ca", "cert", "key", "socket")
NETWORK = {"kind": "DaemonSet", "metadata": {"namespace": "kube-flannel", "name": "kube-flannel-ds"}}
SUBJECT = Subject(
    cluster="lab",
    type="VANILLA",
    version="v1.34.2",
    places=(Place("n1", True), Place("n2", True), Place("n3", True), Place("w1", False)),
    port=6443,
    kubeconfig="/etc/kubernetes/admin.conf",
    endpoint="192.0.2.250:6443",
    etcd=ACCESS,
    network=(NETWORK,),
)
NOW = 1_800_000_000.0
LONG_AGO = "2020-01-01T00:00:00Z"


def node(name: str, version: str = "v1.34.2", ready: str = "True", **more: str) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready, "message": "the runtime is down"}]
    conditions += [{"type": kind, "status": status} for kind, status in more.items()]
    return {"metadata": {"name": name}, "status": {"conditions": conditions, "nodeInfo": {"kubeletVersion": version}}}


def pod(name: str, namespace: str = "default", **status: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "status": {"phase": "Running", **status}}


def member(name: str, **more: Any) -> EtcdMember:
    values: dict[str, Any] = {"healthy": True, "size": 10 << 20, "in_use": 9 << 20, "index": 500, "applied": 500}
    peers = (f"https://{name}:2380",)
    return EtcdMember(**{"id": name, "name": name, "peers": peers, "clients": (), "learner": False} | values | more)


DAEMONS = {**NETWORK, "status": {"desiredNumberScheduled": 4, "numberAvailable": 4}}
DNS = {
    "kind": "Deployment",
    "metadata": {"namespace": "kube-system", "name": "coredns"},
    "spec": {"replicas": 2},
    "status": {"availableReplicas": 2},
}


def named(name: str, namespace: str = "", labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "labels": labels or {}, **({"namespace": namespace} if namespace else {})}
    return {"metadata": metadata, **more}


def binding(name: str, role: str, *groups: str) -> dict[str, Any]:
    subjects = [{"kind": "Group", "name": group} for group in groups]
    return named(name, roleRef={"kind": "ClusterRole", "name": role}, subjects=subjects)


def service(name: str, namespace: str, selector: dict[str, str], **spec: Any) -> dict[str, Any]:
    return named(
        name, namespace, selector, spec={"selector": selector, "ports": [{"name": "http", "port": 80}], **spec}
    )


def slice_of(name: str, namespace: str, *, ready: bool) -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": name}
    return named(f"{name}-x", namespace, labels, endpoints=[{"conditions": {"ready": ready}}])


API_FLAGS = {"authorization-mode": "Node,RBAC", "enable-admission-plugins": "NodeRestriction"}
ETCD_FLAGS = {"client-cert-auth": "true", "peer-client-cert-auth": "true"}


def told(*files: Guarded, kubelet: Kubelet | None = None, etcd: dict[str, str] | None = None, **api: str) -> HostView:
    """A control plane host as kubeadm leaves it, but for what is given. api: flags, with _ for each hyphen."""
    flags = {**API_FLAGS, **{name.replace("_", "-"): value for name, value in api.items()}}
    pods = {"kube-apiserver": {k: v for k, v in flags.items() if v}, "etcd": ETCD_FLAGS if etcd is None else etcd}
    own = (Guarded("/etc/kubernetes/admin.conf", 0o600, "root"), *files)
    facts = HostFacts(**{item.name: Unknown("not asked") for item in fields(HostFacts)})
    return HostView(replace(facts, security=Security(own, pods, kubelet or Kubelet())))


def hosts(n1: HostView | None = None) -> dict[str, HostView | str]:
    return {place.name: told() for place in SUBJECT.places} | ({"n1": n1} if n1 else {})


WELL = Seen(
    SUBJECT,
    NOW,
    hosts=hosts(),
    api={"n1": "", "n2": "", "n3": ""},
    version="v1.34.2",
    etcd=EtcdState((member("n1", leader=True), member("n2"), member("n3"))),
    lists={
        Part.NODES: [node(place.name) for place in SUBJECT.places],
        Part.PODS: [pod("web")],
        Part.WORKLOADS: [DAEMONS, DNS],
        Part.OPERATORS: [],
        Part.NAMESPACES: [named("default"), named("shop")],
        Part.RIGHTS: [binding("cluster-admin", "cluster-admin", "system:masters")],
        Part.JOBS: [],
        Part.CLAIMS: [],
        Part.CLASSES: [],
        Part.SERVICES: [service("kube-dns", "kube-system", {"k8s-app": "kube-dns"})],
        Part.ENDPOINTS: [slice_of("kube-dns", "kube-system", ready=True)],
        Part.INGRESSES: [],
    },
    dns={"10.96.0.10": ""},
)


def only(seen: Seen, name: str) -> list[Finding]:
    return judge(chosen([name]), seen)


def grades(findings: list[Finding]) -> set[Grade]:
    return {finding.grade for finding in findings}


def listed(seen: Seen, part: Part, *items: dict[str, Any]) -> Seen:
    return replace(seen, lists={**seen.lists, part: list(items)})


def test_every_name_has_its_check() -> None:
    assert [check.name for check in CHECKS] == list(HEALTH_CHECKS)
    with pytest.raises(NotFound, match="no health check dns"):
        chosen(["dns"])
    assert chosen(()) == tuple(check for check in CHECKS if check.name != "cluster-operators")


def test_a_subject_travels_in_a_plan() -> None:
    assert subject_from(copy.deepcopy(SUBJECT.to_json())) == SUBJECT
    assert subject_from(replace(SUBJECT, etcd=None, network=()).to_json()).etcd is None


@pytest.mark.parametrize("name", [name for name in HEALTH_CHECKS if name not in {"host-health", "certificates"}])
def test_a_cluster_that_is_well(name: str) -> None:
    findings = only(replace(WELL, at=LATER), name)
    assert grades(findings) <= {Grade.OK}
    assert faults(findings) == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_what_cannot_be_seen_is_not_well(check: Any) -> None:
    """Nothing answers: no host, no API server, no etcd, no list."""
    dark = Seen(
        SUBJECT,
        NOW,
        hosts={place.name: "no route to host" for place in SUBJECT.places},
        api={"n1": "no", "n2": "no", "n3": "no"},
        endpoint="no route to host",
        failures=dict.fromkeys(LISTS, "no route to host"),
    )
    assert faults(judge([check], dark))
    assert parts_of([check])


LATER = 1_770_000_000.0
"""2026-02-02: of 1.34 somebody still looks after it."""
CRASHED = {
    "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "tried 7 times"}]
}
PRIVILEGED = {"containers": [{"name": "c", "securityContext": {"privileged": True}}], "hostNetwork": True}


PRIVILEGED_TEXT = (
    "shop: pods reach into their host, and no label says that they may: "
    "agent (privileged, the host's network) (CIS 5.2)"
)
SILENT_TEXT = (
    "10.96.0.10: the name service does not tell the address of kubernetes.default.svc.cluster.local: "
    "it gives no answer within 30 s"
)


def ingress(backend: dict[str, Any]) -> dict[str, Any]:
    return named("web", "shop", spec={"rules": [{"http": {"paths": [{"path": "/", "backend": {"service": backend}}]}}]})


def claim(name: str, phase: str, kept: str = "slow") -> dict[str, Any]:
    made = named(name, "shop", spec={"storageClassName": kept}, status={"phase": phase})
    made["metadata"]["creationTimestamp"] = LONG_AGO
    return made


def run(name: str, namespace: str, have: int, want: int) -> dict[str, Any]:
    return named(name, namespace, kind="Deployment", spec={"replicas": want}, status={"availableReplicas": have})


CASES: dict[str, tuple[str, Seen, str, Grade]] = {
    "an API server that allows everything": (
        "api-security",
        replace(WELL, hosts=hosts(told(authorization_mode="AlwaysAllow"))),
        "n1: it allows everything to everybody (authorization-mode; CIS 1.2.6)",
        Grade.FAILED,
    ),
    "an API server without RBAC": (
        "api-security",
        replace(WELL, hosts=hosts(told(authorization_mode="Node"))),
        "n1: it authorizes without RBAC (authorization-mode; CIS 1.2.7, 1.2.8)",
        Grade.WARNING,
    ),
    "tokens in a file": (
        "api-security",
        replace(WELL, hosts=hosts(told(token_auth_file="/t"))),
        "n1: it takes tokens from a file, which never expire (token-auth-file; CIS 1.2.2)",
        Grade.WARNING,
    ),
    "kubelets that may change each other": (
        "api-security",
        replace(WELL, hosts=hosts(told(enable_admission_plugins=""))),
        "n1: a kubelet may change other nodes (no NodeRestriction; CIS 1.2.14)",
        Grade.WARNING,
    ),
    "no encryption where it was asked for": (
        "api-security",
        replace(WELL, subject=replace(SUBJECT, encrypted=True)),
        "n1: it keeps Secrets as they are, and the definition asks for encryption at rest (CIS 1.2.27)",
        Grade.FAILED,
    ),
    "no audit log where it was asked for": (
        "api-security",
        replace(WELL, subject=replace(SUBJECT, audited=True), hosts=hosts(told(audit_log_path="/log"))),
        "n1: it keeps no audit log, and the definition asks for one (CIS 1.2.16)",
        Grade.FAILED,
    ),
    "an etcd for everybody": (
        "api-security",
        replace(WELL, hosts=hosts(told(etcd={**ETCD_FLAGS, "client-cert-auth": "false"}))),
        "n1: its etcd asks clients for no certificate (client-cert-auth; CIS 2.2, 2.3)",
        Grade.FAILED,
    ),
    "a key that everybody can read": (
        "host-security",
        replace(WELL, hosts=hosts(told(Guarded("/etc/kubernetes/pki/ca.key", 0o644, "root")))),
        "n1: everybody on the host can get at /etc/kubernetes/pki/ca.key (644) (CIS 1.1, 4.1)",
        Grade.FAILED,
    ),
    "a kubeconfig for a group": (
        "host-security",
        replace(WELL, hosts=hosts(told(Guarded("/etc/kubernetes/x.conf", 0o640, "root")))),
        "n1: a group on the host can get at /etc/kubernetes/x.conf (640) (CIS 1.1, 4.1)",
        Grade.WARNING,
    ),
    "a key of somebody's": (
        "host-security",
        replace(WELL, hosts=hosts(told(Guarded("/etc/kubernetes/pki/sa.key", 0o600, "mallory")))),
        "n1: not root's: /etc/kubernetes/pki/sa.key (mallory) (CIS 1.1, 4.1)",
        Grade.WARNING,
    ),
    "a kubelet that tells everybody": (
        "host-security",
        replace(WELL, hosts=hosts(told(kubelet=Kubelet(read_only_port=10255)))),
        "n1: its kubelet tells everybody about its pods, without asking who comes (readOnlyPort; CIS 4.2.4)",
        Grade.FAILED,
    ),
    "a kubelet that lets everybody in": (
        "host-security",
        replace(WELL, hosts=hosts(told(kubelet=Kubelet(anonymous=True)))),
        "n1: its kubelet answers whoever comes (authentication.anonymous; CIS 4.2.1)",
        Grade.FAILED,
    ),
    "everybody an administrator": (
        "access-rights",
        listed(WELL, Part.RIGHTS, binding("oops", "cluster-admin", "system:serviceaccounts")),
        "ClusterRoleBinding oops: it gives cluster-admin to everybody in system:serviceaccounts (CIS 5.1.1)",
        Grade.FAILED,
    ),
    "the unknown administrators": (
        "access-rights",
        listed(WELL, Part.RIGHTS, binding("oops", "cluster-admin", "system:unauthenticated")),
        "ClusterRoleBinding oops: it gives cluster-admin to whoever comes (system:unauthenticated; CIS 5.1.1)",
        Grade.FAILED,
    ),
    "what Kubernetes gives to the unknown itself": (
        "access-rights",
        listed(WELL, Part.RIGHTS, binding("i", "system:public-info-viewer", "system:unauthenticated")),
        "lab: 1 ClusterRoleBindings, none for the unknown or for everybody",
        Grade.OK,
    ),
    "a pod that reaches into its host": (
        "pod-security",
        listed(
            WELL,
            Part.PODS,
            {**pod("agent", "shop"), "spec": PRIVILEGED},
            {**pod("x", "kube-system"), "spec": PRIVILEGED},
        ),
        PRIVILEGED_TEXT,
        Grade.WARNING,
    ),
    "one that may": (
        "pod-security",
        listed(
            listed(WELL, Part.PODS, {**pod("agent", "shop"), "spec": PRIVILEGED}),
            Part.NAMESPACES,
            named("shop", labels={"pod-security.kubernetes.io/enforce": "privileged"}),
        ),
        "lab: no pod of a namespace without the label reaches into its host; the cluster's own are not looked at",
        Grade.OK,
    ),
    "a version that nobody mends": (
        "version-support",
        WELL,
        "n1, n2, n3 and 1 more: nobody mends 1.34 since 2026-10-27",
        Grade.WARNING,
    ),
    "one that somebody mends": (
        "version-support",
        replace(WELL, at=LATER),
        "lab: every node runs a version that its project mends",
        Grade.OK,
    ),
    "a kubelet too far behind": (
        "version-support",
        listed(WELL, Part.NODES, node("w1", version="v1.30.4")),
        "w1: its kubelet v1.30.4 is more than 3 minors behind the API server v1.34.2",
        Grade.FAILED,
    ),
    "too few of a shop": (
        "application-workloads",
        listed(WELL, Part.WORKLOADS, DAEMONS, run("web", "shop", 1, 3), run("dns", "kube-system", 0, 3)),
        "Deployment shop/web: 1 of 3 are available",
        Grade.WARNING,
    ),
    "a job that failed": (
        "application-workloads",
        listed(WELL, Part.JOBS, named("bill", "shop", kind="Job", status=CRASHED)),
        "Job shop/bill: it has failed: BackoffLimitExceeded: tried 7 times",
        Grade.WARNING,
    ),
    "a claim that waits": (
        "volume-claims",
        listed(WELL, Part.CLAIMS, claim("data", "Pending")),
        "shop/data: it has no volume (storage class slow)",
        Grade.WARNING,
    ),
    "a claim that nobody uses yet": (
        "volume-claims",
        listed(
            listed(WELL, Part.CLAIMS, claim("data", "Pending")),
            Part.CLASSES,
            named("slow", volumeBindingMode="WaitForFirstConsumer"),
        ),
        "lab: 1 claims, none waits in vain",
        Grade.OK,
    ),
    "a claim whose volume is gone": (
        "volume-claims",
        listed(WELL, Part.CLAIMS, claim("data", "Lost")),
        "shop/data: its volume is gone",
        Grade.WARNING,
    ),
    "a service with nobody behind it": (
        "service-endpoints",
        listed(
            listed(WELL, Part.SERVICES, service("web", "shop", {"app": "web"})),
            Part.ENDPOINTS,
            slice_of("web", "shop", ready=False),
        ),
        "Service shop/web: no ready pod is behind it (app=web)",
        Grade.WARNING,
    ),
    "an ingress that leads nowhere": (
        "service-endpoints",
        listed(WELL, Part.INGRESSES, ingress({"name": "web", "port": {"number": 80}})),
        "Ingress shop/web: it leads to the Service web, which there is not",
        Grade.WARNING,
    ),
    "an ingress to a port that is not there": (
        "service-endpoints",
        listed(
            listed(WELL, Part.SERVICES, service("web", "shop", {}), WELL.lists[Part.SERVICES][0]),
            Part.INGRESSES,
            ingress({"name": "web", "port": {"name": "https"}}),
        ),
        "Ingress shop/web: it leads to port https of web, which has no such port",
        Grade.WARNING,
    ),
    "a name service that is silent": (
        "cluster-dns",
        replace(WELL, dns={"10.96.0.10": "it gives no answer within 30 s"}),
        SILENT_TEXT,
        Grade.FAILED,
    ),
    "a node that is not Ready": (
        "node-readiness",
        listed(WELL, Part.NODES, node("n1"), node("n2", ready="False"), node("n3"), node("w1")),
        "n2: it is not Ready: the runtime is down",
        Grade.FAILED,
    ),
    "a node that is missing": (
        "node-readiness",
        listed(WELL, Part.NODES, node("n1"), node("n2"), node("n3")),
        "w1: it is no node of the cluster",
        Grade.FAILED,
    ),
    "a node that nobody defined": (
        "node-readiness",
        listed(WELL, Part.NODES, *WELL.lists[Part.NODES], node("x9")),
        "x9: it is a node of the cluster and not in the definition",
        Grade.WARNING,
    ),
    "a disk that is full": (
        "node-readiness",
        listed(WELL, Part.NODES, node("n1"), node("n2"), node("n3"), node("w1", DiskPressure="True")),
        "w1: it runs out of room on its disks",
        Grade.FAILED,
    ),
    "a node left behind": (
        "versions",
        listed(WELL, Part.NODES, node("w1", version="v1.33.1")),
        "w1: its kubelet is v1.33.1, and the definition says v1.34.2",
        Grade.WARNING,
    ),
    "a kubelet ahead of its API server": (
        "versions",
        listed(WELL, Part.NODES, node("w1", version="v1.35.0")),
        "w1: its kubelet v1.35.0 is newer than the API server v1.34.2",
        Grade.FAILED,
    ),
    "one API server of three": (
        "api-availability",
        replace(WELL, api={"n1": "", "n2": "it is not ready: etcd", "n3": ""}),
        "n2: its API server does not serve: it is not ready: etcd",
        Grade.FAILED,
    ),
    "the address alone": (
        "api-availability",
        replace(WELL, endpoint="connection refused"),
        "192.0.2.250:6443: the address of the API does not serve: connection refused",
        Grade.FAILED,
    ),
    "a dead member": (
        "etcd-health",
        replace(WELL, etcd=EtcdState((member("n1"), member("n2"), member("n3", healthy=False, failure="silent")))),
        "n3: its member is broken: silent",
        Grade.FAILED,
    ),
    "no member to spare": (
        "etcd-health",
        replace(WELL, etcd=EtcdState((member("n1"), member("n2"), member("n3", healthy=False, failure="silent")))),
        "lab: it can lose no member more",
        Grade.WARNING,
    ),
    "no room": (
        "etcd-health",
        replace(WELL, etcd=EtcdState((member("n1", size=1900 << 20), member("n2"), member("n3")))),
        "n1: 1900 of 2048 MiB are taken",
        Grade.WARNING,
    ),
    "room where the quota is larger": (
        "etcd-health",
        replace(WELL, etcd=EtcdState((member("n1", size=1900 << 20, in_use=1800 << 20, quota=8 << 30),))),
        "n1: it votes and keeps up",
        Grade.OK,
    ),
    "much air": (
        "etcd-health",
        replace(WELL, etcd=EtcdState((member("n1", size=300 << 20, in_use=20 << 20), member("n2"), member("n3")))),
        "n1: of 300 MiB only 20 are in use",
        Grade.WARNING,
    ),
    "a member behind": (
        "etcd-health",
        replace(WELL, etcd=EtcdState((member("n1", index=9000, applied=9000), member("n2"), member("n3")))),
        "n2: it is 8500 entries behind",
        Grade.WARNING,
    ),
    "an alarm": (
        "etcd-health",
        replace(WELL, etcd=EtcdState((member("n1"), member("n2"), member("n3")), ("abc: NOSPACE",))),
        "lab: alarm abc: NOSPACE",
        Grade.FAILED,
    ),
    "a network that is not there": (
        "container-network",
        listed(WELL, Part.WORKLOADS, DNS),
        "DaemonSet kube-flannel/kube-flannel-ds: it is not there",
        Grade.FAILED,
    ),
    "too few of what should run": (
        "system-workloads",
        listed(WELL, Part.WORKLOADS, DAEMONS, {**DNS, "status": {"availableReplicas": 1}}),
        "Deployment kube-system/coredns: 1 of 2 are available",
        Grade.FAILED,
    ),
    "a pod of users that crashes": (
        "pod-health",
        listed(
            WELL,
            Part.PODS,
            pod("web", containerStatuses=[{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]),
            pod("job", phase="Succeeded"),
        ),
        "default: web waits: CrashLoopBackOff",
        Grade.WARNING,
    ),
    "a pod of the system that finds no node": (
        "pod-health",
        listed(
            WELL,
            Part.PODS,
            pod(
                "dns",
                "kube-system",
                phase="Pending",
                conditions=[{"type": "PodScheduled", "status": "False", "lastTransitionTime": LONG_AGO}],
            ),
        ),
        "kube-system: dns finds no node",
        Grade.FAILED,
    ),
    "an operator that is degraded": (
        "cluster-operators",
        listed(
            WELL,
            Part.OPERATORS,
            {
                "metadata": {"name": "ingress"},
                "status": {
                    "conditions": [
                        {"type": "Available", "status": "True"},
                        {"type": "Degraded", "status": "True", "message": "no router"},
                    ]
                },
            },
        ),
        "ingress: it is degraded: no router",
        Grade.FAILED,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_found(case: str) -> None:
    check, seen, text, grade = CASES[case]
    found = {str(finding): finding.grade for finding in only(seen, check)}
    assert found.get(text) is grade, found


def test_a_pod_that_has_only_begun_is_left_in_peace() -> None:
    conditions = [{"type": "Ready", "status": "False", "lastTransitionTime": "2027-01-15T07:59:30Z"}]
    waiting = [{"state": {"waiting": {"reason": "ContainerCreating"}}}]
    seen = listed(WELL, Part.PODS, pod("new", conditions=conditions, containerStatuses=waiting))
    assert grades(only(seen, "pod-health")) == {Grade.OK}


def test_a_host_in_quarantine_is_a_fault_and_says_why() -> None:
    subject = replace(SUBJECT, places=(Place("w1", False, "its disk is broken"),))
    (finding,) = only(replace(WELL, subject=subject), "host-health")
    assert (finding.grade, finding.text) == (Grade.FAILED, "in quarantine: its disk is broken")


def sqlite_server() -> HostView:
    told = Kubernetes((), ("/etc/rancher/k3s/k3s.yaml", "/var/lib/rancher/k3s/server/db/state.db"), ())
    facts = HostFacts(**{item.name: Unknown("not asked") for item in fields(HostFacts)})
    return HostView(replace(facts, kubernetes=told))


def test_a_cluster_in_sqlite_has_no_etcd_that_could_be_broken() -> None:
    """The definition cannot tell: a K3s that began with several servers has etcd on the last one too."""
    subject = replace(SUBJECT, type="K3S", places=(Place("n1", True),))
    seen = replace(WELL, subject=subject, etcd=None, hosts={"n1": sqlite_server()})
    (finding,) = only(seen, "etcd-health")
    assert (finding.grade, finding.text) == (Grade.OK, "it is kept in SQLite, without etcd")
    (finding,) = only(replace(seen, hosts={"n1": "no route to host"}), "etcd-health")
    assert finding.grade is Grade.FAILED


def test_a_kubelet_that_listens_for_everybody_is_found_whatever_its_file_says() -> None:
    view = told()
    view = replace(view, facts=replace(view.facts, ports=(Port("tcp", 10255, "192.0.2.11", "kubelet"),)))
    found = only(replace(WELL, hosts=hosts(view)), "host-security")
    assert [f.text.partition(",")[0] for f in found if f.grade is Grade.FAILED] == [
        "its kubelet tells everybody about its pods"
    ]


def test_what_a_platform_keeps_to_itself_is_not_looked_at_and_says_so() -> None:
    """No manifest of an API server is on a K3s host; on a kubeadm host that is no good sign."""
    bare = replace(told(), facts=replace(told().facts, security=Security()))
    (finding,) = only(
        replace(WELL, subject=replace(SUBJECT, type="K3S", places=(Place("n1", True),)), hosts={"n1": bare}),
        "api-security",
    )
    assert (finding.grade, finding.text) == (Grade.OK, "K3S sets its flags itself; Raijin looks at none")
    found = only(replace(WELL, hosts=hosts(bare)), "api-security")
    assert found[0].grade is Grade.UNKNOWN
    outside = replace(told(), own=object())
    found = only(replace(WELL, hosts=hosts(outside)), "host-security")
    assert found[0].text == "no program runs on it: its files are its system's own"


def test_a_check_is_of_its_category_and_perhaps_of_another() -> None:
    """The seed counts certificates among what is about security."""
    known = {check.name: check for check in CHECKS}
    assert known["certificates"].of(["SECURITY"])
    assert known["certificates"].of(["KUBERNETES"])
    assert not known["certificates"].of(["APPLICATION"])
    assert {check.category for check in CHECKS} == set(CATEGORIES)


def test_few_of_many() -> None:
    assert few("abc") == "a, b, c"
    assert few("abcdefg", 2) == "a, b and 5 more"

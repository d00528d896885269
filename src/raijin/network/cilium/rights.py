"""What Cilium's programs may do in the cluster: the roles of the charts of v1.20 and v1.15 together.

Without those for features that are not set up here (gateways, ingress, ztunnel, mesh authentication).
"""

from __future__ import annotations

from raijin.network import documents as data
from raijin.network.cilium.names import AGENT, NAMESPACE, OPERATOR, SECRETS, labels
from raijin.network.cni import Document
from raijin.network.documents import RBAC, rule

_READ = "get list watch"
_ALL = "create update get list watch delete patch"
_KINDS = (
    "ciliumloadbalancerippools ciliumbgppeeringpolicies ciliumbgpclusterconfigs ciliumbgppeerconfigs "
    "ciliumbgpadvertisements ciliumbgpnodeconfigs ciliumbgpnodeconfigoverrides ciliumclusterwideenvoyconfigs "
    "ciliumclusterwidenetworkpolicies ciliumegressgatewaypolicies ciliumendpoints ciliumendpointslices "
    "ciliumenvoyconfigs ciliumexternalworkloads ciliumidentities ciliumlocalredirectpolicies ciliumnetworkpolicies "
    "ciliumnodes ciliumnodeconfigs ciliumcidrgroups ciliuml2announcementpolicies ciliumpodippools "
    "ciliumgatewayclassconfigs ciliumdatapathplugins"
)
_BGP = "ciliumbgpclusterconfigs ciliumbgppeerconfigs ciliumbgpadvertisements ciliumbgpnodeconfigs"
_BGP_ALL = f"{_BGP} ciliumbgpnodeconfigoverrides"


def agent_rules() -> list[Document]:
    watched = " ".join(
        kind
        for kind in _KINDS.split()
        if kind not in {"ciliumbgpclusterconfigs", "ciliumbgpnodeconfigoverrides", "ciliumgatewayclassconfigs"}
    )
    return [
        rule("networking.k8s.io", "networkpolicies", _READ),
        rule("discovery.k8s.io", "endpointslices", _READ),
        rule("core", "namespaces services pods endpoints nodes", _READ),
        rule("apiextensions.k8s.io", "customresourcedefinitions", _READ),
        rule("cilium.io", watched, "list watch"),
        rule("cilium.io", "ciliumidentities ciliumendpoints ciliumnodes", "create"),
        rule("cilium.io", "ciliumidentities", "update"),
        rule("cilium.io", "ciliumendpoints", "delete get"),
        rule("cilium.io", "ciliumnodes ciliumnodes/status", "get update"),
        rule(
            "cilium.io",
            "ciliumnetworkpolicies/status ciliumclusterwidenetworkpolicies/status ciliumendpoints/status "
            "ciliumendpoints ciliuml2announcementpolicies/status ciliumbgpnodeconfigs/status",
            "patch",
        ),
    ]


def operator_rules() -> list[Document]:
    policies = "ciliumnetworkpolicies ciliumclusterwidenetworkpolicies"
    definitions = " ".join(f"{kind}.cilium.io" for kind in _KINDS.split())
    with_status = " ".join(f"{kind}.cilium.io" for kind in _BGP_ALL.split())
    kept = f"ciliumendpointslices ciliumenvoyconfigs ciliumcidrgroups {_BGP_ALL}"
    return [
        rule("core", "pods", "get list watch delete"),
        rule("core", "configmaps", "patch", "cilium-config"),
        rule("core", "nodes", "list watch"),
        rule("core", "nodes nodes/status", "patch"),
        rule("core", "services/status", "update patch"),
        rule("core", "namespaces secrets serviceaccounts services endpoints", _READ),
        rule("discovery.k8s.io", "endpointslices", _READ),
        rule("cilium.io", policies, "create update deletecollection patch get list watch"),
        rule("cilium.io", " ".join(f"{kind}/status" for kind in policies.split()), "patch update"),
        rule("cilium.io", "ciliumendpoints ciliumidentities", "delete list watch"),
        rule("cilium.io", "ciliumidentities", "update"),
        rule("cilium.io", "ciliumnodes", "create update get list watch delete"),
        rule("cilium.io", "ciliumnodes/status", "update"),
        rule("cilium.io", kept, _ALL),
        rule("cilium.io", "ciliumendpointslices", "deletecollection"),
        rule("cilium.io", "ciliumbgpclusterconfigs/status ciliumbgppeerconfigs/status", "update"),
        rule(
            "cilium.io",
            f"ciliumloadbalancerippools ciliumpodippools ciliumbgppeeringpolicies ciliumdatapathplugins {_BGP_ALL}",
            _READ,
        ),
        rule("cilium.io", "ciliumpodippools", "create"),
        rule("cilium.io", "ciliumloadbalancerippools/status", "patch"),
        rule("apiextensions.k8s.io", "customresourcedefinitions", "create get list watch"),
        rule("apiextensions.k8s.io", "customresourcedefinitions", "update", definitions),
        rule("apiextensions.k8s.io", "customresourcedefinitions/status", "update", with_status),
        rule("coordination.k8s.io", "leases", "create get update"),
    ]


def rights() -> list[Document]:
    """The namespace of secrets, accounts, roles and bindings."""
    part = {"app.kubernetes.io/part-of": "cilium"}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": data.metadata(SECRETS, labels=part)},
        data.service_account(AGENT, NAMESPACE, labels("cilium-agent")),
        data.service_account(OPERATOR, NAMESPACE, labels(OPERATOR)),
        data.cluster_role(AGENT, agent_rules(), part),
        data.cluster_role(OPERATOR, operator_rules(), part),
        data.cluster_role_binding(AGENT, AGENT, (NAMESPACE, AGENT), part),
        data.cluster_role_binding(OPERATOR, OPERATOR, (NAMESPACE, OPERATOR), part),
        *_within(NAMESPACE, "cilium-config-agent", AGENT, rule("core", "configmaps", _READ)),
        *_within(SECRETS, "cilium-tlsinterception-secrets", AGENT, rule("core", "secrets", _READ)),
        *_within(
            SECRETS,
            "cilium-operator-tlsinterception-secrets",
            OPERATOR,
            rule("core", "secrets", "create delete update patch"),
        ),
    ]


def _within(namespace: str, name: str, account: str, allowed: Document) -> list[Document]:
    """A role that holds in one namespace, and who has it."""
    metadata = data.metadata(name, namespace, {"app.kubernetes.io/part-of": "cilium"})
    return [
        {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": [allowed]},
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}],
        },
    ]

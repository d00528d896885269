"""What Calico's programs may do in the cluster. After the roles in manifests/calico.yaml and canal.yaml of v3.32.1.

Both groups are named, as upstream does: a Calico may be told to keep its data under projectcalico.org.
"""

from __future__ import annotations

from raijin.network import documents as data
from raijin.network.cni import Document
from raijin.network.documents import RBAC, rule

NAMESPACE = "kube-system"
NODE, PLUGIN, CONTROLLERS, TIER_GETTER = (
    "calico-node",
    "calico-cni-plugin",
    "calico-kube-controllers",
    "calico-tier-getter",
)
_BOTH = "projectcalico.org crd.projectcalico.org"
_READ, _WRITE = "get list watch", "get list create update delete"
_KEPT = (
    "globalfelixconfigs globalbgpconfigs felixconfigurations bgppeers bgpfilters bgpconfigurations ippools "
    "ipreservations ipamblocks globalnetworkpolicies stagedglobalnetworkpolicies networkpolicies "
    "stagednetworkpolicies stagedkubernetesnetworkpolicies globalnetworksets networksets clusterinformations "
    "hostendpoints blockaffinities caliconodestatuses tiers"
)


def node_rules(*accounts: str) -> list[Document]:
    """Of calico-node, as far as Canal needs them too. accounts: those for which it asks tokens, for the plugin."""
    return [
        rule("core", "serviceaccounts/token", "create", " ".join(accounts)),
        rule("core", "pods nodes namespaces configmaps", "get"),
        rule("core", "pods namespaces serviceaccounts nodes", "list watch"),
        rule("core", "endpoints services", _READ),
        rule("discovery.k8s.io", "endpointslices", "list watch"),
        rule("core", "nodes/status", "patch update"),
        rule("core", "pods/status", "patch"),
        rule("networking.k8s.io", "networkpolicies", "list watch"),
        rule("policy.networking.k8s.io", "clusternetworkpolicies", "list watch"),
        rule(_BOTH, _KEPT, _READ),
        rule(_BOTH, "tiers", "create"),
        rule(_BOTH, "ippools felixconfigurations bgpconfigurations bgppeers clusterinformations", "create update"),
        rule(_BOTH, "caliconodestatuses", "update"),
        rule("kubevirt.io", "virtualmachineinstancemigrations", _READ),
    ]


def address_rules() -> list[Document]:
    """Of calico-node, where Calico gives the addresses."""
    return [
        rule(_BOTH, "blockaffinities ipamblocks ipamhandles", _WRITE),
        rule(_BOTH, "ipamconfigurations ipamconfigs", "get create"),
        rule("apps", "daemonsets", "get"),
    ]


def plugin_rules(*, addresses: bool) -> list[Document]:
    rules = [rule("core", "pods nodes namespaces", "get"), rule("core", "pods/status", "patch")]
    if addresses:
        kept = "blockaffinities ipamblocks ipamhandles clusterinformations ippools ipreservations"
        rules.append(rule(_BOTH, f"{kept} ipamconfigurations ipamconfigs", _WRITE))
        rules.append(rule("kubevirt.io", "virtualmachines virtualmachineinstances", "get"))
    return rules


def controllers_rules() -> list[Document]:
    """Without the rights to move the data to the other group, which upstream gives too: nobody asks for that here."""
    policies = "networkpolicies stagednetworkpolicies globalnetworkpolicies stagedglobalnetworkpolicies"
    return [
        rule("core", "nodes pods namespaces", _READ),
        rule("core", "services services/status", "get list update watch"),
        rule("apps", "daemonsets deployments", _READ),
        rule(_BOTH, "ipreservations", "list"),
        rule(_BOTH, "ippools", "list watch"),
        rule(_BOTH, "blockaffinities ipamblocks ipamhandles ipamconfigurations ipamconfigs tiers", f"{_WRITE} watch"),
        rule(_BOTH, "hostendpoints", f"{_WRITE} watch"),
        rule(_BOTH, "clusterinformations kubecontrollersconfigurations", "get list create update watch"),
        rule(_BOTH, "kubecontrollersconfigurations/status", "get update"),
        rule(_BOTH, policies, f"{_WRITE} watch"),
        rule("crd.projectcalico.org", "*", _READ),
        rule("apiextensions.k8s.io", "customresourcedefinitions", _READ),
        rule("kubevirt.io", "virtualmachines virtualmachineinstances", _READ),
    ]


def rights(node_account: str, *, addresses: bool) -> list[Document]:
    """Accounts, roles and bindings. addresses: whether Calico gives the addresses of pods itself."""
    accounts = (node_account, PLUGIN, CONTROLLERS)
    tokens = (node_account, PLUGIN) if node_account != NODE else (PLUGIN,)
    return [
        *(data.service_account(name, NAMESPACE) for name in accounts),
        data.cluster_role(NODE, [*node_rules(*tokens), *(address_rules() if addresses else [])]),
        data.cluster_role(PLUGIN, plugin_rules(addresses=addresses)),
        data.cluster_role(CONTROLLERS, controllers_rules()),
        data.cluster_role(TIER_GETTER, [rule("projectcalico.org", "tiers", "get")]),
        data.cluster_role_binding(NODE, NODE, (NAMESPACE, node_account)),
        data.cluster_role_binding(PLUGIN, PLUGIN, (NAMESPACE, PLUGIN)),
        data.cluster_role_binding(CONTROLLERS, CONTROLLERS, (NAMESPACE, CONTROLLERS)),
        _tier_getter(),
    ]


def _tier_getter() -> Document:
    """The garbage collector of namespaces asks for policies of every tier."""
    binding = data.cluster_role_binding(TIER_GETTER, TIER_GETTER, ("", ""))
    return {**binding, "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "system:kube-controller-manager"}]}

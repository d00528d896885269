"""Health of simulated clusters: a new one has no fault of any category, and what is spoiled is found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.twin.conftest import carried

from raijin.app.health import Health, health_of
from raijin.app.rehearsing import Stage
from raijin.validation.checks import CATEGORIES
from raijin.validation.finding import Grade


async def well(stage: Stage) -> Health:
    await carried(stage)
    return await health_of(stage.session, (), CATEGORIES)


@pytest.mark.parametrize("example", ["minimal", "ha", "k3s-ha", "rke2-ha", "talos-ha", "okd"])
def test_a_new_cluster_has_no_fault(staged, example: str) -> None:
    health, _ = staged(well, example)
    assert [str(f) for f in health.findings if f.grade.bad] == []
    looked = {finding.check for finding in health.findings}
    assert {"api-security", "host-security", "access-rights", "pod-security", "cluster-dns"} <= looked


async def spoiled(stage: Stage) -> dict[str, Grade]:
    """A key for everybody, a kubelet for everybody, an administrator for everybody, a Service with nobody behind it."""
    await carried(stage)
    site = stage.site
    host = site.hosts["n1"]
    key = "/etc/kubernetes/pki/ca.key"
    host.things["path", key] = replace(host.entry(key), mode="644")
    host.write("/var/lib/kubelet/config.yaml", "authentication: {anonymous: {enabled: true}}\n")
    rights = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/oops"
    subjects = [{"kind": "Group", "name": "system:unauthenticated"}]
    role = {"kind": "ClusterRole", "name": "cluster-admin"}
    site.cluster.put(
        rights, {"kind": "ClusterRoleBinding", "metadata": {"name": "oops"}, "roleRef": role, "subjects": subjects}
    )
    alone = {"kind": "Service", "metadata": {"name": "web", "namespace": "default"}, "spec": {"selector": {"a": "b"}}}
    site.cluster.put("/api/v1/namespaces/default/services/web", alone)
    health = await health_of(stage.session, (), ["SECURITY", "APPLICATION"])
    return {str(finding): finding.grade for finding in health.findings}


def test_what_is_spoiled_is_found(staged) -> None:
    found, _ = staged(spoiled)
    bad = {text for text, grade in found.items() if grade is Grade.FAILED}
    assert bad == {
        "n1: everybody on the host can get at /etc/kubernetes/pki/ca.key (644) (CIS 1.1, 4.1)",
        "n1: its kubelet answers whoever comes (authentication.anonymous; CIS 4.2.1)",
        "ClusterRoleBinding oops: it gives cluster-admin to whoever comes (system:unauthenticated; CIS 5.1.1)",
    }
    assert found["Service default/web: no ready pod is behind it (a=b)"] is Grade.WARNING
    assert found["10.96.0.10: the name service tells the address of kubernetes.default.svc.cluster.local"] is Grade.OK

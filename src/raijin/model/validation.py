"""What must hold before a new cluster counts as done."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from raijin.model.base import Model, fault, listed

HEALTH_CHECKS: dict[str, str] = {
    "host-health": "every host answers, has room on its disks, and its clock is right",
    "certificates": "no certificate on a host has expired, and none is about to",
    "api-availability": "the API server of every control plane host is ready, and so is the address of all of them",
    "etcd-health": "every member of etcd answers, votes, keeps up, and has room; there is no alarm",
    "node-readiness": "every host of the definition is a node that is Ready and lacks nothing",
    "versions": "every node runs the version of the definition",
    "container-network": "what pods talk to each other by runs on every node",
    "system-workloads": "what the cluster itself runs is there as often as it should be",
    "pod-health": "no pod crashes, and none waits for an image or a node",
    "api-security": "API servers and etcd ask who comes, and keep and log what the definition says",
    "host-security": "keys, kubeconfigs and data are for root alone, and kubelets answer nobody unknown",
    "access-rights": "nobody unknown, and not everybody, is an administrator of the cluster",
    "pod-security": "namespaces with pods that reach into their host say so in a label",
    "version-support": "every node runs a version that its project still mends, not too far behind the API server",
    "application-workloads": "what users run is there as often as it should be, and no job has failed",
    "volume-claims": "every claim that is used has its volume",
    "service-endpoints": "behind every Service there is a pod, and behind every Ingress a Service",
    "cluster-dns": "the name service of the cluster answers",
    "cluster-operators": "every cluster operator is available and not degraded (OKD)",
}
"""The checks by name, and what holds when they pass. What each looks at is in raijin/validation/."""


def _check(value: str) -> str:
    name = value.strip().lower().replace("_", "-").replace(" ", "-")
    if name not in HEALTH_CHECKS:
        raise fault("is no health check", f"there are {listed(HEALTH_CHECKS)}")
    return name


HealthCheck = Annotated[str, AfterValidator(_check)]


class Validation(Model):
    """What must hold before a new cluster counts as done."""

    wait_for_cluster: bool = Field(default=True, description="Wait until the checks pass.")
    timeout_minutes: int = Field(default=30, ge=1, description="How long to wait before the run fails.")
    health_checks: tuple[HealthCheck, ...] = Field(
        default=(),
        description="Checks to pass at the end of each run that changes the cluster, by name: "
        + "; ".join(f"`{name}`: {text}" for name, text in HEALTH_CHECKS.items())
        + ".",
        examples=[["node-readiness", "api-availability"]],
    )

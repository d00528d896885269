"""The documents of requests and answers. Requests are strict: a field that is not known is an error,
and so is a number or a yes that is written as text."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, model_validator
from pydantic.alias_generators import to_camel

from raijin.model.base import fault

NAME = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
DIGEST = r"^[0-9a-f]{8,64}$"
BACKUP = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$"


def _plain(value: str) -> str:
    """Text that every database and file can hold."""
    if any(ord(sign) < 32 or 0xD800 <= ord(sign) <= 0xDFFF for sign in value):
        raise fault("holds a control character", "write plain text")
    return value


Text = Annotated[str, AfterValidator(_plain), Field(max_length=1024)]


class Body(BaseModel):
    """A request."""

    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class Answer(BaseModel):
    """An answer; what a newer server adds is no error for a client."""

    model_config = ConfigDict(extra="allow")


Release = Annotated[str, Field(pattern=r"^v?[0-9][0-9A-Za-z.+-]{0,63}$")]
BackupName = Annotated[str, Field(pattern=BACKUP)]
HostName = Annotated[str, Field(pattern=r"^[a-z0-9][-a-z0-9.]{0,252}$")]
Authorities = Annotated[list[Annotated[str, Field(pattern=NAME)]], Field(max_length=8)]
Patience = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,4}[smh]$")]


class ValidateRequest(Body):
    validation_suite: Literal["QUICK", "STANDARD", "COMPREHENSIVE"] = Field(
        default="STANDARD", description="QUICK leaves out backups and runs."
    )
    checks: Annotated[list[Annotated[str, Field(pattern=NAME)]], Field(max_length=50)] = Field(
        default_factory=list, description="Only these checks, by name; default: all.", examples=[["nodes"]]
    )
    categories: tuple[Literal["INFRASTRUCTURE", "KUBERNETES", "APPLICATION", "SECURITY", "PERFORMANCE"], ...] = Field(
        default=(), description="Which checks; default: all.", max_length=5
    )
    remediate_issues: StrictBool = Field(
        default=False, description="Also start a run that brings the cluster to its definition, where something is off."
    )


class ScaleRequest(Body):
    node_group: Annotated[str, Field(pattern=NAME)] = Field(description="Which group.", examples=["workers"])
    target_count: StrictInt = Field(ge=0, le=5000, description="How many machines it shall have.", examples=[5])
    strategy: Literal["ROLLING"] = Field(default="ROLLING", description="Nodes leave one after the other, drained.")
    max_surge: StrictInt = Field(
        default=1,
        ge=1,
        le=100,
        description="Machines that may be there for a time beyond the target. Hosts never are: more than 1 is refused.",
    )
    drain_timeout: Patience = Field(default="10m", description="How long pods may take to leave a node.")


PlannedVerb = Literal[
    "apply", "upgrade", "scale", "worker-add", "worker-remove", "backup", "restore", "renew", "rotate-ca", "defragment",
    "replace", "prepare", "reset", "destroy",
]  # fmt: skip


class PlanRequest(Body):
    """What to plan, and what belongs to it: `version` to upgrade; `nodeGroup` with `targetCount` or `hosts` to scale;
    one of `hosts` to add a worker (with its `address`, if the Site does not know it) or to remove one; `backup` or `at`
    to restore; `authorities`, `restartWorkloads` and `step` to replace authorities; `hosts` to reset, to prepare or to
    replace as a member of etcd."""

    verb: PlannedVerb = Field(default="apply", description="What to plan. Nothing is written, the definition neither.")
    force: StrictBool = Field(default=False, description="Plan what `force` would do.")
    version: Release | None = Field(default=None, description="The release to go to.", examples=["v1.35.4"])
    node_group: Annotated[str, Field(pattern=NAME)] | None = Field(default=None, examples=["workers"])
    target_count: StrictInt | None = Field(default=None, ge=0, le=5000, description="How many machines it shall have.")
    hosts: Annotated[list[HostName], Field(max_length=5000)] | None = Field(
        default=None,
        description="Which hosts of the Site a group shall have, or what it is about.",
        examples=[["w1", "w2"]],
    )
    address: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.:-]{0,252}$")] | None = Field(
        default=None, description="Of a host that the Site does not know yet.", examples=["192.0.2.23"]
    )
    role: Literal["worker", "storage", "infra"] | None = Field(default=None, description="What a worker does.")
    drain: StrictBool | None = Field(default=None, description="Move the pods of a worker that leaves away first.")
    max_unavailable: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}%?$")] | None = Field(
        default=None, description="How many workers may be out of service at once, this time.", examples=["25%"]
    )
    drain_timeout: Patience | None = Field(default=None, description="How long pods may take to leave a node.")
    backup: BackupName | None = Field(default=None, description="An id of the list of backups, or `latest`.")
    at: float | None = Field(default=None, description="The newest backup that is not younger (Unix time).")
    authorities: Authorities | None = Field(default=None, description="Which to replace; none: all.")
    restart_workloads: StrictBool | None = Field(default=None, description="Start workloads of users anew too.")
    step: StrictBool | None = Field(default=None, description="Only the next turn.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Each field belongs to some verbs only."""
        given = {name for name in PLANNED_WITH if getattr(self, name) is not None}
        for name in sorted(given):
            if self.verb not in PLANNED_WITH[name]:
                raise fault(f"{to_camel(name)} says nothing about {self.verb}", "leave it out")
        if self.verb == "upgrade" and not given & {"version"}:
            raise fault("an upgrade needs a version", "name the release to go to")
        if self.verb == "scale" and ("node_group" not in given or len(given & {"target_count", "hosts"}) != 1):
            raise fault("to scale needs a node group and its new size", "give nodeGroup, and targetCount or hosts")
        if self.verb in ONE_HOST and len(self.hosts or ()) != 1:
            raise fault(f"{self.verb} is about one host", "name exactly one in hosts")
        if {"backup", "at"} <= given:
            raise fault("`at` and `backup` both name a backup", "give one of them")
        return self


PLANNED_WITH: Mapping[str, Collection[str]] = {
    "version": ("upgrade",), "max_unavailable": ("upgrade",), "node_group": ("scale", "worker-add"),
    "target_count": ("scale",), "hosts": ("scale", "worker-add", "worker-remove", "replace", "prepare", "reset"),
    "address": ("worker-add",), "role": ("worker-add",), "drain": ("worker-remove",),
    "drain_timeout": ("apply", "upgrade", "scale", "worker-remove"), "backup": ("restore",), "at": ("restore",),
    "authorities": ("rotate-ca",), "restart_workloads": ("rotate-ca",), "step": ("rotate-ca",),
}  # fmt: skip
"""Which verbs a field of a request for a plan belongs to."""
ONE_HOST = frozenset({"worker-add", "worker-remove", "replace", "prepare"})


class ApplyRequest(Body):
    plan: Annotated[str, Field(pattern=DIGEST)] | None = Field(
        default=None, description="The digest of a plan that was shown: exactly that is done, or nothing."
    )
    force: StrictBool = Field(default=False, description="Also where pods without a controller would be lost.")


class UpgradeRequest(Body):
    version: Release = Field(description="The release to go to.", examples=["v1.35.4"])
    force: StrictBool = Field(default=False, description="Also where pods without a controller would be lost.")


class RotateRequest(Body):
    authorities: Authorities = Field(
        default_factory=list, description="Which to replace; none: all.", examples=[["etcd"]]
    )
    restart_workloads: StrictBool = Field(
        default=False, description="Start workloads of users anew too, by their own rules."
    )
    step: StrictBool = Field(default=False, description="Only the next turn: the same request goes on from there.")


class RestoreRequest(Body):
    backup: BackupName = Field(default="latest", description="An id of the list of backups, or `latest`.")
    at: float | None = Field(default=None, description="The newest that is not younger than this (Unix time).")
    force: StrictBool = Field(default=False, description="Also when a control plane host cannot be reached.")


class RunSummary(Answer):
    """A run. created, finished: Unix times. state `interrupted`: the process that had it is gone."""

    id: str = Field(examples=["20261127-142530-3f9a"])
    cluster: str
    verb: str
    state: Literal["queued", "planning", "running", "interrupted", "done", "failed", "cancelled"]
    attempt: int
    created: float
    finished: float | None
    error: dict[str, Any] | None
    cancel_requested: bool
    requested_by: str
    changed: bool = Field(description="Whether there was anything to do.")


class RunPage(Answer):
    runs: list[RunSummary]
    next: str = Field(description="Give it as `before` for the next page; empty at the end.")


class RunStep(Answer):
    step: str
    stage: str
    title: str
    target: str
    state: str
    attempt: int
    needs: list[str]
    estimate: float = Field(description="Seconds, by the plan.", examples=[12.0])
    started: float | None
    seconds: float | None
    error: dict[str, Any] | None


class RunDetails(RunSummary):
    steps: list[RunStep]
    done: int
    total: int
    estimate_left: float = Field(description="Seconds, if the waiting steps went one after the other.")
    plan_digest: str


class EventLine(Answer):
    id: int
    run: str
    kind: str
    step: str
    host: str
    at: float
    data: dict[str, Any]


class EventPage(Answer):
    events: list[EventLine]
    next: int = Field(description="Give it as `after` for the next page.")


class ClusterSummary(Answer):
    name: str
    type: str
    version: str
    size: int
    nodes: dict[str, int]
    definition: str = Field(description="The file of the store that it is in.")
    last_run: RunSummary | None


class ClusterPage(Answer):
    clusters: list[ClusterSummary]
    next: str = Field(description="Give it as `after` for the next page; empty at the end.")


class ClusterDetails(ClusterSummary):
    document: dict[str, Any]
    hosts: list[dict[str, Any]]
    unsupported: list[dict[str, str]]
    etag: str


class PlanDocument(Answer):
    verb: str
    cluster: str
    digest: str
    notes: list[str]
    disruption: str
    estimate: float
    hosts: list[str]
    steps: list[dict[str, Any]]
    runbook: str


class DeletedBackup(Answer):
    backup: str
    deleted: list[str] = Field(description="The targets that had it.")


class Worker(Answer):
    name: str
    address: str
    group: str
    role: str
    state: str = Field(description="Empty unless the hosts were asked.")
    version: str
    remark: str


class WorkerList(Answer):
    workers: list[Worker]


class EtcdMember(Answer):
    """size, in_use: in bytes. lag: entries of the log that it is behind."""

    id: str
    name: str
    host: str = Field(description="Empty where the definition has none at its address.")
    state: Literal["leader", "voter", "learner", "broken"]
    size: int
    in_use: int
    lag: int
    version: str
    remark: str


class EtcdDocument(Answer):
    members: list[EtcdMember]
    alarms: list[str]
    quorum: int
    healthy: bool


class TriedBackup(Answer):
    """created: Unix time. objects: how many there are of each kind, the most first."""

    backup: str
    cluster: str
    version: str
    created: float
    keys: int = Field(description="What its data holds.")
    objects: dict[str, int]


class VersionList(Answer):
    version: str = Field(description="The one that the definition says.")
    held: list[str] = Field(description="Those whose artifacts are locked or imported, the newest first.")


class StatusDocument(Answer):
    cluster: str
    version: str
    api: str
    healthy: bool
    hosts: list[dict[str, Any]]


class Finding(Answer):
    check: str
    subject: str
    grade: Literal["ok", "warning", "failed", "unknown"]
    text: str
    remedy: str


class OverviewDocument(Answer):
    """A cluster on one screen. about: by part (API, etcd, certificates, backup, ...), in words."""

    cluster: str
    title: str
    healthy: bool
    verdict: str
    nodes: list[dict[str, str]]
    about: dict[str, str]
    problems: list[Finding] = Field(description="What people should look at, the worst first.")


class ValidationReport(Answer):
    cluster: str
    suite: str
    healthy: bool
    verdict: str
    findings: list[Finding]
    skipped: list[dict[str, str]] = Field(description="Categories that there are no checks of yet.")
    run: RunSummary | None = Field(description="What was started to mend it, if that was asked for.")


class Amounts(Answer):
    """CPU in cores, memory in bytes. requested: by pods; size: allocatable."""

    used: float
    requested: float | None = None
    size: float


class NodeUsage(Answer):
    name: str
    takes_pods: bool = Field(description="It is ready, not cordoned, and has no taint that keeps pods away.")
    cpu: Amounts
    memory: Amounts
    pods: Amounts


class TotalUsage(Answer):
    nodes: int
    cpu: Amounts
    memory: Amounts
    pods: Amounts


class PodUsage(Answer):
    namespace: str
    pod: str
    node: str
    at: float
    cpu_used: float
    cpu_requested: float
    memory_used: float
    memory_requested: float


class UsagePoint(Answer):
    """A moment, or (`seconds` is not 0) the mean of a time that begins then; of a single node with its peaks."""

    at: float
    seconds: float
    cpu_used: float
    cpu_size: float
    cpu_requested: float
    memory_used: float
    memory_size: float
    memory_requested: float
    pods: float
    pods_size: float
    cpu_peak: float | None = Field(default=None, description="Of a single node; not there for a whole cluster.")
    memory_peak: float | None = Field(default=None, description="Of a single node; not there for a whole cluster.")


class UtilisationDocument(Answer):
    cluster: str
    at: float | None = Field(description="When this was measured; null when nothing was yet.")
    asked: float | None = Field(description="When the cluster was asked the last time, also in vain.")
    source: str = Field(description="Who told: `metrics.k8s.io` or `kubelet`.")
    faults: list[str] = Field(description="What is missing, and why.")
    total: TotalUsage
    nodes: list[NodeUsage]
    pods: list[PodUsage] = Field(description="The largest, by memory.")
    history: list[UsagePoint]


class Spread(Answer):
    unit: str
    p50: float
    p95: float
    most: float


class UsualHour(Answer):
    weekday: int
    hour: int
    samples: int
    cpu: float
    cpu_p95: float
    memory: float
    memory_p95: float


class BaselineDocument(Answer):
    cluster: str
    since: float | None
    until: float | None
    samples: int
    resources: dict[str, Spread]
    hours: list[UsualHour] = Field(description="Of the hours of the week, those that were seen.")


class ResourceRoom(Answer):
    resource: str
    unit: str
    allocatable: float
    largest_node: str
    largest: float
    limit: float = Field(description="What may be taken so that the loss of the largest node is survived.")
    requested: float | None
    used: float
    p95: float
    headroom: float
    trend_per_day: float | None
    trend_days: int
    days_until_full: float | None
    arithmetic: list[str]


class Recommended(Finding):
    arithmetic: list[str]


class CapacityDocument(Answer):
    cluster: str
    at: float | None
    nodes: int = Field(description="Those that take pods.")
    hours: float = Field(description="How long a time the samples tell of.")
    resources: list[ResourceRoom]
    recommendations: list[Recommended]


class DefinitionFile(Answer):
    name: str
    file: str
    etag: str
    kinds: list[str]
    clusters: list[str]
    faults: list[dict[str, Any]]


class Problem(Answer):
    """RFC 9457, with the exit code that the command line would end with."""

    type: str = Field(examples=["urn:raijin:error:not-found"])
    title: str
    status: int
    detail: str
    exit_code: int
    transient: bool = Field(description="Whether the same request may succeed later.")
    request_id: str
    remedy: str = ""
    host: str = ""
    errors: list[dict[str, Any]] = []

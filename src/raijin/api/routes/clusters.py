"""Clusters: what they are, and what shall become of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Response
from starlette.concurrency import run_in_threadpool

from raijin.api.asked import Asking, Match, Served, tag
from raijin.api.caller import Known
from raijin.api.describing import CHANGING, HOSTS, LOOKING, accepted
from raijin.api.examples import PROVISION
from raijin.api.wire import (
    BACKUP,
    DIGEST,
    NAME,
    ApplyRequest,
    ClusterDetails,
    ClusterPage,
    DeletedBackup,
    EtcdDocument,
    HostName,
    OverviewDocument,
    PlanDocument,
    PlanRequest,
    RestoreRequest,
    RotateRequest,
    RunSummary,
    ScaleRequest,
    StatusDocument,
    TriedBackup,
    UpgradeRequest,
    ValidateRequest,
    ValidationReport,
    VersionList,
    WorkerList,
)
from raijin.app.changes import Change, agree, change_of, plan_change
from raijin.app.roles import EVERYWHERE, Role
from raijin.errors import Unsupported, UsageError

router = APIRouter(prefix="/clusters", tags=["clusters"])
ClusterName = Annotated[str, Path(pattern=NAME, description="The cluster.", examples=["production"])]
Backup = Annotated[str, Path(pattern=BACKUP, description="Its id, or `latest`.", examples=["latest"])]
Promised = Annotated[str | None, Query(pattern=DIGEST, description="The digest of a plan that was shown.")]
Shown = Annotated[str, Path(pattern=DIGEST, description="The digest of a plan that was shown.")]
AskHosts = Annotated[bool, Query(description="Ask the hosts and the cluster.")]
STARTED: dict[str, Any] = {"response_model": RunSummary, "status_code": 202}


@router.get("", response_model=ClusterPage, responses=LOOKING)
def list_clusters(
    caller: Known,
    service: Served,
    after: Annotated[str, Query(pattern=r"^[-a-z0-9]{0,63}$", description="Go on after this name.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """The clusters of the store, by name."""
    rows, more = service.clusters(after=after, limit=limit, sees=caller.sees)
    return {"clusters": rows, "next": more}


@router.post("/provision", responses={202: accepted("The run that makes the cluster."), **CHANGING}, **STARTED)
def provision(
    asked: Asking, document: Annotated[dict[str, Any], Body(openapi_examples=PROVISION, description="A Cluster.")]
) -> Response:
    """Take a cluster into the store, and make it. A document that is wrong, or that cannot be served, changes nothing.

    The document is a Cluster of the definition (`GET /api/v1/schema`); its hosts are those of the Sites in the store.
    """
    name = document.get("name")
    # A definition says what is read here and run on hosts: who brings a new one is who may write any.
    known = isinstance(name, str) and asked.service.knows(name)
    asked.require(Role.OPERATOR if known else Role.ADMIN, name if isinstance(name, str) else "")
    return asked.run(lambda: asked.service.provision(document, asked.request()))


@router.get("/{name}", response_model=ClusterDetails, responses=LOOKING)
def get_cluster(name: ClusterName, caller: Known, service: Served, response: Response) -> dict[str, Any]:
    """A cluster with its document, hosts and newest run. The ETag is that of its file."""
    caller.require(Role.VIEWER, name)
    document, stored = service.cluster(name)
    response.headers["ETag"] = f'"{stored.etag}"'
    return document


@router.delete("/{name}", responses={202: accepted("The run that ends the cluster."), **CHANGING}, **STARTED)
def decommission(name: ClusterName, asked: Asking, force: bool = False, plan: Promised = None) -> Response:
    """End the cluster: its data is lost, its hosts are put back as they were. Its file in the store stays.

    force: also when hosts cannot be reached; they are only forgotten. plan: the digest of a plan that was shown;
    another one is refused.
    """
    asked.require(Role.ADMIN, name)
    return asked.run(lambda: asked.service.ask(name, "destroy", asked.request(force=force, plan=plan)))


@router.put("/{name}/scale", responses={202: accepted("The run that scales it."), **CHANGING}, **STARTED)
def scale(name: ClusterName, wanted: ScaleRequest, asked: Asking, match: Match = None) -> Response:
    """Let a node group have so many machines: hosts of the Site that are free come, the last ones leave, drained.

    The definition says it as soon as the run has planned it and nothing stands against it.
    """
    asked.require(Role.OPERATOR, name)
    if wanted.max_surge > 1:
        raise Unsupported(
            "maxSurge: hosts of the Site come and go one by one; no machine is made beyond the target for a time",
            remedy="leave it out, or say 1",
        )
    request = asked.request(drain_timeout=wanted.drain_timeout)

    return asked.run(
        lambda: asked.service.scale(name, wanted.node_group, wanted.target_count, request, match=tag(match))
    )


@router.post("/{name}/validate", response_model=ValidationReport, responses={**CHANGING, **HOSTS})
async def validate(name: ClusterName, wanted: ValidateRequest, asked: Asking) -> dict[str, Any]:
    """Look at a cluster and say what is well and what is not."""
    asked.require(Role.OPERATOR if wanted.remediate_issues else Role.VIEWER, name)
    report = await asked.service.validate(name, wanted.validation_suite, wanted.categories, wanted.checks)
    run = None
    if wanted.remediate_issues and not report["healthy"]:
        run = await run_in_threadpool(asked.service.ask, name, "apply", asked.request())
    return report | {"run": asked.service.run_json(run)}


@router.post("/{name}/plan", response_model=PlanDocument, responses=HOSTS)
async def plan(name: ClusterName, caller: Known, service: Served, wanted: PlanRequest | None = None) -> dict[str, Any]:
    """What would be changed, field by field. Changes nothing; the plan is kept for a week, to be agreed to."""
    asked = wanted or PlanRequest()
    hosts = None if asked.hosts is None else tuple(asked.hosts)
    change = Change(
        asked.verb, asked.force, asked.version or "", asked.node_group or "", asked.target_count, hosts,
        asked.drain_timeout or "", asked.backup or "latest", asked.at,
        authorities=tuple(asked.authorities or ()), workloads=bool(asked.restart_workloads), step=bool(asked.step),
        address=asked.address or "", node_role=asked.role or "worker", drain=asked.drain is not False,
        max_unavailable=asked.max_unavailable or "",
    )  # fmt: skip
    caller.require(change.planner, name if not asked.address else EVERYWHERE)
    return await plan_change(service, name, change)


@router.post("/{name}/plans/{digest}/run", responses={202: accepted("The run."), **CHANGING}, **STARTED)
def agree_to_plan(name: ClusterName, digest: Shown, asked: Asking) -> Response:
    """Have exactly this plan carried out, or nothing (409).

    What it changes in the definition is written when the run has found that the hosts have not moved.

    It takes the role that its verb takes: an administrator to restore, to end, to reset, to replace authorities or
    members of etcd, and to bring in a host that the Site does not know; else an operator.
    """
    asked.require(Role.OPERATOR, name)
    change = change_of(asked.service, name, digest)
    asked.require(change.role, name if not change.address else EVERYWHERE)
    return asked.run(lambda: agree(asked.service, name, digest, asked.request()))


@router.post("/{name}/apply", responses={202: accepted("The run."), **CHANGING}, **STARTED)
def apply(name: ClusterName, asked: Asking, wanted: ApplyRequest | None = None) -> Response:
    """Make the cluster what its definition says. With the digest of a plan: exactly that plan, or 409."""
    asked.require(Role.OPERATOR, name)
    given = wanted or ApplyRequest()
    return asked.run(lambda: asked.service.ask(name, "apply", asked.request(force=given.force, plan=given.plan or "")))


@router.post("/{name}/upgrade", responses={202: accepted("The run that upgrades it."), **CHANGING}, **STARTED)
def upgrade(name: ClusterName, wanted: UpgradeRequest, asked: Asking, match: Match = None) -> Response:
    """Go to another release. The definition says it as soon as the run has planned it and nothing stands against it."""
    asked.require(Role.OPERATOR, name)
    request = asked.request(force=wanted.force)
    return asked.run(lambda: asked.service.upgrade(name, wanted.version, request, match=tag(match)))


@router.post("/{name}/backup", responses={202: accepted("The run that takes the backup."), **CHANGING}, **STARTED)
def backup(name: ClusterName, asked: Asking) -> Response:
    """Take a snapshot with the keys of the cluster, encrypt it, keep it in every target of the definition."""
    asked.require(Role.OPERATOR, name)
    return asked.run(lambda: asked.service.ask(name, "backup", asked.request()))


@router.post("/{name}/restore", responses={202: accepted("The run that restores it."), **CHANGING, **HOSTS}, **STARTED)
def restore(name: ClusterName, wanted: RestoreRequest, asked: Asking) -> Response:
    """Go on from a backup. What was written after it is lost. Whether there is that backup is asked at once."""
    asked.require(Role.ADMIN, name)
    if wanted.at is not None and wanted.backup != "latest":
        raise UsageError("`at` and `backup` both name a backup", remedy="give one of them")
    request = asked.request(force=wanted.force)
    return asked.run(lambda: asked.service.restore(name, wanted.backup, wanted.at, request))


@router.post("/{name}/backups/{backup}/verify", response_model=TriedBackup, responses={**CHANGING, **HOSTS})
async def verify(name: ClusterName, caller: Known, service: Served, backup: Backup) -> dict[str, Any]:
    """Restore a backup into a scratch etcd on the server's machine, and count what is in it. Takes a while."""
    caller.require(Role.OPERATOR, name)
    found = await service.verify(name, backup)
    await run_in_threadpool(service.note, caller, "backup-verified", name, f"{found['keys']} keys")
    return found


@router.delete("/{name}/backups/{backup}", response_model=DeletedBackup, responses={**CHANGING, **HOSTS})
async def delete_backup(name: ClusterName, caller: Known, service: Served, backup: Backup) -> dict[str, Any]:
    """Delete a backup from every target."""
    caller.require(Role.ADMIN, name)
    targets = await service.delete_backup(name, backup)
    await run_in_threadpool(service.note, caller, "backup-deleted", name, backup)
    return {"backup": backup, "deleted": targets}


@router.post("/{name}/certificates/renew", responses={202: accepted("The run."), **CHANGING}, **STARTED)
def renew(name: ClusterName, asked: Asking) -> Response:
    """Renew all certificates now, control planes one at a time. Those that are due an apply renews by itself."""
    asked.require(Role.OPERATOR, name)
    return asked.run(lambda: asked.service.ask(name, "renew", asked.request()))


@router.post("/{name}/certificates/rotate-ca", responses={202: accepted("The run."), **CHANGING}, **STARTED)
def rotate_ca(name: ClusterName, asked: Asking, wanted: RotateRequest | None = None) -> Response:
    """Replace the authorities while the cluster runs. Credentials that were handed out before are of no use then."""
    asked.require(Role.ADMIN, name)
    given = wanted or RotateRequest()
    request = asked.request(authorities=given.authorities, workloads=given.restart_workloads, step=given.step)
    return asked.run(lambda: asked.service.ask(name, "rotate-ca", request))


@router.get("/{name}/versions", response_model=VersionList, responses=LOOKING)
def versions(name: ClusterName, caller: Known, service: Served) -> dict[str, Any]:
    """The release that it has by its definition, and those that are at hand for an upgrade."""
    caller.require(Role.VIEWER, name)
    return service.versions(name)


@router.get("/{name}/status", response_model=StatusDocument, responses=HOSTS)
async def status(name: ClusterName, caller: Known, service: Served) -> dict[str, Any]:
    """Hosts beside nodes, as they are now."""
    caller.require(Role.VIEWER, name)
    return (await service.status(name)).to_json()


@router.get("/{name}/overview", response_model=OverviewDocument, responses=HOSTS)
async def overview(name: ClusterName, caller: Known, service: Served) -> dict[str, Any]:
    """Nodes, versions, etcd, network, add-ons, the last backup and run, and what is wrong, for one screen."""
    caller.require(Role.VIEWER, name)
    return await service.overview(name)


@router.get("/{name}/workers", response_model=WorkerList, responses=HOSTS)
async def workers(name: ClusterName, caller: Known, service: Served, status: AskHosts = False) -> dict[str, Any]:
    """The workers of the definition, with their state where that is asked for."""
    caller.require(Role.VIEWER, name)
    return await service.workers(name, with_status=status)


@router.get("/{name}/etcd", response_model=EtcdDocument, responses=HOSTS)
async def etcd(name: ClusterName, caller: Known, service: Served) -> dict[str, Any]:
    """The members of etcd: who leads, how large their stores are, how far they are behind."""
    caller.require(Role.VIEWER, name)
    return await service.etcd(name)


@router.get("/{name}/facts", responses=HOSTS)
async def facts(
    name: ClusterName,
    caller: Known,
    service: Served,
    host: Annotated[list[HostName] | None, Query(max_length=100, description="Only this one; again for more.")] = None,
) -> dict[str, Any]:
    """What is known about its hosts, or some of them, asked now."""
    caller.require(Role.VIEWER, name)
    return await service.facts(name, host or ())


@router.get("/{name}/backups", responses=HOSTS)
async def backups(name: ClusterName, caller: Known, service: Served) -> dict[str, Any]:
    """Its backups in all targets, and whether they were ever tried."""
    caller.require(Role.VIEWER, name)
    return await service.backups(name)


@router.get("/{name}/certificates", responses=HOSTS)
async def certificates(name: ClusterName, caller: Known, service: Served) -> dict[str, Any]:
    """Every certificate on every host, how long each is good for, and what renews it."""
    caller.require(Role.VIEWER, name)
    return await service.certificates(name)


@router.get("/{name}/artifacts", responses=HOSTS)
def artifacts(name: ClusterName, caller: Known, service: Served) -> dict[str, Any]:
    """What it is made of: binaries and images, and whether they are here."""
    caller.require(Role.VIEWER, name)
    return {"artifacts": service.artifacts(name)}


@router.get("/{name}/kubeconfig", responses=HOSTS)
async def kubeconfig(name: ClusterName, caller: Known, service: Served) -> dict[str, str]:
    """The administrator's kubeconfig. Its being handed out is in the audit trail."""
    caller.require(Role.ADMIN, name)
    text = await service.kubeconfig(name)
    await run_in_threadpool(service.note, caller, "kubeconfig", name)
    return {"kubeconfig": text}

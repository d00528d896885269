"""Looking, without touching: facts of hosts, the state of the cluster, and programs run in check mode."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from raijin.errors import HostError, KubernetesError, OperationFailed, RaijinError
from raijin.facts import etcd
from raijin.facts.base import Unknown
from raijin.facts.cluster import ClusterState, observe
from raijin.facts.etcd import EtcdState
from raijin.facts.gather import parse, script
from raijin.model.host import Host
from raijin.model.node_group import NodeRole
from raijin.operations.base import Resolve
from raijin.operations.program import Mode, Program, compile_operations
from raijin.operations.report import Report, parse_line
from raijin.plan.draft import Draft
from raijin.platforms import platform_of
from raijin.platforms.access import open_cluster
from raijin.platforms.base import Context, Node
from raijin.platforms.platform import Platform
from raijin.platforms.view import HostView
from raijin.transport.kube import Document
from raijin.transport.pool import Pool

FACTS_SECONDS = 60.0
CHECK_SECONDS = 300.0


async def facts_of(pool: Pool, host: str) -> HostView:
    """The facts of one host, in one execution. Raises HostError."""
    connection = await pool.get(host)
    sent = time.time()
    done = await connection.run(script(), timeout=FACTS_SECONDS)
    if done.status != 0:
        raise OperationFailed(
            f"the facts could not be read (status {done.status})",
            host=host,
            remedy="see the output; the host needs a POSIX shell at /bin/sh",
            detail=done.stderr or done.stdout[-2000:],
        )
    facts = parse(done.stdout)
    middle = (sent + time.time()) / 2
    return HostView(facts, 0.0 if isinstance(facts.clock, Unknown) else facts.clock.epoch - middle)


async def look_at(
    pool: Pool, platform: Platform, hosts: Iterable[tuple[Host, NodeRole]]
) -> tuple[list[Node], list[HostError]]:
    """The hosts with their facts, all at the same time; those that cannot be reached stand without, and as errors."""

    async def one(host: Host, role: NodeRole) -> tuple[Node, HostError | None]:
        try:
            facts = await facts_of(pool, host.name)
            return Node(host, role, facts, parts=platform.parts(facts)), None
        except HostError as error:
            return Node(host, role, None, str(error)), error

    found = await asyncio.gather(*(one(host, role) for host, role in hosts))
    return [node for node, _ in found], [error for _, error in found if error is not None]


async def cluster_state(
    pool: Pool, context: Context, documents: Iterable[Document] = (), part: str = ""
) -> tuple[ClusterState | None, str]:
    """The cluster as its API shows it; None and why not, when no control plane host has one that answers."""
    cluster, started = context.cluster, [node.name for node in context.started]
    if not started:
        return None, ""
    port, path = cluster.kubernetes.api_server_port, platform_of(cluster).kubeconfig
    try:
        async with open_cluster(pool, started, cluster.name, port=port, path=path) as kube:
            return await observe(kube, documents, part), ""
    except (KubernetesError, HostError) as error:
        return None, str(error)


async def etcd_state(pool: Pool, context: Context) -> EtcdState | None:
    """The members of the cluster's etcd, by way of the first control plane host whose member answers.

    None when there is none that Raijin looks after, or none answers: without a quorum etcd does not tell who belongs to
    it.
    """
    access = platform_of(context.cluster).etcd(context.cluster)
    if access is None:
        return None
    for node in context.started:
        try:
            connection = await pool.get(node.name)
            done = await connection.run(etcd.script(access), timeout=FACTS_SECONDS)
        except HostError:
            continue  # its absence is told elsewhere; another member knows the same
        state = etcd.parse(done.stdout)
        if state is not None:
            return state
    return None


async def check(
    pool: Pool, drafts: Sequence[Draft], resolve: Resolve
) -> tuple[dict[str, list[Report]], list[RaijinError]]:
    """What each program would change, by draft key: one execution per host, all hosts at the same time."""
    by_host: dict[str, list[Draft]] = {}
    for draft in drafts:
        if isinstance(draft.action, Program):
            by_host.setdefault(draft.target, []).append(draft)

    async def one(host: str, asked: list[Draft]) -> tuple[dict[str, list[Report]], RaijinError | None]:
        try:
            return await _check_host(pool, host, asked, resolve), None
        except HostError as error:
            return {}, error

    results = await asyncio.gather(*(one(host, asked) for host, asked in by_host.items()))
    reports = {key: value for found, _ in results for key, value in found.items()}
    return reports, [error for _, error in results if error is not None]


async def _check_host(pool: Pool, host: str, drafts: list[Draft], resolve: Resolve) -> dict[str, list[Report]]:
    programs = [draft.action for draft in drafts if isinstance(draft.action, Program)]
    operations = [operation for program in programs for operation in program.operations]
    connection = await pool.get(host)
    done = await connection.run(compile_operations(programs, Mode.CHECK, resolve=resolve), timeout=CHECK_SECONDS)
    reports = [report for line in done.stdout.splitlines() if (report := parse_line(line, operations))]
    if done.status != 0 or len(reports) != len(operations):
        raise OperationFailed(
            f"the check ended early (status {done.status}) after {len(reports)} of {len(operations)} operations",
            host=host,
            remedy="see the output; nothing was changed",
            detail=done.stderr or done.stdout[-2000:],
        )
    split: dict[str, list[Report]] = {}
    first = 0
    for draft, program in zip(drafts, programs, strict=True):
        last = first + len(program.operations)
        split[draft.key] = [replace(r, index=r.index - first) for r in reports[first:last]]
        first = last
    return split

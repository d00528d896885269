"""Looking, without touching: facts of hosts, the state of the cluster, and programs run in check mode."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from raijin.app.asking import CHECK_SECONDS, FACTS_SECONDS, Ahead
from raijin.errors import HostError, KubernetesError, OperationFailed, RaijinError
from raijin.facts.cluster import ClusterState, observe
from raijin.facts.gather import script
from raijin.model.host import Host
from raijin.model.node_group import NO_NODES, NodeRole
from raijin.operations.base import Resolve, SecretRef
from raijin.operations.program import Mode, Program, Script, script_parts
from raijin.operations.report import Report, State, parse_line
from raijin.plan.draft import Draft
from raijin.platforms import platform_of
from raijin.platforms.access import open_cluster
from raijin.platforms.base import Context, Node
from raijin.platforms.platform import Platform
from raijin.platforms.view import HostView, viewed
from raijin.transport.document import Document
from raijin.transport.pool import Pool


async def facts_of(pool: Pool, host: str, *, for_plan: bool = False, ahead: Ahead | None = None) -> HostView:
    """The facts of one host (or those that a plan looks at), in one execution. Raises HostError."""
    answer = ahead.answer(host) if ahead else None
    told = await answer.facts() if answer else None
    if answer and told is not None:
        # What is not whole is asked for again, and its error then is the one that a person has to see.
        with contextlib.suppress(HostError):
            return viewed(told, answer.sent, answer.heard)
    connection = await pool.get(host)
    sent = time.time()
    done = await connection.run(script(for_plan=for_plan), timeout=FACTS_SECONDS)
    if done.status != 0:
        raise OperationFailed(
            f"the facts could not be read (status {done.status})",
            host=host,
            remedy="see the output; the host needs a POSIX shell at /bin/sh",
            detail=done.stderr or done.stdout[-2000:],
        )
    return viewed(done.stdout, sent, time.time())


async def look_at(
    pool: Pool,
    platform: Platform,
    hosts: Iterable[tuple[Host, NodeRole]],
    *,
    for_plan: bool = False,
    ahead: Ahead | None = None,
) -> tuple[list[Node], list[HostError]]:
    """The hosts with their facts, all at the same time; those that cannot be reached stand without, and as errors."""

    async def one(host: Host, role: NodeRole) -> tuple[Node, HostError | None]:
        try:
            facts = await platform.look(pool, host.name) if role not in NO_NODES else None
            if facts is None:
                facts = await facts_of(pool, host.name, for_plan=for_plan, ahead=ahead)
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


@dataclass(frozen=True, slots=True)
class Checked:
    """What each program would change, by draft key; the hosts that did not answer; and what the others were sent.

    scripts: the parts of each host's check, where no secret is in it.
    """

    reports: dict[str, list[Report]]
    failures: list[RaijinError]
    scripts: dict[str, list[str]]


async def check(
    pool: Pool,
    drafts: Sequence[Draft],
    resolve: Resolve,
    ahead: Ahead | None = None,
    on_difference: Callable[[], None] = lambda: None,
) -> Checked:
    """Run the programs in check mode: one execution per host, all hosts at the same time.

    A host that is being asked ahead is not asked again when that check is the very one. on_difference: called when a
    host would change something.
    """
    by_host: dict[str, list[Draft]] = {}
    for draft in drafts:
        if isinstance(draft.action, Program):
            by_host.setdefault(draft.target, []).append(draft)
    checked = Checked({}, [], {})

    async def one(host: str, asked: list[Draft]) -> RaijinError | None:
        programs = [draft.action for draft in asked if isinstance(draft.action, Program)]
        question = Question(programs, resolve)
        try:
            reports = await _check_host(pool, host, question, ahead)
        except HostError as error:
            return error
        if any(report.state is State.WOULD_CHANGE for report in reports):
            on_difference()
        checked.reports.update(_split(asked, programs, reports))
        if not question.secrets:
            checked.scripts[host] = question.parts
        return None

    errors = await asyncio.gather(*(one(host, asked) for host, asked in by_host.items()))
    checked.failures.extend(error for error in errors if error is not None)
    return checked


class Question:
    """The check of some programs of one host. secrets: whether the value of one was asked for to write it."""

    def __init__(self, programs: Sequence[Program], resolve: Resolve) -> None:
        self.secrets = False

        def noted(reference: SecretRef) -> str:
            self.secrets = True
            return resolve(reference)

        self.operations = [operation for program in programs for operation in program.operations]
        self.parts = script_parts(programs, Mode.CHECK, resolve=noted)
        self.text = Script("\n".join(self.parts), programs, Mode.CHECK, "none", noted)

    def reports(self, output: str) -> list[Report]:
        return [report for line in output.split("\n") if (report := parse_line(line, self.operations))]


async def _check_host(pool: Pool, host: str, question: Question, ahead: Ahead | None) -> list[Report]:
    answer = ahead.answer(host) if ahead else None
    if answer is not None and answer.check == question.text:
        reports = question.reports(await answer.reports() or "")
        if len(reports) == len(question.operations):
            return reports
    connection = await pool.get(host)
    done = await connection.run(question.text, timeout=CHECK_SECONDS)
    reports = question.reports(done.stdout)
    if done.status != 0 or len(reports) != len(question.operations):
        raise OperationFailed(
            f"the check ended early (status {done.status}) "
            f"after {len(reports)} of {len(question.operations)} operations",
            host=host,
            remedy="see the output; nothing was changed",
            detail=done.stderr or done.stdout[-2000:],
        )
    return reports


def _split(
    drafts: Sequence[Draft], programs: Sequence[Program], reports: Sequence[Report]
) -> Iterator[tuple[str, list[Report]]]:
    """The reports of each draft, counted from its own first operation."""
    first = 0
    for draft, program in zip(drafts, programs, strict=True):
        last = first + len(program.operations)
        yield draft.key, [replace(r, index=r.index - first) for r in reports[first:last]]
        first = last

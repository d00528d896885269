"""Making a plan: look at everything, then let the pure planner decide."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from raijin.app import observing, supply
from raijin.app.choosing import host_to_prepare
from raijin.app.session import Session
from raijin.app.targets import recalled, targets_of
from raijin.app.unsupported import unsupported, untouched
from raijin.errors import HostError, RaijinError, Unsupported
from raijin.lifecycle import apply as apply_verb
from raijin.lifecycle import destroy as destroy_verb
from raijin.lifecycle.desired import NETWORK_PART, observed_documents
from raijin.lifecycle.network import farewell, unwell
from raijin.lifecycle.preflight import preflight
from raijin.model.host import Host
from raijin.model.node_group import NodeRole
from raijin.model.policy import OnHostFailure
from raijin.operations.base import Resolve, SecretRef, unresolved
from raijin.plan.build import build, refused
from raijin.plan.draft import Draft
from raijin.plan.model import Material, Plan
from raijin.platforms import platform_of
from raijin.platforms.base import Context, Node
from raijin.state.members import Member
from raijin.state.secrets import SecretStore
from raijin.transport.pool import Pool

VERBS = {"apply": apply_verb.drafts, "prepare": apply_verb.prepare_drafts, "destroy": destroy_verb.drafts}
CHANGING = {"apply", "prepare"}
"""Verbs that bring hosts nearer to the definition, so that they need artifacts and must pass the preflight."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, what it was made from, and when (seconds since the epoch)."""

    plan: Plan
    context: Context
    at: float

    def runbook(self) -> Iterator[str]:
        """The plan as Markdown, for a person with a terminal."""
        from raijin.plan.runbook import runbook  # noqa: PLC0415
        from raijin.platforms.calls import BY_HAND  # noqa: PLC0415

        return runbook(self.plan, {**BY_HAND, **platform_of(self.context.cluster).by_hand})


@asynccontextmanager
async def open_pool(session: Session, extra: Iterable[Host] = ()) -> AsyncIterator[Pool]:
    """Connections to the hosts of the definition and to `extra` ones; closed at the end."""
    hosts = [placed.host for placed in session.definition.hosts_of(session.cluster)]
    hosts += [host for host, _ in wanted_hosts(session)]
    pool = Pool(targets_of([*hosts, *extra], session.definition, session.home))
    try:
        yield pool
    finally:
        await pool.close()


def members_of(session: Session) -> dict[str, Member]:
    if not session.has_state:
        return {}
    from raijin.state.members import Members  # noqa: PLC0415

    return Members(session.database).of(session.cluster.name)


def wanted_hosts(session: Session) -> list[tuple[Host, NodeRole]]:
    """The hosts that the verb is about: those of the cluster, or the one that `prepare` names."""
    if session.only_host is not None:
        return [host_to_prepare(session, session.only_host)]
    return [(placed.host, placed.role) for placed in session.definition.hosts_of(session.cluster)]


def departed_hosts(session: Session, members: dict[str, Member]) -> list[tuple[Host, NodeRole]]:
    """Members that the definition no longer places: as the Site describes them, else as they were last reached."""
    placed = {p.name for p in session.definition.hosts_of(session.cluster)}
    known = {host.name: host for host in session.definition.site().hosts}
    return [
        (known.get(name) or recalled(member.target), NodeRole(member.role))
        for name, member in members.items()
        if name not in placed
    ]


def context_of(
    session: Session,
    seen: Sequence[Node],
    *,
    members: Mapping[str, Member] | None = None,
    departed: tuple[Node, ...] = (),
) -> Context:
    """What was seen of the session's cluster, nodes and the hosts beside them apart."""
    beside = tuple(node for node in seen if node.role is NodeRole.BASTION)
    nodes = tuple(node for node in seen if node.role is not NodeRole.BASTION)
    site = session.definition.site()
    return Context(site, session.cluster, nodes, members=members or {}, departed=departed, beside=beside)


async def make_plan(session: Session, verb: str, pool: Pool, *, force: bool = False) -> Planned:
    """desired x observed -> plan, writing nothing. Raises PlanRefused, Unsupported, HostError, ArtifactError."""
    cluster, started = session.cluster, time.time()
    site = session.definition.site()
    problems = unsupported(cluster, site, [host for host, _ in wanted_hosts(session)])
    if problems:
        raise Unsupported(
            f"{len(problems)} parts of the definition cannot be served yet:\n"
            + "\n".join(f"  - {path}: {reason}" for path, reason in problems),
            remedy="take these parts out, or wait for the release that serves them",
        )
    context, notes, materials = await _observe(session, verb, pool, force=force)
    notes += untouched(site)
    drafts = VERBS[verb](context)
    reports, failures = await observing.check(pool, drafts, _resolver(session))
    if failures:
        context, drafts, lost = _without(context, verb, failures)
        notes += lost
    plan = build(
        verb,
        cluster.name,
        drafts,
        reports,
        notes=notes,
        definition=session.fingerprint(),
        sources=[str(path.resolve()) for path in session.paths],
        materials=materials,
        estimates=_estimates(session),
    )
    return Planned(plan, context, started)


async def _observe(
    session: Session, verb: str, pool: Pool, *, force: bool
) -> tuple[Context, list[str], Sequence[Material]]:
    cluster = session.cluster
    members = members_of(session)
    quarantined = {name: m.quarantine for name, m in members.items() if m.quarantine and verb in CHANGING}
    wanted = wanted_hosts(session)
    departing = [] if verb == "prepare" else departed_hosts(session, members)
    asked = [*((host, role) for host, role in wanted if host.name not in quarantined), *departing]
    seen, errors = await observing.look_at(pool, platform_of(cluster), asked)
    by_name = {node.name: node for node in seen}
    nodes = [by_name.get(h.name) or Node(h, r, None, f"in quarantine: {quarantined[h.name]}") for h, r in wanted]
    gone = tuple(by_name[host.name] for host, _ in departing)
    notes = [f"{node.name} is left out: {node.absence}" for node in nodes if node.facts is None]
    notes += [f"{node.name} cannot be reached: only its traces in the cluster go" for node in gone if not node.facts]
    _judge_absence(session, verb, nodes, [e for e in errors if e.host in {n.name for n in nodes}], force=force)
    context = context_of(session, nodes, members=members, departed=gone)
    context = replace(context, force=force, drain=session.drain)
    materials: Sequence[Material] = ()
    if verb in CHANGING:
        archs = {node.facts.architecture for node in context.reachable if node.facts}
        supplies = supply.supplies_for(session, archs, str(cluster.kubernetes_version))
        context = replace(context, supplies=supplies.by_arch, tags=supplies.tags)
        materials = supplies.materials
        notes += supplies.notes
    documents = observed_documents(context) if verb == "apply" else []
    (state, why), members_of_etcd = await asyncio.gather(
        observing.cluster_state(pool, context, documents, NETWORK_PART if documents else ""),
        observing.etcd_state(pool, context) if _asks_etcd(verb, context) else _nothing(),
    )
    context = replace(context, state=state, etcd=members_of_etcd)
    if verb == "apply":
        hops, more = supply.hops_for(session, context)
        context = replace(context, hops=hops)
        materials = (*materials, *more)
    strangers = _strangers(session, context) if verb == "apply" else ()
    context = replace(context, departed=(*gone, *strangers))
    notes += [f"{node.name} is in the cluster, not in the definition, and {node.absence}" for node in strangers]
    notes += farewell(context, (*context.nodes, *gone) if verb == "destroy" else gone)
    notes += unwell(context)
    if why:
        notes.append(f"the API of the cluster does not answer: {why}")
    if verb in CHANGING:
        reasons = preflight(context, api_failure=why)
        if reasons:
            raise refused(reasons)
    return context, notes, materials


def _asks_etcd(verb: str, context: Context) -> bool:
    """Its members matter where there are, or were, several control plane hosts."""
    planes = [node for node in (*context.nodes, *context.departed) if node.control_plane]
    return verb in CHANGING and len(planes) > 1


async def _nothing() -> None:
    return None


def _strangers(session: Session, context: Context) -> tuple[Node, ...]:
    """Nodes that Raijin once made (they bear its note) and that neither the definition nor this RAIJIN_HOME knows.

    They leave like any other, but how their hosts are reached is not known here.
    """
    known = {node.name for node in (*context.nodes, *context.departed)}
    defined = {host.name: host for host in session.definition.site().hosts}
    absence = "not known to this RAIJIN_HOME: its node goes, the host itself keeps its traces"
    return tuple(
        Node(defined.get(live.name) or Host.model_validate({"name": live.name}), NodeRole.WORKER, None, absence)
        for live in (context.state.nodes.values() if context.state else ())
        if live.name not in known and live.managed_labels and not live.control_plane
    )


def _judge_absence(
    session: Session, verb: str, nodes: Sequence[Node], errors: Sequence[HostError], *, force: bool
) -> None:
    """A host that cannot be reached ends planning, unless the policy is to go on without it."""
    if not errors or (verb == "destroy" and force):
        return
    planes = [node for node in nodes if node.control_plane]
    # Whether there is a cluster already, only a member of its control plane can tell: without one nothing is started.
    blind = any(node.facts is None for node in planes) and not any(node.parts.started for node in planes)
    if session.cluster.policy.on_host_failure is OnHostFailure.STOP or blind:
        raise together(errors)


def together(errors: Sequence[RaijinError]) -> RaijinError:
    """Several errors as one: the class (and exit code) of the first, the text of all."""
    first = errors[0]
    if len(errors) == 1:
        return first
    text = "\n".join(f"  - {error}" + (f" ({error.remedy})" if error.remedy else "") for error in errors)
    joined = type(first)(f"{len(errors)} hosts cannot be used:\n{text}", remedy="see each host above")
    joined.detail = "\n".join(filter(None, (error.detail for error in errors))) or None
    return joined


def _without(context: Context, verb: str, failures: Sequence[RaijinError]) -> tuple[Context, list[Draft], list[str]]:
    """The plan without hosts that were lost between their facts and their check, if the policy allows that."""
    lost = {error.host: str(error) for error in failures}
    control = {node.name for node in context.control_planes}  # a member that is lost just now is looked at anew
    if context.cluster.policy.on_host_failure is OnHostFailure.STOP or control & set(lost):
        raise together(failures)
    nodes = tuple(replace(n, facts=None, absence=lost[n.name]) if n.name in lost else n for n in context.nodes)
    smaller = replace(context, nodes=nodes)
    return smaller, VERBS[verb](smaller), [f"{host} is left out: {reason}" for host, reason in lost.items()]


def _resolver(session: Session) -> Resolve:
    store = SecretStore(session.home)

    def resolve(reference: SecretRef) -> str:
        return store.get(reference.secret) if store.has(reference.secret) else unresolved(reference)

    return resolve


def _estimates(session: Session) -> dict[str, float]:
    if not session.has_state:
        return {}
    from raijin.state.runs import Runs  # noqa: PLC0415

    return Runs(session.database).timings()


async def plan(session: Session, verb: str, *, force: bool = False) -> Planned:
    """A plan on its own: connections are opened for it and closed after it."""
    departing = [host for host, _ in departed_hosts(session, members_of(session))]
    async with open_pool(session, departing) as pool:
        return await make_plan(session, verb, pool, force=force)

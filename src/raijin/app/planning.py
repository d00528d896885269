"""Making a plan: look at everything, then let the pure planner decide."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from raijin.app import making, observing, supply
from raijin.app.asking import Ahead
from raijin.app.reaching import departed_hosts, members_of, wanted_hosts
from raijin.app.session import Session
from raijin.app.unsupported import refuse, unsupported, untouched
from raijin.app.verbs import VERBS, Verb
from raijin.errors import HostError, RaijinError
from raijin.facts.etcd import EtcdState
from raijin.lifecycle import renew, rotate
from raijin.lifecycle.desired import NETWORK_PART, observed_documents
from raijin.lifecycle.network import farewell, unwell
from raijin.lifecycle.returned import as_empty
from raijin.model.host import Host
from raijin.model.node_group import NO_NODES, NodeRole
from raijin.model.policy import OnHostFailure
from raijin.operations.base import Resolve, SecretRef, unresolved
from raijin.plan.build import build, refused
from raijin.plan.draft import Draft
from raijin.plan.model import Material, Plan
from raijin.platforms import platform_of
from raijin.platforms.authorities import kept_of
from raijin.platforms.base import Context, Node
from raijin.platforms.keys import keys_of
from raijin.platforms.turns import ALL
from raijin.state.member import Member
from raijin.state.snapshot import read_machines, read_timings
from raijin.transport.pool import Pool


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, what it was made from, and when the hosts were first asked (seconds since the epoch).

    checks: by host, the parts of the script that it was checked with, where no secret is in it.
    """

    plan: Plan
    context: Context
    at: float
    checks: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def runbook(self) -> Iterator[str]:
        """The plan as Markdown, for a person with a terminal."""
        from raijin.app import keeping  # noqa: PLC0415
        from raijin.lifecycle import machines  # noqa: PLC0415
        from raijin.plan.runbook import runbook  # noqa: PLC0415
        from raijin.platforms import calls  # noqa: PLC0415
        from raijin.validation import calls as health  # noqa: PLC0415

        own = platform_of(self.context.cluster).by_hand
        return runbook(self.plan, {**calls.BY_HAND, **health.BY_HAND, **keeping.BY_HAND, **machines.BY_HAND, **own})


def context_of(
    session: Session,
    seen: Sequence[Node],
    *,
    members: Mapping[str, Member] | None = None,
    departed: tuple[Node, ...] = (),
) -> Context:
    """What was seen of the session's cluster, nodes and the hosts beside them apart."""
    beside, bootstrap = (tuple(node for node in seen if node.role is role) for role in NO_NODES)
    nodes = tuple(node for node in seen if node.role not in NO_NODES)
    site, cluster = session.definition.site(), session.cluster
    return Context(site, cluster, nodes, members=members or {}, departed=departed, beside=beside, bootstrap=bootstrap)


async def make_plan(
    session: Session,
    verb: str,
    pool: Pool,
    ahead: Ahead | None = None,
    *,
    force: bool = False,
    on_difference: Callable[[], None] = lambda: None,
) -> Planned:
    """desired x observed -> plan, writing nothing. Raises PlanRefused, Unsupported, HostError, ArtifactError.

    ahead: what hosts are being asked already. on_difference: called when a host has said that something is to be done.
    """
    cluster, started = session.cluster, ahead.at if ahead else time.time()
    site = session.definition.site()
    maker = making.provider_of(session)
    hosts = [host for host, _ in wanted_hosts(session)]
    refuse(unsupported(cluster, site, hosts, maker=maker, made=session.definition.made))
    if VERBS[verb].converges and (machines := making.drafts(session, maker)):
        if members_of(session):  # what stands against the change is said before a machine is made for it
            await _observe(session, verb, pool, ahead, force=force)
        return _machines_first(session, verb, machines, [*making.remarks(session, maker), *untouched(site)], started)
    context, notes, materials = await _observe(session, verb, pool, ahead, force=force)
    notes += untouched(site)
    drafts = VERBS[verb].drafts(context)
    checked = await observing.check(pool, drafts, _resolver(session), ahead, on_difference)
    if checked.failures:
        context, drafts, lost = _without(context, verb, checked.failures)
        notes += lost
    plan = build(
        verb,
        cluster.name,
        drafts,
        checked.reports,
        notes=notes,
        definition=session.fingerprint(),
        sources=[str(path.resolve()) for path in session.paths],
        materials=materials,
        estimates=read_timings(session.home),
    )
    return Planned(plan, context, started, checked.scripts)


LEADS_ON = (
    "what is done on these machines is planned when they are there: `raijin apply` goes on by itself then, "
    "a plan that is agreed to as it was shown does not"
)


def _machines_first(session: Session, verb: str, machines: Sequence[Draft], notes: list[str], at: float) -> Planned:
    """What machines shall become, nobody can plan who has not seen them: they are made, and the plan leads on."""
    cluster = session.cluster
    notes = [*notes, LEADS_ON]
    sources = [str(path.resolve()) for path in session.paths]
    estimates, definition = read_timings(session.home), session.fingerprint()
    plan = build(
        verb, cluster.name, machines, {}, notes=notes, definition=definition, sources=sources, estimates=estimates,
        leads_on=True,
    )  # fmt: skip
    return Planned(plan, Context(session.definition.site(), cluster, ()), at)


async def _observe(
    session: Session, verb: str, pool: Pool, ahead: Ahead | None, *, force: bool
) -> tuple[Context, list[str], Sequence[Material]]:
    """Everything that the verb looks at, with what people should know of it. Raises PlanRefused and HostError."""
    traits = VERBS[verb]
    context, notes = await _look_at_hosts(session, verb, pool, ahead, force=force)
    context = replace(context, at=ahead.at if ahead else time.time())
    if traits.ends or traits.converges:
        context = replace(context, made=tuple(read_machines(session.home, [session.cluster.name])))
    materials: Sequence[Material] = ()
    if traits.equips:
        archs = {node.facts.architecture for node in context.reachable if node.facts}
        supplies = supply.supplies_for(session, archs, str(session.cluster.kubernetes_version))
        context = replace(context, supplies=supplies.by_arch, tags=supplies.tags)
        materials = supplies.materials
        notes += supplies.notes
    why = ""
    if traits.lives:
        context, why = await _look_at_cluster(pool, traits, context)
    if traits.converges:
        hops, more = supply.hops_for(session, context)
        strangers = _strangers(session, context)
        context = replace(context, hops=hops, departed=(*context.departed, *strangers))
        materials = (*materials, *more)
        notes += [f"{node.name} is in the cluster, not in the definition, and {node.absence}" for node in strangers]
    if traits.converges:
        notes += renew.notes(context)
    if verb == "rotate-ca":
        notes += rotate.notes(context)
    notes += farewell(context, (*(context.nodes if traits.ends else ()), *context.departed))
    notes += unwell(context)
    if why:
        notes.append(f"the API of the cluster does not answer: {why}")
    reasons = traits.reasons(context, why)
    if reasons:
        raise refused(reasons)
    return context, notes, materials


async def _look_at_hosts(
    session: Session, verb: str, pool: Pool, ahead: Ahead | None, *, force: bool
) -> tuple[Context, list[str]]:
    """The facts of all hosts at once: those of the definition, and those that have left it."""
    members, traits = members_of(session), VERBS[verb]
    quarantined = {name: m.quarantine for name, m in members.items() if m.quarantine and traits.equips}
    wanted = wanted_hosts(session)
    departing = departed_hosts(session, members) if traits.leaves else []
    # A host that only the first start needs may be off, or be something else by now: nobody asks it.
    away = {host.name: "" for host, role in wanted if role is NodeRole.BOOTSTRAP}
    away |= {name: f"in quarantine: {reason}" for name, reason in quarantined.items()}
    asked = [*((host, role) for host, role in wanted if host.name not in away), *departing]
    seen, errors = await observing.look_at(pool, platform_of(session.cluster), asked, for_plan=True, ahead=ahead)
    by_name = {node.name: node for node in seen}
    nodes = [by_name.get(h.name) or Node(h, r, None, away[h.name]) for h, r in wanted]
    gone = tuple(by_name[host.name] for host, _ in departing)
    notes = [f"{node.name} is left out: {node.absence}" for node in nodes if node.absence]
    notes += [f"{node.name} cannot be reached: only its traces in the cluster go" for node in gone if not node.facts]
    if not traits.tolerant:
        _judge_absence(session, verb, nodes, [e for e in errors if e.host in {n.name for n in nodes}], force=force)
    context = context_of(session, nodes, members=members, departed=gone)
    keys = keys_of(session.secrets, session.cluster.name)
    chosen = frozenset(session.hosts)
    context = replace(context, chosen=chosen, force=force, drain=session.drain, snapshot=session.snapshot, keys=keys)
    kept = kept_of(session.secrets, session.cluster.name)
    return replace(context, authorities=kept, asked=session.rotation or ALL), notes


async def _look_at_cluster(pool: Pool, traits: Verb, context: Context) -> tuple[Context, str]:
    """The cluster by its API and its etcd, as far as they answer, and why the API does not."""
    documents = observed_documents(context) if traits.converges else []
    (state, why), members = await asyncio.gather(
        observing.cluster_state(pool, context, documents, NETWORK_PART if documents else ""),
        _members(pool, context) if _asks_etcd(traits, context) else _nothing(),
    )
    return as_empty(replace(context, state=state, etcd=members)), why


def _asks_etcd(traits: Verb, context: Context) -> bool:
    """Its members matter where there are, or were, several control plane hosts."""
    planes = [node for node in (*context.nodes, *context.departed) if node.control_plane]
    asks = traits.equips or traits.tolerant or traits.restarts
    return traits.members or (asks and len(planes) > 1)


async def _members(pool: Pool, context: Context) -> EtcdState | None:
    platform = platform_of(context.cluster)
    return await platform.etcd_state(pool, [node.name for node in context.started], platform.etcd(context.cluster))


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
    return smaller, VERBS[verb].drafts(smaller), [f"{host} is left out: {reason}" for host, reason in lost.items()]


def _resolver(session: Session) -> Resolve:
    store, given = session.secrets, platform_of(session.cluster).given(session.cluster)

    def resolve(reference: SecretRef) -> str:
        if reference.secret in given:
            return given[reference.secret]
        return store.get(reference.secret) if store.has(reference.secret) else unresolved(reference)

    return resolve

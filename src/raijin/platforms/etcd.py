"""The care of etcd: its members asked, added by the platforms, and taken out here; and the law of its quorum.

No change may leave fewer voting members alive than a majority of those that remain: without a majority etcd answers
nobody, and nobody can be added or taken out any more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict
from typing import cast

from raijin.errors import HostError, KubernetesError, OperationFailed, PlanRefused, RaijinError
from raijin.facts import etcd
from raijin.facts.etcd import EtcdAccess, EtcdByCalls, EtcdMember, EtcdState
from raijin.plan.handlers import CallContext, Handlers
from raijin.plan.model import Json
from raijin.platforms import platform_of
from raijin.platforms.addresses import known_address
from raijin.platforms.base import Context, Node
from raijin.transport.base import Completed
from raijin.transport.pool import Pool
from raijin.transport.quoting import word

SECONDS = 60.0
MEGABYTE = 1024 * 1024


def after_removal(state: EtcdState, member: EtcdMember) -> EtcdState:
    """The members as they will be without one of them."""
    return EtcdState(tuple(other for other in state.members if other.id != member.id), state.alarms)


def removal_fault(state: EtcdState, member: EtcdMember) -> str:
    """Why a member must not be taken out now; empty when it may."""
    left = after_removal(state, member)
    if member.learner:
        return ""
    if not left.voters:
        return "it is the only member: with it the data would go"
    if not state.has_quorum:
        return _no_quorum(state)
    if not left.has_quorum:
        dead = ", ".join(_names(m for m in left.voters if not m.healthy))
        return f"then {dead} would be needed for a majority, and does not answer: mend or remove that member first"
    return ""


def require_removable(state: EtcdState, member: EtcdMember, host: str) -> None:
    """Raises PlanRefused when the member of a host must not be taken out now."""
    fault = removal_fault(state, member)
    if fault:
        raise PlanRefused(f"the etcd member of {host} cannot be taken out: {fault}", host=host)


def stop_fault(state: EtcdState, member: EtcdMember | None) -> str:
    """Why a member must not be stopped for a while now; empty when it may. The only member there is may be."""
    if member is None or member.learner or len(state.voters) == 1:
        return ""
    if not state.has_quorum:
        return _no_quorum(state)
    if member.healthy and state.spare < 1:
        dead = ", ".join(_names(m for m in state.voters if not m.healthy))
        if dead:
            return f"etcd can lose no member while {dead} does not answer"
        return f"etcd has {len(state.voters)} members, and can lose none: add or remove a control plane host first"
    return ""


def member_at(context: Context, node: Node) -> EtcdMember | None:
    """The member that runs, or should run, on a host."""
    return context.etcd.at(known_address(node)) if context.etcd is not None else None


def leftover(context: Context, node: Node) -> EtcdMember | None:
    """The member that a host had before it was emptied: it must go before the host joins anew."""
    if node.parts.begun or node.joined or not node.control_plane:
        return None
    return member_at(context, node)


def reasons(context: Context) -> Iterable[str]:
    """What etcd says against the changes of control plane hosts that the definition asks for."""
    if platform_of(context.cluster).etcd(context.cluster) is None or not context.started:
        return
    leaving = [node for node in context.departed if node.control_plane]
    coming = [node for node in context.control_planes if node.facts is not None and not node.joined]
    if not leaving and not coming:
        return
    state, cluster = context.etcd, context.cluster.name
    if state is None:
        if len(context.started) > 1 or leaving:
            yield f"{cluster}: etcd does not answer, so no control plane host can join or leave: restore it first"
        return
    for node in leaving:
        member = state.at(known_address(node))
        if member is None:
            continue
        fault = removal_fault(state, member)
        if fault:
            yield f"{node.name}: its etcd member cannot be taken out: {fault}"
            return
        state = after_removal(state, member)
    stale = {member.id for node in coming if (member := leftover(context, node))}
    sick = [member for member in state.members if not member.healthy and member.id not in stale]
    if coming and sick:
        names = ", ".join(_names(sick))
        yield f"{coming[0].name}: it cannot join while the etcd member {names} does not answer: mend or remove it first"


def _no_quorum(state: EtcdState) -> str:
    alive = sum(member.healthy for member in state.voters)
    return f"etcd has lost its quorum: {alive} of {len(state.voters)} members answer; restore the cluster from a backup"


def _names(members: Iterable[EtcdMember]) -> list[str]:
    return [member.name or member.id for member in members]


def arguments(context: Context, node: Node, access: EtcdAccess | EtcdByCalls) -> dict[str, Json]:
    """The arguments of a call about the member of one host: who may be asked, how, and where the member is.

    Where each machine tells of its own member alone, those are asked too that become members in the same run.
    """
    others = [other for other in context.started if other.name != node.name]
    if isinstance(access, EtcdByCalls):
        others += [n for n in context.control_planes if n.facts and n not in others and n.name != node.name]
    asked: list[Json] = [other.name for other in others]
    ways = cast("Json", asdict(access))
    return {"hosts": [*asked, node.name], "access": ways, "address": known_address(node)}


async def if_told(answer: Awaitable[tuple[EtcdState, str]]) -> EtcdState | None:
    """What an `ask` found; None when nobody tells: without a quorum etcd does not say who belongs to it."""
    try:
        return (await answer)[0]
    except KubernetesError:
        return None  # the absence of hosts is told elsewhere


async def ask(pool: Pool, hosts: Sequence[str], access: EtcdAccess) -> tuple[EtcdState, str]:
    """The members, and the host that told. Raises KubernetesError when none of the hosts can."""

    async def question(host: str) -> Completed:
        connection = await pool.get(host)
        return await connection.run(etcd.script(access), timeout=SECONDS)

    return await first_answer(hosts, question, remedy="look at the etcd pods, or restore from a backup")


async def first_answer(
    hosts: Iterable[str],
    question: Callable[[str], Awaitable[Completed]],
    *,
    passing: tuple[type[RaijinError], ...] = (HostError,),
    remedy: str,
) -> tuple[EtcdState, str]:
    """Put a question to one host after the other, until one prints the members; and that host.

    passing: the errors that only say that this host cannot be asked. Raises KubernetesError when none of them can.
    """
    last = "no control plane host can be asked"
    for host in hosts:
        try:
            done = await question(host)
        except passing as error:
            last = str(error)
            continue
        state = etcd.parse(done.stdout) if done.status == 0 else None
        if state is not None:
            return state, host
        last = f"{host}: {(done.stderr.strip().splitlines() or ['etcd does not answer'])[-1]}"
    raise KubernetesError(f"etcd cannot be asked: {last}", remedy=remedy)


async def run_etcdctl(pool: Pool, host: str, access: EtcdAccess, *words: str, timeout: float = SECONDS) -> str:
    """One etcdctl command on a host; returns what it printed. Raises OperationFailed."""
    command = " ".join(map(word, (access.socket, *access.arguments(), *words)))
    connection = await pool.get(host)
    done = await connection.run(f"{etcd.ETCDCTL}\nrun_etcdctl {command}\n", timeout=timeout)
    if done.status != 0:
        lines = done.stderr.strip().splitlines()
        raise OperationFailed(
            f"etcdctl {words[0]} failed: {lines[-1] if lines else f'status {done.status}'}",
            host=host,
            remedy="look at the etcd pods of the control plane hosts, then resume the run",
            detail=done.stderr,
        )
    return done.stdout


def _call(context: CallContext) -> tuple[tuple[str, ...], EtcdAccess, str]:
    access = EtcdAccess(**cast("dict[str, str]", context.arguments["access"]))
    return context.texts("hosts"), access, context.text("address")


async def remove_member(context: CallContext) -> None:
    """etcd.remove-member: the member of one host, unless the majority would go with it."""
    hosts, access, address = _call(context)
    state, host = await ask(context.pool, hosts, access)
    member = state.at(address)
    if member is None:
        context.say("its etcd member is gone already")
        return
    require_removable(state, member, context.target)
    await run_etcdctl(context.pool, host, access, "member", "remove", member.id)
    context.say(f"its etcd member {member.id} is out; {len(state.members) - 1} are left")


async def defragment(context: CallContext) -> None:
    """etcd.defragment: the member of one host gives back what is free. It answers nobody while it does."""
    hosts, access, address = _call(context)
    state, _ = await ask(context.pool, hosts, access)
    member = state.at(address)
    fault = stop_fault(state, member)
    if member is None or fault:
        reason = fault or "it is no member"
        raise PlanRefused(f"the etcd member of {context.target} cannot be defragmented: {reason}", host=context.target)
    patience = f"--command-timeout={int(context.timeout)}s"
    await run_etcdctl(context.pool, context.target, access, "defrag", patience, timeout=context.timeout)
    state, _ = await ask(context.pool, (context.target,), access)
    now = state.at(address)
    if now is not None:
        context.say(f"its store takes {now.size / MEGABYTE:.1f} MiB, before {member.size / MEGABYTE:.1f}")


async def disarm(context: CallContext) -> None:
    """etcd.disarm: the alarms go. What is full again raises its own anew."""
    hosts, access, _ = _call(context)
    _, host = await ask(context.pool, hosts, access)
    await run_etcdctl(context.pool, host, access, "alarm", "disarm")


async def wait_for_member(context: CallContext) -> None:
    """etcd.wait-member: until the member of one host votes and answers, and so do all others."""
    hosts, access, address = _call(context)
    await until_state(
        context,
        lambda: ask(context.pool, hosts, access),
        lambda state: vote_fault(state, address),
        f"the etcd member of {context.target} to vote",
        remedy="look at the etcd pod of that host (crictl logs), then resume the run",
    )


async def may_stop(context: CallContext) -> None:
    """etcd.may-stop: until the others have a majority without the member of one host. Nothing is stopped before."""
    hosts, access, address = _call(context)
    await until_state(
        context,
        lambda: ask(context.pool, hosts, access),
        lambda state: stop_fault(state, state.at(address)),
        f"the other etcd members to do without {context.target}",
        remedy="mend or remove the member that does not answer, then resume the run",
    )


def vote_fault(state: EtcdState, address: str) -> str:
    """What is missing until the member at an address votes and all answer; empty when nothing is."""
    own = state.at(address)
    if own is None:
        return "it is no member yet"
    if own.learner:
        return "it still learns"
    sick = [member for member in state.members if not member.healthy]
    return f"{', '.join(_names(sick))} does not answer" if sick else ""


async def until_state(
    context: CallContext,
    asked: Callable[[], Awaitable[tuple[EtcdState, str]]],
    fault: Callable[[EtcdState], str],
    what: str,
    *,
    remedy: str,
) -> None:
    """Ask for etcd's state until nothing is wrong with it any more; who does not answer may do so a moment later."""

    async def probe() -> str:
        try:
            state, _ = await asked()
        except KubernetesError as error:
            return error.message
        return fault(state)

    await context.until(what, probe, interval=1.0, host=context.target, remedy=remedy)


HANDLERS: Handlers = {
    "etcd.remove-member": remove_member,
    "etcd.wait-member": wait_for_member,
    "etcd.defragment": defragment,
    "etcd.disarm": disarm,
    "etcd.may-stop": may_stop,
}

BY_HAND = {
    "etcd.remove-member": "On another control plane host: `etcdctl member list`, then `etcdctl member remove ID` of "
    "{target}; never while another member does not answer",
    "etcd.may-stop": "`etcdctl endpoint health --cluster`: a majority must be healthy without {target}; else stop here",
    "etcd.defragment": "On {target}: `etcdctl defrag`; it answers nobody until that has ended",
    "etcd.disarm": "On a control plane host: `etcdctl alarm disarm`",
    "etcd.wait-member": "Wait: `etcdctl endpoint health --cluster` shows every member healthy, {target} too",
}

"""Machines that a cluster's groups count: who makes them, the plan that makes them, and how they are given back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from raijin.app.session import Session
from raijin.errors import PlanRefused
from raijin.lifecycle.firstboot import left_out
from raijin.lifecycle.machines import make_machine
from raijin.machines.base import Machine, MachineProvider, MachineRequest
from raijin.model.site import Site
from raijin.plan.draft import Draft
from raijin.plan.handlers import CallContext, Handlers
from raijin.state.made import MadeMachine

MIB = 2**20


def provider_of(session: Session) -> MachineProvider | None:
    """Who makes machines for the session's cluster: in a rehearsal the rehearsal, else whom the Site names."""
    if session.twin is not None:
        from raijin.twin.machines import TwinProvider  # noqa: PLC0415  (only where machines are simulated)

        return TwinProvider(session.twin)
    return named_provider(session.definition.site(), session.home)


def named_provider(site: Site, home: Path) -> MachineProvider | None:
    """Whom a Site names."""
    if site.machines is None:
        return None
    from raijin.machines import provider  # noqa: PLC0415  (only where machines are made)

    return provider(site.machines.provider.value, home)


def drafts(session: Session, maker: MachineProvider | None) -> list[Draft]:
    """Steps that make what is counted and not there; none when all is."""
    missing = [one for one in session.definition.to_make if one.cluster == session.cluster.name]
    if not missing or maker is None:
        return []
    taken = {host.name for host in session.definition.site().hosts} & {one.name for one in missing}
    if taken:
        raise PlanRefused(
            f"the machines {', '.join(sorted(taken))} would bear the names of hosts of the Site",
            remedy="rename the group, or the hosts",
        )
    return [make_machine(one, maker.name) for one in missing]


def remarks(session: Session, maker: MachineProvider | None) -> list[str]:
    """What people should know of the machines that are made."""
    cluster, found = session.cluster, list[str]()
    for service in cluster.services:
        if maker is not None and maker.provides(service):
            found.append(f"{service.name} ({service.type}) is taken to be there: machines are {maker.name}'s")
    for group in cluster.node_groups:
        if maker is not None and session.definition.is_counted(group):
            found += maker.remarks(group)
            for text in left_out(cluster, group):
                found.append(
                    f"{group.name}: `{text}` is left out: Raijin installs {cluster.type} {cluster.version} itself"
                )
    return found


def handlers_of(session: Session) -> Handlers:
    """The calls of a plan that make machines and give them back."""

    from raijin.state.machines import Machines  # noqa: PLC0415  (SQLAlchemy: not for those who only plan)

    async def make(context: CallContext) -> None:
        memory = context.arguments.get("memory_mb")
        request = MachineRequest(context.target, int(str(memory)) * MIB if memory else None, context.text("hypervisor"))
        made = (await _provider(session, context).create([request], _said(context)))[0]
        group, target = context.text("group"), reached(made)
        Machines(session.database).remember(MadeMachine(made.name, context.cluster, group, made.provider, target))

    async def give_back(context: CallContext) -> None:
        await _provider(session, context).destroy([context.target], _said(context))
        machines = Machines(session.database)
        if context.arguments.get("spent"):
            group, maker = context.text("group"), context.text("provider")
            machines.remember(MadeMachine(context.target, context.cluster, group, maker, {}))
        else:
            machines.forget(context.target)

    return {"machine.make": make, "machine.give-back": give_back}


def _provider(session: Session, context: CallContext) -> MachineProvider:
    """The one that the plan was made for. Raises PlanRefused, NotFound."""
    wanted, rehearsed = context.text("provider"), provider_of(session) if session.twin is not None else None
    if rehearsed is not None:
        return rehearsed
    from raijin.machines import provider  # noqa: PLC0415

    return provider(wanted, session.home)


def _said(context: CallContext) -> Any:
    return lambda _, what: context.say(what)


def reached(machine: Machine) -> dict[str, object]:
    """How a machine is reached, as a host of a Site says it."""
    ssh: dict[str, object] = {"user": machine.ssh_user, "port": machine.ssh_port, "jump": None}
    if machine.host_key:
        ssh |= {"key": str(machine.ssh_key), "agent": False, "hostKey": machine.host_key}
    return {"name": machine.name, "address": machine.address, "ssh": ssh}

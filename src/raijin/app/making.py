"""Machines that a cluster's groups count: who makes them, the plan that makes them, and how they are given back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from raijin.app.session import Session
from raijin.errors import MachineError, PlanRefused
from raijin.lifecycle.firstboot import left_out
from raijin.lifecycle.machines import make_machine
from raijin.machines.base import Machine, MachineProvider, MachineRequest, Progress
from raijin.model.site import Site
from raijin.plan.draft import Draft
from raijin.plan.handlers import CallContext, Handlers
from raijin.state.made import MadeMachine
from raijin.state.snapshot import read_owners

MIB = 2**20


def provider_of(session: Session) -> MachineProvider | None:
    """Who makes machines for the session's cluster: in a rehearsal the rehearsal, else whom the Site names."""
    return _rehearsed(session) or named_provider(session.definition.site(), session.home)


def named_provider(site: Site, home: Path) -> MachineProvider | None:
    """Whom a Site names."""
    return _called(site.machines.provider.value, home) if site.machines is not None else None


def _called(name: str, home: Path) -> MachineProvider:
    from raijin.machines import provider  # noqa: PLC0415  (only where machines are made)

    return provider(name, home)


def _rehearsed(session: Session) -> MachineProvider | None:
    if session.twin is None:
        return None
    from raijin.twin.machines import TwinProvider  # noqa: PLC0415  (only where machines are simulated)

    return TwinProvider(session.twin)


def drafts(session: Session, maker: MachineProvider | None) -> list[Draft]:
    """Steps that make what is counted and not there; none when all is."""
    missing = [one for one in session.definition.to_make if one.cluster == session.cluster.name]
    if not missing or maker is None:
        return []
    owners = read_owners(session.home, [one.name for one in missing])
    foreign = sorted(name for name, owner in owners.items() if owner != session.cluster.name)
    if foreign:
        raise PlanRefused(
            f"the machines {', '.join(foreign)} were made for another cluster ({owners[foreign[0]]})",
            remedy="rename the group: machines are called <cluster>-<group>-<number>",
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
        maker, machines = _provider(session, context), Machines(session.database)
        begun = MadeMachine(
            context.target, context.cluster, context.text("group"), maker.name, {"name": context.target}
        )
        if context.target not in read_owners(session.home, [context.target]):
            if any(there.name == context.target for there in await maker.machines()):
                raise MachineError(
                    f"{maker.name} has a machine {context.target} already, which was not made for {context.cluster}",
                    remedy="rename the group, or take that machine away",
                )
            machines.remember(begun)  # before there is anything of it: what is left of a killed run is given back too
        made = (await maker.create([request], _said(context)))[0]
        machines.remember(replace(begun, target=reached(made)))

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
    """The one that the plan was made for. Raises NotFound."""
    return _rehearsed(session) or _called(context.text("provider"), session.home)


def _said(context: CallContext) -> Progress:
    return lambda _, what: context.say(what)


def reached(machine: Machine) -> dict[str, object]:
    """How a machine is reached, as a host of a Site says it."""
    ssh: dict[str, object] = {"user": machine.ssh_user, "port": machine.ssh_port, "jump": None}
    ssh |= {"password": None, "passphrase": None}  # those of the Site are of other machines
    if machine.host_key:
        ssh |= {"key": str(machine.ssh_key), "agent": False, "hostKey": machine.host_key}
    become = {"method": "none" if machine.ssh_user == "root" else "sudo", "password": None}
    return {"name": machine.name, "address": machine.address, "ssh": ssh, "become": become}

"""A simulated site: its hosts at the end of their wires, the cluster that comes to be on them, and what goes wrong."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from raijin.errors import HostUnreachable, NotFound, OperationFailed
from raijin.facts.raijin import STATE_FOLDER
from raijin.model.host import Host as Defined
from raijin.operations.program import Mode, Script
from raijin.operations.report import State, to_line
from raijin.transport.base import Completed, LineHandler
from raijin.transport.pool import Target, TwinTarget
from raijin.transport.twin import Asked, Told
from raijin.twin import api, facts, nameservice
from raijin.twin.cluster import Cluster, Member
from raijin.twin.faults import SLOW, Fault, FaultKind
from raijin.twin.files import deliver
from raijin.twin.host import Host
from raijin.twin.platform import PlatformTwin
from raijin.twin.run import run_program, unknown

CONNECT_SECONDS = 10.0
"""How long somebody waits for a host that does not answer, by the clock of the host."""
SENDING = 60e6
"""Bytes a second that arrive at a host."""

_STOP = re.compile(r": >/run/raijin\.stop\.(\S+)\n")
_STAGED = re.compile(rf"\[ -s '?{STATE_FOLDER}/stage/([0-9a-f]{{64}})'? \] && echo staged\n")


def address_of(number: int) -> str:
    """Of the network for benchmarks (RFC 2544), where nobody has an address."""
    return f"198.{18 + (number >> 16)}.{(number >> 8) & 255}.{number & 255}"


@dataclass
class TwinSite:
    """platform: of the cluster that is rehearsed. virtual: the address that its API has, beside those of its hosts.
    endpoint, port: the name and the port by which its API is reached, where the definition gives them. family: of the
    hosts' Linux. own_network: who owns the cluster brings its container network, and is taken to have done so. version:
    that the definition wants. names: DNS names, with the addresses that they resolve to.

    snapshots: what the cluster was, by the sum of the snapshot that was taken of it.

    kill: ends this process at once, as `kill -9` does; None where no such fault is asked for. pace: seconds that pass
    for each second of a host, for people who watch; 0: none.
    """

    platform: PlatformTwin
    virtual: str = ""
    endpoint: str = ""
    port: int = 0
    family: str = "debian"
    own_network: bool = False
    version: str = ""
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hosts: dict[str, Host] = field(default_factory=dict)
    cluster: Cluster | None = None
    snapshots: dict[str, Cluster] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    armed: dict[str, Fault] = field(default_factory=dict)
    kill: Callable[[], None] | None = None
    pace: float = 0.0

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "kill": None}

    def add(self, defined: Defined) -> Host:
        """The machine of a host of the definition, as its system was installed."""
        if defined.name not in self.hosts:
            number = max((host.number for host in self.hosts.values()), default=0) + 1
            made = Host(defined.name, str(defined.address), str(defined.arch or "amd64"), number, self.family)
            self.hosts[defined.name] = made
            self._meet(made)
        return self.hosts[defined.name]

    def free_address(self) -> str:
        """For a machine that is made."""
        taken = {host.address for host in self.hosts.values()}
        return next(text for number in count(1) if (text := address_of(number)) not in taken)

    def targets(self, hosts: Iterable[Defined]) -> dict[str, TwinTarget]:
        """How the hosts of a definition are reached in a rehearsal."""
        return {host.name: TwinTarget(TwinMachine(self, self.add(host))) for host in hosts}

    def machine(self, name: str) -> TwinMachine:
        return TwinMachine(self, self.hosts[name])

    def outside(self, targets: Mapping[str, Target]) -> Mapping[str, Target]:
        """How those hosts are reached that no program runs on."""
        return self.platform.outside(self, targets)

    def has_quorum(self) -> bool:
        """Whether a majority of the members of etcd runs; one outside always does."""
        if self.cluster and self.cluster.outside:
            return True
        members = self.cluster.members.values() if self.cluster else ()
        return sum(map(self.member_runs, members)) > len(members) // 2

    def member_runs(self, member: Member) -> bool:
        return member.host in self.hosts and self.platform.member_runs(self.hosts[member.host])

    def served(self) -> bool:
        """Whether some API server answers."""
        return self.cluster is not None and any(self.platform.serves(self, host) for host in self.hosts.values())

    def forget_dead_cluster(self) -> None:
        """With the last of its data the cluster is gone."""
        cluster = self.cluster
        if cluster is None or cluster.outside:
            return
        hosts = (self.hosts.get(member.host) for member in cluster.members.values())
        if not any(host is not None and self.platform.holds(host) for host in hosts):
            self.cluster = None

    def unit_changed(self, host: Host, unit: str) -> None:
        self.platform.unit_changed(self, host, unit)

    def static_pod(self, host: Host, name: str) -> int:
        return self.platform.static_pod(host, name)

    def restart_static_pod(self, host: Host, name: str) -> bool:
        return self.platform.restart_static_pod(host, name)

    def listens(self, host: Host, address: str, port: int) -> bool:
        """Whether something answers on a port, seen from a host."""
        if address in {"127.0.0.1", "::1", "localhost", host.address}:
            return port in self.platform.ports(self, host)
        other = self.behind(host, address, port)
        virtual = address in {self.virtual, self.endpoint}
        return other is not None and (virtual or port in self.platform.ports(self, other))

    def _carries(self, host: Host) -> bool:
        """kube-vip or something like it, or keepalived, with the virtual address in its configuration."""
        balanced = host.runs("keepalived") and self.virtual in host.text("/etc/keepalived/keepalived.conf")
        return host.up and (balanced or self.platform.carries(host, self.virtual))

    def api_ports(self) -> set[int]:
        """Ports at which the API is reached: its own, and that of the load balancer before it."""
        if self.cluster is None:
            return set()
        before = str(self.cluster.settings.get("endpoint", "")).rpartition(":")[2]
        return {self.cluster.port, self.port, int(before or 0)}

    def carried(self, host: Host) -> list[str]:
        """The virtual address, on the first host that carries it."""
        if not self.virtual:
            return []
        first = next((other for other in self.hosts.values() if self._carries(other)), None)
        return [self.virtual] if first is host else []

    def begin(self, faults: Iterable[Fault], coming: Iterable[str] = ()) -> None:
        """Faults that are there from the beginning strike now; the others when their stage comes.

        coming: hosts that will be there, and meet their faults then. Raises NotFound.
        """
        known = [*self.hosts, *coming]
        for fault in faults:
            if fault.node and fault.node not in known:
                raise NotFound(f"{fault}: there is no host {fault.node}", remedy=f"hosts: {', '.join(known)}")
            self.faults.append(fault)
        for host in self.hosts.values():
            self._meet(host)

    def _meet(self, host: Host) -> None:
        """What was wrong with it from the beginning."""
        for fault in self.faults:
            if fault.struck or fault.node != host.name:
                continue
            if fault.kind is FaultKind.SLOW_DISK:
                host.slow, fault.struck = SLOW, True
            elif fault.kind is FaultKind.DEAD_HOST and not fault.stage:
                host.up, fault.struck = False, True

    def step_begins(self, stage: str, target: str, *, program: bool) -> None:
        """A step starts: a fault whose place this is strikes in the middle of its program, or at once."""
        for fault in self.faults:
            if fault.struck or not fault.meets(stage, target):
                continue
            if fault.kind is FaultKind.FAILED_DRAIN or (fault.node and fault.node not in self.hosts):
                continue
            if program and target in self.hosts:
                self.armed[target] = fault
            else:
                self.strike(fault, target)

    def strike(self, fault: Fault, target: str) -> None:
        fault.struck = True
        host = self.hosts.get(target)
        if fault.kind is FaultKind.KILL and self.kill is not None:
            self.kill()
        elif host is not None and fault.kind is FaultKind.DEAD_HOST:
            host.up = False
        elif host is not None and fault.kind is FaultKind.LOST_LINK:
            host.cut = host.seconds + fault.seconds

    def behind(self, host: Host, address: str, port: int) -> Host | None:
        """The host that answers for an address, seen from another one."""
        if address in {"127.0.0.1", "::1", "localhost", host.address}:
            return host
        if address in {self.virtual, self.endpoint} - {""}:
            carried = not self.virtual or any(self._carries(other) for other in self.hosts.values())
            return next((h for h in self.hosts.values() if carried and self.platform.serves(self, h)), None)
        return next((other for other in self.hosts.values() if other.up and other.address == address), None)

    def forbids_eviction(self, node: str) -> bool:
        for fault in self.faults:
            if fault.kind is FaultKind.FAILED_DRAIN and fault.node == node:
                fault.struck = True
                return True
        return False


class TwinMachine:
    """A simulated host at the end of its wire (transport.twin.Machine)."""

    def __init__(self, site: TwinSite, host: Host) -> None:
        self.name = host.name
        self._site, self._host = site, host

    async def reach(self) -> None:
        host = self._host
        if host.up and host.seconds >= host.cut:
            return
        host.seconds += CONNECT_SECONDS
        if not host.up or host.seconds < host.cut:
            raise HostUnreachable(
                f"no answer within {CONNECT_SECONDS:g} s (rehearsed)",
                host=host.name,
                remedy="look whether the host is on, and the network to it",
            )

    async def execute(self, script: str, timeout: float | None, on_line: LineHandler | None) -> Completed:
        await self.reach()
        if isinstance(script, Script):
            return await self._run(script, timeout, on_line)
        if facts.is_asked(script):
            return Completed(0, facts.answer(self._site, self._host, script), "", 0.2)
        if stop := _STOP.fullmatch(script):
            self._host.stops.add(stop[1])
            return Completed(0, "", "", 0.0)
        if staged := _STAGED.fullmatch(script):
            return Completed(0, "staged\n" if staged[1] in self._host.staged else "", "", 0.0)
        answer = self._site.platform.script(self._site, self._host, script)
        if answer is None:
            raise unknown(f"this script on {self.name}: {script.strip().splitlines()[0][:120]}")
        self._host.seconds += answer.seconds
        return answer

    async def _run(self, script: Script, timeout: float | None, on_line: LineHandler | None) -> Completed:
        """A program. A fault that waits for it strikes when half of its operations have ended."""
        host, site, lines, begun = self._host, self._site, list[str](), self._host.seconds
        fault = site.armed.pop(host.name, None) if script.mode is Mode.APPLY else None
        half = sum(len(program.operations) for program in script.programs) // 2
        silent = False
        async for report in run_program(site, host, script, timeout):
            if fault is not None and not fault.struck and report.index >= half and report.state is not State.STARTED:
                site.strike(fault, host.name)
                if not host.up:
                    raise HostUnreachable("the connection was lost (rehearsed)", host=host.name)
                silent = host.seconds < host.cut
            if site.pace:
                await asyncio.sleep(site.pace * report.milliseconds / 1000)
            if not silent:
                line = to_line(report)
                lines.append(line)
                if on_line is not None:
                    on_line(line)
        site.forget_dead_cluster()
        if silent:
            raise HostUnreachable("the connection was lost (rehearsed)", host=host.name)
        return Completed(0, "\n".join([*lines, ""]), "", host.seconds - begun)

    def receive(self, destination: str, sha256: str, size: int) -> None:
        self._host.seconds += size / SENDING
        deliver(self._host, destination, sha256, size)

    def way_to(self, address: str, port: int) -> TwinMachine:
        named = nameservice.is_at(self._site, address, port)  # every host forwards it, as kube-proxy has it do
        other = self._host if named else self._site.behind(self._host, address, port)
        if other is None:
            raise OperationFailed(f"nobody answers at {address} port {port} (rehearsed)", host=self.name)
        return TwinMachine(self._site, other)

    def content(self, path: str) -> bytes:
        return self._host.content(path)

    async def answer(self, port: int, asked: Asked) -> Told:
        site, cluster = self._site, self._site.cluster
        if asked.method == "QUERY" and self._host.up and nameservice.is_at(site, nameservice.ADDRESS, port):
            return nameservice.answer(site, asked)
        if (
            not self._host.up
            or cluster is None
            or port not in site.api_ports()
            or not site.platform.serves(site, self._host)
        ):
            raise ConnectionError("connection refused (rehearsed)")
        told = api.answer(site, cluster, asked)
        if asked.method != "GET":
            site.platform.moved(site)
        return told

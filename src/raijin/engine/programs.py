"""One program on one host: send what it needs, run it, follow its report line by line, say what failed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from raijin.errors import ApiLost, Cancelled, HostError, HostUnreachable, OperationFailed
from raijin.facts.raijin import STATE_FOLDER
from raijin.observe.events import Event, Events, Kind
from raijin.observe.waiting import until
from raijin.operations.base import Payload, Resolve
from raijin.operations.command import AFTER
from raijin.operations.program import Mode, Program
from raijin.operations.report import Report, State, parse_line
from raijin.plan.model import Step
from raijin.transport.base import Connection
from raijin.transport.pool import Pool
from raijin.transport.quoting import word

Locate = Callable[[str], Awaitable[Path]]
"""From a sha256 to the verified file on this machine."""

REBOOT_SECONDS = 600.0
BOOT_ID = "/proc/sys/kernel/random/boot_id"


@dataclass(frozen=True, slots=True)
class ProgramRunner:
    """`token` names this execution on the hosts: the run and its attempt."""

    run: str
    token: str
    pool: Pool
    events: Events
    resolve: Resolve
    locate: Locate

    async def execute(self, step: Step, program: Program) -> None:
        """Raises OperationFailed, HostUnreachable, Cancelled, ChecksumMismatch, ArtifactError, DeadlineExceeded."""
        connection = await self.pool.get(step.target)
        try:
            await self._send_payloads(connection, step, program)
            boot = await self._boot(connection, program)
            while await self._apply(connection, step, program):
                connection = await self._after_reboot(boot, step)
                boot = await self._boot(connection, program)
        except HostUnreachable:
            await self.pool.forget(step.target)
            raise

    async def stop(self, host: str) -> None:
        """Ask the program that runs on a host to end after the operation in hand."""
        connection = await self.pool.get(host)
        await connection.run(f": >/run/raijin.stop.{word(self.token)}\n")

    async def _send_payloads(self, connection: Connection, step: Step, program: Program) -> None:
        if not program.payloads():
            return
        reports = await self._run(connection, step, program, Mode.CHECK)
        differing = [report.index for report in reports.values() if report.state is State.WOULD_CHANGE]
        for payload in program.payloads(differing):
            await self._send(connection, step, payload)

    async def _send(self, connection: Connection, step: Step, payload: Payload) -> None:
        destination = f"{STATE_FOLDER}/stage/{payload.sha256}"
        path = await self.locate(payload.sha256)
        size, sent = path.stat().st_size, 0

        def progress(count: int) -> None:
            nonlocal sent
            sent += count
            data: dict[str, object] = {"name": payload.name, "bytes": sent, "size": size}
            self._emit(Kind.TRANSFER, step, data)

        present = await connection.run(f"[ -s {word(destination)} ] && echo staged\n")
        if present.stdout.strip() != "staged":
            await connection.push(path, destination, sha256=payload.sha256, mode=0o600, progress=progress)

    async def _apply(self, connection: Connection, step: Step, program: Program) -> bool:
        """Run the program; True when the host is rebooting and the program must be run again."""
        reports = await self._run(connection, step, program, Mode.APPLY)
        states = [report.state for report in reports.values()]
        for report in reports.values():
            if report.state.bad:
                raise _failure(report, program, step.target)
        if State.REBOOTING in states:
            return True
        if State.CANCELLED in states:
            done = sum(state in {State.OK, State.CHANGED} for state in states)
            raise Cancelled(f"stopped after {done} of {len(program.operations)} operations", host=step.target)
        return False

    async def _run(self, connection: Connection, step: Step, program: Program, mode: Mode) -> dict[int, Report]:
        reports: dict[int, Report] = {}

        def follow(line: str) -> None:
            report = parse_line(line, program.operations)
            if report is None:
                return
            reports[report.index] = report
            if mode is Mode.APPLY:
                self._emit(Kind.OPERATION, step, _as_event(report, program))

        script = program.compile(mode, run=self.token, resolve=self.resolve)
        done = await connection.run(script, timeout=step.timeout, on_line=follow)
        expected = range(len(program.operations))
        ended = all(index in reports and reports[index].state is not State.STARTED for index in expected)
        if not ended and not _refused_whole(reports):
            raise OperationFailed(
                f"{program.name} ended early (status {done.status}) after {len(reports)} of {len(expected)} operations",
                host=step.target,
                remedy="look at the output, then resume the run",
                detail=done.stderr or done.stdout[-2000:],
            )
        return reports

    @staticmethod
    async def _boot(connection: Connection, program: Program) -> bytes:
        """Which boot of the host this is; asked only when the program may end it."""
        if all(operation.kind != "reboot" for operation in program.operations):
            return b""
        return await connection.read(BOOT_ID)

    async def _after_reboot(self, before: bytes, step: Step) -> Connection:
        await self.pool.forget(step.target)

        async def booted() -> str:
            try:
                fresh = await self.pool.get(step.target)
                if await fresh.read(BOOT_ID) != before:
                    return ""
            except HostError as error:
                return str(error)
            await self.pool.forget(step.target)
            return "it has not gone down yet"

        say = lambda text: self._emit(Kind.MESSAGE, step, {"text": text})  # noqa: E731
        await until("the host to boot", booted, timeout=REBOOT_SECONDS, interval=1.0, host=step.target, on_wait=say)
        return await self.pool.get(step.target)

    def _emit(self, kind: Kind, step: Step, data: dict[str, object]) -> None:
        self.events.emit(Event(kind, self.run, step.id, step.target, data))


def _refused_whole(reports: Mapping[int, Report]) -> bool:
    """The host said no to the program as a whole (index -1): another one runs, or it cannot be written to."""
    return -1 in reports and reports[-1].state.bad


def _as_event(report: Report, program: Program) -> dict[str, object]:
    title = program.operations[report.index].title if report.index >= 0 else "the host's lock"
    data: dict[str, object] = {"title": title, "state": str(report.state), "ms": report.milliseconds}
    if report.reason:
        data["reason"] = report.reason
    if report.state.bad and report.stderr:
        data["stderr"] = report.stderr
    return data


def _failure(report: Report, program: Program, host: str) -> OperationFailed:
    if report.state is State.LOCKED:
        return OperationFailed(
            "another Raijin program still runs on the host",
            host=host,
            remedy="wait for it to end (it may be left from a lost connection), then resume",
        )
    title = program.operations[report.index].title if report.index >= 0 else "the state folder of the host"
    words = last_words(report.stderr)
    reason = report.reason or words or "no message"
    if words and words not in reason:
        reason = f"{reason}: {words}"
    reason = "; ".join((reason, *told_after(report.stderr)))
    verb = "is refused" if report.state is State.REFUSED else "failed"
    return (ApiLost if _API_LOST.search(words) else OperationFailed)(
        f"{title} {verb}: {reason}", host=host, remedy=_remedy(report.stderr + reason), detail=report.stderr
    )


def last_words(output: str) -> str:
    """What of a program's output says why it failed: its last line, or the checks that kubeadm says have failed."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.startswith((*_CHATTER, AFTER))]
    fatal = [line for line in lines if line.startswith("[ERROR ")]
    return "; ".join(fatal or lines[-1:])[:400]


def told_after(output: str) -> list[str]:
    """What the post-mortem of a command told: a few lines of bounded length."""
    told = [line.removeprefix(AFTER).strip() for line in output.splitlines() if line.startswith(AFTER)]
    return [line[:300] for line in told if line][:3]


_API_LOST = re.compile(
    r"(Get|Post|Put|Patch|Delete) \"https://[^\"]+\": "
    r"((dial|read) tcp|net/http|http2|context deadline|(unexpected )?EOF)"
    r"|etcdserver: (request timed out|leader changed)|the server is currently unable to handle the request"
)
"""What kubeadm and kubectl say when the API or its address was away for a moment (client-go's and etcd's own words): on
the way from one control plane to the next that passes.
"""

_CHATTER = ("To see the stack trace of this error",)
"""What programs print after the line that says what went wrong (kubeadm's last words)."""


def _remedy(text: str) -> str:
    if "No space left on device" in text:
        return "free space on the host, then resume the run"
    if "Read-only file system" in text:
        return "look at the disk of the host (dmesg), then resume the run"
    return "mend what the message says, then resume the run: it goes on at this operation"

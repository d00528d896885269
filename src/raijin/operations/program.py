"""A program: the ordered operations of one phase on one host, compiled into one script for one execution."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum

from raijin.operations.base import Operation, Payload, Resolve, unresolved
from raijin.operations.prelude import PRELUDE
from raijin.operations.quoting import word

STATE_FOLDER = "/var/lib/raijin"
"""Where a host keeps what Raijin must know about it: receipts, stamps, staged files, the lock."""

LOCK_WAIT_SECONDS = 600
"""How long a program waits for an earlier one whose connection was lost."""


class Mode(StrEnum):
    CHECK = "check"
    APPLY = "apply"


@dataclass(frozen=True, slots=True)
class Program:
    """name: the phase, for people. scope: whose receipts these are (the cluster's name)."""

    name: str
    scope: str
    operations: tuple[Operation, ...]

    @property
    def id(self) -> str:
        """From the content: equal programs on a thousand hosts are one program. 16 hexadecimal digits."""
        document = [self.name, self.scope, *([o.kind, _plain(o)] for o in self.operations)]
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]

    def payloads(self, indexes: Iterable[int] | None = None) -> tuple[Payload, ...]:
        """The files that the (chosen) operations need on the host, each once."""
        chosen = self.operations if indexes is None else [self.operations[i] for i in indexes]
        return tuple(dict.fromkeys(p for operation in chosen for p in operation.payloads()))

    def compile(self, mode: Mode, *, run: str = "none", resolve: Resolve = unresolved, base: str = STATE_FOLDER) -> str:
        """The script. It is wrapped in a function, so that a transmission cut short executes nothing."""
        return compile_operations([self], mode, run=run, resolve=resolve, base=base)


def compile_operations(
    programs: Iterable[Program],
    mode: Mode,
    *,
    run: str = "none",
    resolve: Resolve = unresolved,
    base: str = STATE_FOLDER,
) -> str:
    """One script for several programs of one host and scope; operations count through from 0."""
    programs = list(programs)
    operations = [operation for program in programs for operation in program.operations]
    scope = programs[0].scope if programs else "none"
    libraries = dict.fromkeys(operation.library for operation in operations)
    settings = {"BASE": base, "SCOPE": scope, "MODE": mode.value, "RUN": run, "LOCK_WAIT": LOCK_WAIT_SECONDS}
    lines = ["raijin_program() {"]
    lines += [f"{name}={word(value)}" for name, value in settings.items()]
    lines += [PRELUDE, *libraries]
    if mode is Mode.APPLY:
        lines.append("begin_apply")
    probes = list(dict.fromkeys(path for operation in operations for path in operation.probes()))
    lines.append(" ".join(["probe_all", *map(word, probes)]) if probes else "STATS= SUMS=")
    for index, operation in enumerate(operations):
        arguments = (word(argument) for argument in operation.arguments(resolve))
        lines.append(" ".join(["op", str(index), word(operation.kind), *arguments]))
    lines += ["}", "raijin_program", "exit 0", ""]
    return "\n".join(lines)


def _plain(operation: Operation) -> dict[str, object]:
    """The fields of an operation as JSON values, secrets by their names."""
    return {item.name: _value(getattr(operation, item.name)) for item in fields(operation)}  # type: ignore[arg-type]


def _value(value: object) -> object:
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, (tuple, list)):
        return [_value(item) for item in value]
    return repr(value) if not hasattr(value, "secret") else {"secret": value.secret}

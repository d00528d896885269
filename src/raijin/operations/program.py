"""A program: the ordered operations of one phase on one host, compiled into one script for one execution."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Self

from raijin.facts.raijin import STATE_FOLDER
from raijin.operations.base import Operation, Payload, Resolve, unresolved
from raijin.operations.plain import to_text
from raijin.operations.prelude import PRELUDE
from raijin.transport.quoting import word

FIRST_LINE = "raijin_program() {"
LOCK_WAIT_SECONDS = 600
"""How long a program waits for an earlier one whose connection was lost."""


class Mode(StrEnum):
    CHECK = "check"
    APPLY = "apply"


class Script(str):
    """A compiled script, with what it was compiled from.

    Hosts run the text. The rehearsal twin, which has no shell, reads the operations.
    """

    programs: tuple[Program, ...]
    mode: Mode
    run: str
    resolve: Resolve

    def __new__(cls, text: str, programs: Iterable[Program], mode: Mode, run: str, resolve: Resolve) -> Self:
        made = super().__new__(cls, text)
        made.programs, made.mode, made.run, made.resolve = tuple(programs), mode, run, resolve
        return made


@dataclass(frozen=True)
class Program:
    """name: the phase, for people. scope: whose receipts these are (the cluster's name)."""

    name: str
    scope: str
    operations: tuple[Operation, ...]

    @cached_property
    def id(self) -> str:
        """From the content: equal programs on a thousand hosts are one program. 16 hexadecimal digits."""
        document = [json.dumps(self.name), json.dumps(self.scope), *map(to_text, self.operations)]
        return hashlib.sha256(f"[{', '.join(document)}]".encode()).hexdigest()[:16]

    def payloads(self, indexes: Iterable[int] | None = None) -> tuple[Payload, ...]:
        """The files that the (chosen) operations need on the host, each once."""
        chosen = self.operations if indexes is None else [self.operations[i] for i in indexes]
        return tuple(dict.fromkeys(p for operation in chosen for p in operation.payloads()))

    def compile(
        self,
        mode: Mode,
        *,
        run: str = "none",
        resolve: Resolve = unresolved,
        base: str = STATE_FOLDER,
        tools: str = "",
    ) -> Script:
        """The script. It is wrapped in a function, so that a transmission cut short executes nothing."""
        return compile_operations([self], mode, run=run, resolve=resolve, base=base, tools=tools)


def compile_operations(
    programs: Iterable[Program],
    mode: Mode,
    *,
    run: str = "none",
    resolve: Resolve = unresolved,
    base: str = STATE_FOLDER,
    tools: str = "",
) -> Script:
    """One script for several programs of one host and scope; operations count through from 0.

    base: where the host keeps its state. tools: a folder of programs that come before those of the system.
    """
    programs = tuple(programs)
    text = "\n".join(script_parts(programs, mode, run=run, resolve=resolve, base=base, tools=tools))
    return Script(text, programs, mode, run, resolve)


def script_parts(
    programs: Iterable[Program],
    mode: Mode,
    *,
    run: str = "none",
    resolve: Resolve = unresolved,
    base: str = STATE_FOLDER,
    tools: str = "",
) -> list[str]:
    """The script as the texts that it is joined from, line by line; hosts have most of them in common."""
    programs = list(programs)
    operations = [operation for program in programs for operation in program.operations]
    scope = programs[0].scope if programs else "none"
    settings = {
        "BASE": base,
        "SCOPE": scope,
        "MODE": mode.value,
        "RUN": run,
        "LOCK_WAIT": LOCK_WAIT_SECONDS,
        "TOOLS": tools,
    }
    lines = [FIRST_LINE]
    lines += [f"{name}={word(value)}" for name, value in settings.items()]
    lines.append(PRELUDE)
    lines += dict.fromkeys(text for operation in operations for text in (*operation.requires, operation.library))
    lines += _topics(operations)
    lines.append(f"begin_{mode.value}")
    last_use = {payload.sha256: index for index, operation in enumerate(operations) for payload in operation.payloads()}
    for index, operation in enumerate(operations):
        arguments = (word(argument) for argument in operation.arguments(resolve))
        lines.append(" ".join(["op", str(index), operation.function or operation.kind, *arguments]))
        spent = dict.fromkeys(payload.sha256 for payload in operation.payloads())
        lines += [f"spent {word(sha256)}" for sha256 in spent if last_use[sha256] == index]
    return [*lines, "}", "raijin_program", "exit 0", ""]


def _topics(operations: Iterable[Operation]) -> list[str]:
    """One function per topic, which asks the host for the items of all operations."""
    items: dict[str, dict[str, None]] = {}
    for operation in operations:
        for path in operation.probes():
            items.setdefault("files", {})[path] = None
        for topic, item in operation.wants():
            items.setdefault(topic, {})[item] = None
    return [f"{topic}_wanted() {{ {topic}_fetch {' '.join(map(word, wanted))}; }}" for topic, wanted in items.items()]

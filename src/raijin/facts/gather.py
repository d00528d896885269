"""All facts of a host: one script, one answer, one typed value."""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from raijin.errors import HostError
from raijin.facts import ABILITIES, LEFT_OUT
from raijin.facts.base import Ability, Unknown
from raijin.facts.board import Board
from raijin.facts.certificates import Certificate
from raijin.facts.clock import Clock
from raijin.facts.cpu import Cpu
from raijin.facts.disks import Disks
from raijin.facts.gpu import Gpu
from raijin.facts.hardware import Hardware
from raijin.facts.identity import Identity
from raijin.facts.kernel import Kernel
from raijin.facts.kubernetes import Kubernetes
from raijin.facts.memory import Memory
from raijin.facts.network import Network
from raijin.facts.os import OperatingSystem
from raijin.facts.ports import Port
from raijin.facts.raijin import STATE_FOLDER, Ownership
from raijin.facts.resolver import Resolver
from raijin.facts.security import Security
from raijin.facts.swap import SwapDevice
from raijin.facts.system import System
from raijin.facts.units import Units
from raijin.transport.quoting import word

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a host is. Each field is a value, or an Unknown with the reason; `known(field, otherwise)` chooses."""

    os: OperatingSystem | Unknown
    kernel: Kernel | Unknown
    cpu: Cpu | Unknown
    memory: Memory | Unknown
    swap: tuple[SwapDevice, ...] | Unknown
    disks: Disks | Unknown
    network: Network | Unknown
    gpus: tuple[Gpu, ...] | Unknown
    hardware: Hardware | Unknown
    cgroup: str | Unknown
    board: Board | Unknown
    clock: Clock | Unknown
    ports: tuple[Port, ...] | Unknown
    identity: Identity | Unknown
    system: System | Unknown
    units: Units | Unknown
    resolver: Resolver | Unknown
    kubernetes: Kubernetes | Unknown
    certificates: tuple[Certificate, ...] | Unknown
    security: Security | Unknown
    raijin: Ownership | Unknown

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def nothing_known(why: str) -> HostFacts:
    """The facts of a host that tells none by a script."""
    return HostFacts(**{ability.name: Unknown(why) for ability in ABILITIES})


def from_json(data: Mapping[str, Any]) -> HostFacts:
    """The facts from what `to_json` gave. Raises pydantic's ValidationError (a ValueError)."""
    return _adapter().validate_python(data)


@cache
def _adapter() -> TypeAdapter[HostFacts]:
    from pydantic import TypeAdapter  # noqa: PLC0415 # only stored facts need it

    return TypeAdapter(HostFacts)


_FILES = "files"
"""The section of the files, which no ability is called."""

_HEAD = r"""
set -u
LC_ALL=C; export LC_ALL
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${PATH-}; export PATH
NL='
'
"""
_TAB = "TAB='\t'"
"""As itself: to print it costs a process."""


OTHER_MOUNTS = "^[^/ ][^ ]* /[^ ]* [^ ]+ [^ ]+ 0 0$"
"""Lines of /proc/self/mounts that no fact wants: no device is mounted. A node with many pods has thousands of them."""


def script(state_folder: str = STATE_FOLDER, *, for_plan: bool = False, then: str = "exit 0\n") -> str:
    """One script that prints every fact, or those that a plan looks at. Run it as root with `sh`; it writes nothing.

    then: what the same shell runs after it (see `is_end`).

    A section begins with a line that holds a word of this script alone, so that no name of a process or a file on the
    host can pass for one. It is a function, so a transmission cut short executes nothing.
    """
    mark = f"raijin-facts-{uuid.uuid4().hex}"
    parts = [_HEAD, _TAB, f"BASE={word(state_folder)}", "raijin_look() {"]
    for ability in ABILITIES:
        asked = [f"echo; echo {mark} {ability.name}", ability.snippet.strip()]
        condition = LEFT_OUT.get(ability.name) if for_plan else None
        if condition:
            asked = [f"if {condition}; then", *asked, "fi"]
        parts += asked if condition != "" else []
    files = " ".join(dict.fromkeys(pattern for ability in ABILITIES for pattern in ability.files))
    parts += [f"echo; echo {mark} {_FILES}", f"grep -sHvE '{OTHER_MOUNTS}' {files}"]
    parts += [f"echo; echo {mark} end", "}"]
    # In one piece: each write on its own costs a packet on both sides.
    told = ["raijin_told=$(raijin_look 2>/dev/null </dev/null)", "printf '%s\\n' \"$raijin_told\""]
    return "\n".join(["raijin_facts() {", *parts, *told, "}", "raijin_facts", then])


def is_end(line: str) -> bool:
    """Whether a line of output may be the last one of the facts. `parse` tells whether they are whole."""
    return line.startswith("raijin-facts-") and line.endswith(" end")


def parse(output: str) -> HostFacts:
    """The facts from the output of `script`. Raises HostError when the output is not a whole one."""
    before, found, rest = output.partition("\nraijin-facts-")
    mark = "\nraijin-facts-" + rest.partition(" ")[0] + " "
    sections = {}
    for section in (found + rest).split(mark)[1:]:
        name, _, text = section.partition("\n")
        sections[name] = text
    lines = sections.get(_FILES, "").splitlines()
    if not found or "end" not in sections:
        remedy = "see what the host prints when a program is run on it; its shell may be restricted"
        raise HostError("the host's facts did not arrive whole", remedy=remedy, detail=before[-2000:] or output[-2000:])
    return HostFacts(
        **{ability.name: _read(ability.parse, _with_files(ability, sections, lines)) for ability in ABILITIES}
    )


def _with_files(ability: Ability, sections: Mapping[str, str], lines: list[str]) -> str | None:
    """What the snippet printed, and the lines of the ability's files: each pattern is known by what is fixed in it."""
    text = sections.get(ability.name)
    if text is None or not ability.files:
        return text
    fixed = tuple(re.split(r"[*[]", pattern, maxsplit=1)[0] for pattern in ability.files)
    return "\n".join([text, *(line for line in lines if line.startswith(fixed))])


def _read(parser: Any, text: str | None) -> Any:
    if text is None:
        return Unknown("it was not asked for")
    try:
        return parser(text)
    except (ValueError, LookupError, ArithmeticError) as error:
        said = " ".join(text.split())[:100]
        return Unknown(f"{type(error).__name__}: {error} (the host said: {said or 'nothing'})")

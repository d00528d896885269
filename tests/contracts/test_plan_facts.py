"""What a plan does not ask the hosts for, no stage of a plan looks at: it would be unknown there, in silence."""

from __future__ import annotations

import ast
from pathlib import Path

import raijin
from raijin.facts import LEFT_OUT

PACKAGE = Path(raijin.__file__).parent
PLANNING = ("lifecycle", "platforms", "network", "plan")
ALLOWED = {("platforms/view.py", "ports")}
"""`listener` reads the ports, and preflight asks it about hosts that nobody has claimed: then they are asked for."""


def read_by(node: ast.AST) -> str:
    """The fact that an expression reads: `facts.NAME`, `X.facts.NAME`, `getattr(..., "NAME", ...)`."""
    match node:
        case ast.Attribute(value=ast.Name(id="facts") | ast.Attribute(attr="facts"), attr=name):
            return name
        case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]):
            return name
    return ""


def test_no_stage_reads_a_fact_that_is_left_out() -> None:
    found, all_read = set(), set()
    for path in (path for part in PLANNING for path in (PACKAGE / part).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = read_by(node)
            all_read.add(name)
            if name in LEFT_OUT:
                found.add((str(path.relative_to(PACKAGE)), name))
    assert found == ALLOWED
    assert {"kernel", "disks"} <= all_read

"""What a program says, read."""

from __future__ import annotations

import base64
import json

import pytest

from raijin.operations.file import File
from raijin.operations.report import FieldChange, State, parse_line

FILE = File("/a", "new\n")


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_report() -> None:
    changes = "mode\x1f600\x1f644\x1econtent\x1fold\nx\x1f\x1e"
    line = {"op": 0, "state": "failed", "ms": 40, "changes": encoded(changes), "reason": encoded("why"), "stderr": ""}
    report = parse_line(json.dumps(line, separators=(",", ":")), [FILE])
    assert report is not None
    assert (report.index, report.state, report.milliseconds, report.reason) == (0, State.FAILED, 40, "why")
    assert report.state.bad
    assert report.changes == (FieldChange("mode", "600", "644"), FieldChange("content", "old\n", "new\n"))
    plain = {"op": 0, "state": "failed", "ms": 40, "plain": "mode\x1f600\x1f644\x1e", "why": "why not"}
    report = parse_line(json.dumps(plain, separators=(",", ":")), [FILE])
    assert report is not None
    assert (report.changes, report.reason) == ((FieldChange("mode", "600", "644"),), "why not")


def test_a_report_of_the_program_itself() -> None:
    report = parse_line('{"op":-1,"state":"locked","ms":0}', [FILE])
    assert report is not None
    assert (report.index, report.state.bad, report.changes) == (-1, True, ())


@pytest.mark.parametrize(
    "line",
    ["Welcome to Debian!", "", '{"op":0,', '{"op":0,"state":"odd","ms":0}', '{"op":0,"state":"ok"}', '{"op":"x"}'],
)
def test_what_is_not_a_report(line: str) -> None:
    assert parse_line(line, [FILE]) is None


def test_bytes_that_are_no_text_are_shown_all_the_same() -> None:
    line = f'{{"op":0,"state":"failed","ms":0,"stderr":"{base64.b64encode(bytes([255, 65])).decode()}"}}'
    report = parse_line(line, [FILE])
    assert report is not None
    assert report.stderr == "\ufffdA"

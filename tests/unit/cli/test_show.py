"""What is printed while a run goes on: one line per thing that happened in a pipe, a few live lines on a terminal."""

from __future__ import annotations

import io
import re
import shutil
import sys

import pytest

from raijin.cli import show
from raijin.cli.show import Progress, print_lines, print_table
from raijin.observe.events import Event, Kind
from raijin.plan.render import Line

CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def story(error: dict[str, object] | None = None) -> list[Event]:
    title = {"title": "prepare the operating system of this host"}
    state = {"state": "failed" if error else "done", "seconds": 12.3, "error": error}
    return [
        Event(Kind.STEP_STARTED, "r", "s1", "alpha", {**title, "stage": "prepare"}),
        Event(Kind.OPERATION, "r", "s1", "alpha", {"title": "file /etc/x", "state": "started"}),
        Event(Kind.TRANSFER, "r", "s1", "alpha", {"name": "kubelet", "bytes": 5_000_000, "size": 10_000_000}),
        Event(Kind.MESSAGE, "r", "s1", "alpha", {"text": "waiting for the node"}),
        Event(Kind.STEP_FINISHED, "r", "s1", "alpha", {**title, **state}),
    ]


def test_in_a_pipe_one_line_for_what_happened(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(2)
    for event in story():
        progress(event)
    progress.close()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "  alpha: waiting for the node",
        "[1/2] ok alpha: prepare the operating system of this host 12 s",
    ]


def test_a_failure_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(1)
    for event in story({"detail": "the disk is full"}):
        progress(event)
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "[1/1] FAILED alpha: prepare the operating system of this host",
        "    the disk is full",
    ]


@pytest.mark.parametrize("columns", [20, 40, 100])
def test_on_a_terminal_no_line_is_wider_than_it(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: type("Size", (), {"columns": columns}))
    times = iter(range(1000))
    monkeypatch.setattr(show.time, "monotonic", lambda: float(next(times)))
    progress = Progress(20)
    for number in range(12):
        progress(Event(Kind.STEP_STARTED, "r", f"s{number}", f"host-{number}", {"title": "do something long " * 5}))
    for event in story():
        progress(event)
    live = [line for line in terminal.getvalue().splitlines() if "…" in line or " of 20 steps" in line]
    assert live
    for line in live:
        assert len(CODES.sub("", line)) <= columns
    before = terminal.getvalue()
    progress.close()
    erased = int(re.search(r"\x1b\[(\d+)A\x1b\[J$", terminal.getvalue()[len(before) :])[1])  # type: ignore[index]
    assert erased <= 9, "at most eight steps and the count"


def test_a_table_in_a_pipe_is_columns_by_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["NAME", "STATE"], [["alpha", "Ready"], ["beta", ""]])
    assert capsys.readouterr().out == "NAME\tSTATE\nalpha\tReady\nbeta\t\n"


def test_a_table_on_a_narrow_terminal_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    print_table(["NAME", "REMARK"], [["alpha", "a remark that is far longer than the terminal is wide"]])
    lines = CODES.sub("", terminal.getvalue()).splitlines()
    assert max(map(len, lines)) <= 40
    words = " ".join(" ".join(line.replace("alpha", "").split()) for line in lines[1:])
    assert words == "a remark that is far longer than the terminal is wide"


def test_styled_lines_are_plain_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    print_lines([Line("+ new", "new"), Line("plain"), Line("odd", "no-such-style")])
    assert capsys.readouterr().out == "+ new\nplain\nodd\n"

"""Printing: styled lines, tables that fit a narrow terminal, and the live progress of a run."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Sequence

import click

from raijin.observe.events import Event, Kind
from raijin.plan.render import Line, duration, megabytes

STYLES: dict[str, dict[str, object]] = {
    "title": {"bold": True},
    "good": {"fg": "green"},
    "bad": {"fg": "red", "bold": True},
    "step": {"fg": "cyan"},
    "note": {"fg": "yellow"},
    "new": {"fg": "green"},
    "gone": {"fg": "red"},
    "changed": {"fg": "yellow"},
}


def print_lines(lines: Iterable[Line], *, err: bool = False) -> None:
    for line in lines:
        click.echo(click.style(line.text, **STYLES.get(line.style, {})), err=err)  # type: ignore[arg-type]


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on standard output: drawn by rich on a terminal, tab-separated columns in a pipe."""
    if not sys.stdout.isatty():
        click.echo("\t".join(headers))
        for row in rows:
            click.echo("\t".join(row))
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, header_style="bold", pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(highlight=False).print(table)


class Progress:
    """A sink of events: on a terminal one live line per step in hand, elsewhere one line per thing that happened.

    mark: before each line. brief: only what failed has a line of its own, and every hundredth step.
    """

    def __init__(self, total: int, *, mark: str = "", brief: bool = False) -> None:
        self._mark, self._brief = mark, brief
        self._total, self._done, self._started = total, 0, time.monotonic()
        self._live = sys.stderr.isatty()
        self._now: dict[str, str] = {}
        self._drawn = 0
        self._painted = 0.0

    def __call__(self, event: Event) -> None:
        if event.kind is Kind.STEP_STARTED:
            self._now[event.step] = f"{event.host}: {event.data.get('title')}"
        elif event.kind is Kind.OPERATION:
            self._operation(event)
        elif event.kind is Kind.TRANSFER:
            sent, size = event.data.get("bytes", 0), event.data.get("size", 1)
            if isinstance(sent, int) and isinstance(size, int) and size:
                text = f"{event.data.get('name')} {megabytes(sent)} of {megabytes(size)} ({sent * 100 // size} %)"
                self._detail(event, f"sending {text}")
        elif event.kind is Kind.MESSAGE:
            text = str(event.data.get("text"))
            self._detail(event, text)
            if not self._live and not self._brief:
                self._line(f"  {event.host}: {text}")
        elif event.kind is Kind.STEP_FINISHED:
            self._finished(event)
        self._paint()

    def more(self, steps: int) -> None:
        """The run goes on with so many steps."""
        self._total += steps

    def close(self) -> None:
        self._now.clear()
        self._erase()

    def _operation(self, event: Event) -> None:
        if event.data.get("state") == "started":
            self._detail(event, str(event.data.get("title")))

    def _detail(self, event: Event, text: str) -> None:
        self._now[event.step] = f"{event.host}: {text}"

    def _finished(self, event: Event) -> None:
        self._now.pop(event.step, None)
        self._done += 1
        state, seconds = str(event.data.get("state")), event.data.get("seconds", 0)
        mark, colour = {"done": ("ok", "green"), "failed": ("FAILED", "red")}.get(state, (state, "yellow"))
        took = duration(float(seconds)) if isinstance(seconds, (int, float)) and state == "done" else ""
        count = f"[{self._done}/{self._total}]"
        if self._brief and state != "failed" and self._done % 100 and self._done != self._total:
            return
        self._line(f"{count} {click.style(mark, fg=colour)} {event.host}: {event.data.get('title')} {took}".rstrip())
        error = event.data.get("error")
        if isinstance(error, dict) and state == "failed":
            self._line(f"    {error.get('detail')}")

    def _line(self, text: str) -> None:
        self._erase()
        click.echo(f"{self._mark}{text}", err=True)

    def _erase(self) -> None:
        if self._drawn:
            sys.stderr.write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0

    def _paint(self) -> None:
        """At most ten times a second, at most eight lines, never wider than the terminal."""
        if not self._live or (time.monotonic() - self._painted < 0.1 and self._drawn):
            return
        self._painted = time.monotonic()
        columns = max(20, shutil.get_terminal_size().columns - 1)
        lines = [f"  … {text}"[:columns] for text in list(self._now.values())[:8]]
        lines.append(f"  {self._done} of {self._total} steps, {duration(time.monotonic() - self._started)}"[:columns])
        self._erase()
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()
        self._drawn = len(lines)

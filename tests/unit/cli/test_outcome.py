"""What came of a run, in one line that is true."""

from __future__ import annotations

import pytest

from raijin.cli.outcome import Outcome, print_outcome
from raijin.plan.model import Call, Change, Plan, Step

STEP = Step(
    "s", "make", "m1", "make it", Call("machine.make"), changes=(Change("machine m1", "state", "absent", "there"),)
)
PLAN, MACHINES = Plan("apply", "lab", (STEP,)), Plan("apply", "lab", (STEP,), leads_on=True)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome("lab", PLAN, "r1", "done", 12.4), ["done: run r1, 1 steps in 12 s"]),
        (Outcome("lab", PLAN, declined=True), ["nothing was changed"]),
        (Outcome("lab", PLAN, "r1", "cancelled", 12.4, declined=True), ["machines were made (run r1), nothing else"]),
        (
            Outcome("lab", MACHINES, "r1", "done", 3.0),
            [
                "done: run r1, 1 steps in 3 s",
                "machines are there; what is done on them is planned by the next `raijin apply`",
            ],
        ),
    ],
)
def test_what_is_said(outcome: Outcome, said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    print_outcome(outcome, "text")
    assert capsys.readouterr().out.splitlines() == said

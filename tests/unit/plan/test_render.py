"""A plan for people. Law: marks carry the meaning, so it reads the same without colour; nothing is endless."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from raijin.operations.file import File
from raijin.operations.program import Program
from raijin.operations.report import FieldChange, Report, State
from raijin.operations.unit import Unit
from raijin.plan.build import build
from raijin.plan.draft import Draft
from raijin.plan.model import Call, Change, Material
from raijin.plan.render import MAX_DIFF_LINES, duration, megabytes, render, summary
from raijin.plan.runbook import runbook
from raijin.platforms.calls import BY_HAND


def text(plan, *, detail: bool = True) -> str:
    return "\n".join(line.text for line in render(plan, detail=detail))


def test_the_whole_plan(example) -> None:
    plan = example(materials=(Material("1" * 64, "kubelet", 5),))
    assert text(plan).replace(plan.digest[:12], "DIGEST") == (
        "apply lab: 5 steps on 2 hosts, about 17 s, moves pods!\n"
        "note: mind the gap\n"
        "\n"
        "alpha, beta: prepare the system  (1 of 2 operations)\n"
        "  ~ file /etc/one\n"
        "      @@ -1,3 +1,3 @@\n"
        "       a\n"
        "      -old\n"
        "      +b\n"
        "       c\n"
        "\n"
        "lab: install the network\n"
        "  + DaemonSet net\n"
        "\n"
        "gamma: move the pods away  (! moves pods)\n"
        "  ~ node gamma\n"
        "      pods: running -> moved\n"
        "\n"
        "alpha: wait for it\n"
        "\n"
        "Digest DIGEST; apply it with `raijin apply`, or save it with `raijin plan --out FILE`."
    )


def test_brief_is_one_line_per_step(example) -> None:
    lines = text(example(), detail=False).splitlines()
    assert not [line for line in lines if line.startswith(" ")]
    assert "alpha, beta: prepare the system  (1 of 2 operations)" in lines


def test_no_colour_is_in_the_text(example) -> None:
    assert "\x1b" not in text(example())


def test_an_empty_plan_says_so_and_keeps_its_notes(example) -> None:
    plan = build("apply", "lab", [], {}, notes=("beta is left out",))
    assert text(plan) == "lab: nothing to do. What is there is what the definition says.\nnote: beta is left out"
    assert list(runbook(plan, BY_HAND))[-1].strip() == "Nothing is to be done."
    del example


def shown(*changes: Change) -> list[str]:
    draft = Draft("s", "alpha", "do it", Call("c", {}), changes=changes)
    return [line.text for line in render(build("apply", "lab", [draft], {}))][3:-2]


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (Change("x", "state", "absent", "file"), ["  + x"]),
        (Change("x", "state", "member", "absent"), ["  - x"]),
        (Change("x", "mode", "600", "644"), ["  ~ x", "      mode: 600 -> 644"]),
        (Change("x", "mode", "", "644"), ["  ~ x", "      mode: 644"]),
        (Change("x", "text", "a\nb", "c"), ["  ~ x", "      text: a\\nb -> c"]),
        (Change("x", "content", "a", "a\n"), ["  ~ x", "      (only the end of the last line differs)"]),
        (Change("x", "state", "running", "restarted", "file y"), ["  ~ x", "      restarted, because file y changes"]),
    ],
)
def test_the_marks(change: Change, lines: list[str]) -> None:
    assert shown(change) == lines


def test_what_is_long_is_cut_and_says_where_the_rest_is() -> None:
    many = "".join(f"line {n}\n" for n in range(200))
    lines = shown(Change("x", "state", "absent", "file"), Change("x", "content", "", many))
    assert len(lines) == MAX_DIFF_LINES + 2
    assert lines[-1] == f"      ... {200 - MAX_DIFF_LINES} more lines (all of them: --output json)"
    (_, field) = shown(Change("x", "value", "a" * 500, "b" * 500))
    assert len(field) < 220


def test_many_hosts_are_told_once() -> None:
    program = Program("p", "lab", (File("/etc/x", "x"),))
    drafts = [Draft("s", f"w{n}", "prepare", program) for n in range(20)]
    reports = {draft.key: [Report(0, State.WOULD_CHANGE, 1)] for draft in drafts}
    heads = [line.text for line in render(build("apply", "lab", drafts, reports)) if "prepare" in line.text]
    assert heads == ["w0, w1, w2, w3, w4, w5 and 14 more: prepare  (1 of 1 operations)"]
    reports["s/w3"] = [Report(0, State.WOULD_CHANGE, 1, (FieldChange("mode", "1", "2"),))]
    heads = [line.text for line in render(build("apply", "lab", drafts, reports)) if "prepare" in line.text]
    assert len(heads) == 2, "a host whose change is another is told by itself"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 s"), (59.4, "59 s"), (90, "2 min"), (3599, "1 h 0 min"), (3661, "1 h 1 min"), (7320, "2 h 2 min")],
)
def test_durations_for_people(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("count", "words"), [(0, "0 kB"), (1500, "2 kB"), (52_400_000, "52 MB")])
def test_sizes_for_people(count: int, words: str) -> None:
    assert megabytes(count) == words


def test_one_is_not_many(example) -> None:
    plan = example()
    one = replace(plan, steps=plan.steps[:1])
    assert summary(one).startswith("apply lab: 1 step on 1 host, about 15 s")


# -- the runbook --


def test_the_runbook_has_every_step_with_what_it_needs(example) -> None:
    plan = example()
    lines = "\n".join(runbook(plan, BY_HAND))
    assert lines.startswith("# Apply lab by hand\n")
    assert "> mind the gap" in lines
    heads = re.findall(r"^## (\d+)\. (.*)$", lines, re.M)
    assert heads == [(str(n), f"{s.title} ({s.target})") for n, s in enumerate(plan.steps, 1)]
    assert "After: step 1, step 2." in lines
    assert "Beware: it moves pods." in lines
    assert "`kubectl drain gamma --ignore-daemonsets" in lines
    assert '"kind": "DaemonSet"' in lines
    assert "file /etc/one" in lines


def test_the_runbook_shows_no_secret_and_names_a_restart() -> None:
    program = Program("p", "lab", (Unit("x.service"),))
    plan = build("apply", "lab", [Draft("s", "a", "t", program)], {"s/a": [Report(0, State.WOULD_CHANGE, 1)]})
    assert "On `a`, as root:" in "\n".join(runbook(plan, BY_HAND))

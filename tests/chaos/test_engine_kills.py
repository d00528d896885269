"""kill -9 of the engine at every instant of every step, then `resume`.

Laws: the end is that of an undisturbed run, in the journal and on the hosts; a step that the journal calls done is
never done again (what may have expired excepted); nobody has to clean up first.
"""

from __future__ import annotations

import os
import signal

import pytest

from raijin.model.policy import OnHostFailure

POINTS = ("started", "begun", "worked", "settling", "settled")
"""Instants of a step: journalled as started; at work; work done, nobody knows; the workflow knows, the journal does
not; both know. A program works on its host, where `begun` and `worked` have a test of their own."""

GOOD = ("prepare", "token", "join-a", "join-b", "ready")
INSTANTS = [(s, p) for s in GOOD for p in POINTS if s != "prepare" or p not in {"begun", "worked"}]


def good(site, make) -> tuple:
    """Prepare two hosts by a program, make a token, join both, wait: a small apply."""
    call, there = make["call"], site.hosts / "alpha-file"
    return (
        make["program"]("prepare", (make["file"](there, "prepared\n"),)),
        call("token", "prepare", target="lab", renewed=True),
        call("join-a", "token"),
        call("join-b", "token", target="beta"),
        call("ready", "join-a", "join-b", target="lab"),
    )


def bad(site, make) -> tuple:
    """One host fails; what depends on it is skipped, the other goes on."""
    del site
    call = make["call"]
    return (call("bad-a"), call("after-a", "bad-a"), call("b", target="beta"), call("after-b", "b", target="beta"))


def resume(site) -> int:
    """`raijin run resume`, as often as an undisturbed run would have been begun: once."""
    return site.run("resume")


@pytest.mark.parametrize(("step", "point"), INSTANTS)
def test_killed_anywhere_it_ends_as_if_undisturbed(site, make, step: str, point: str) -> None:
    site.steps = good(site, make)
    assert site.run("start", f"{point}:{step}") == -signal.SIGKILL
    status, before = site.journal()
    assert status == "running"
    done_before = site.done()
    assert resume(site) == 0
    status, after = site.journal()
    assert (status, set(after.values())) == ("done", {("done", "")})
    assert site.files() == {name: "done\n" for name in GOOD if name != "prepare"} | {"alpha-file": "prepared\n"}
    for name, (state, _) in before.items():
        if state == "done" and name not in {"prepare", "token"}:
            assert site.done()[name] == done_before[name] == 1
    # What was in hand when the process died may have been done twice, nothing more often.
    assert max(count for name, count in site.done().items() if name != "token") <= 2


@pytest.mark.parametrize("instant", ["created:run", "finishing:run"])
def test_killed_before_the_first_step_or_after_the_last(site, make, instant: str) -> None:
    site.steps = good(site, make)
    assert site.run("start", instant) == -signal.SIGKILL
    assert resume(site) == 0
    assert site.journal()[0] == "done"
    assert set(site.done().values()) == {1}


def test_killed_again_and_again(site, make) -> None:
    site.steps = good(site, make)
    assert site.run("start", "worked:token") == -signal.SIGKILL
    for instant in ("started:join-a", "settling:join-b", "finishing:run"):
        assert site.run("resume", instant) == -signal.SIGKILL
    assert resume(site) == 0
    assert site.journal()[0] == "done"


def test_killed_while_a_program_runs_on_a_host(site, make) -> None:
    """The program outlives the engine; the second waits for its end and finds its work done."""
    begun, gate, made = (site.hosts / name for name in ("begun", "gate", "made"))
    script = (
        f": >{begun}; n=0; while [ $n -lt 500 ] && [ ! -e {gate} ]; do sleep 0.02; n=$((n+1)); done; echo x >>{made}"
    )
    slow = make["command"]("slow", ("sh", "-c", script), creates=str(made))
    site.steps = (make["program"]("prepare", (slow,)), make["call"]("after", "prepare"))
    first = site.begin("start")
    site.until(begun.exists)
    os.kill(first, signal.SIGKILL)
    assert site.end(first) == -signal.SIGKILL
    second = site.begin("resume")
    site.until(lambda: site.journal()[1]["prepare"][0] == "running")
    gate.touch()
    assert site.end(second) == 0
    assert made.read_text() == "x\n"
    assert site.journal()[0] == "done"


@pytest.mark.parametrize("policy", [OnHostFailure.SKIP, OnHostFailure.STOP])
@pytest.mark.parametrize(
    "instant",
    [
        "worked:bad-a",
        "settled:bad-a",
        "settled:after-a",
        "finishing:run",
        "settling:bad-a",
        "settling:after-a",
    ],
)
def test_a_run_that_fails_fails_alike_when_it_was_killed(site, make, policy: OnHostFailure, instant: str) -> None:
    """The same steps failed and skipped, for the same reasons, as in a run that nobody killed."""
    site.steps, site.policy = bad(site, make), policy
    if policy is OnHostFailure.STOP:
        # One after the other, so that the end does not depend on who was faster.
        site.steps = (site.steps[0], site.steps[1], make["call"]("b", "bad-a", target="beta"))
    assert site.run("start", instant) == -signal.SIGKILL
    assert resume(site) == 16
    status, steps = site.journal()
    failed, done = ("failed", "urn:raijin:error:operation-failed"), ("done", "")
    skipped = ("skipped", "urn:raijin:error:cancelled")
    rest = {"b": done, "after-b": done} if policy is OnHostFailure.SKIP else {"b": skipped}
    assert (status, steps) == ("failed", {"bad-a": failed, "after-a": skipped} | rest)


def test_what_failed_is_tried_again_by_resume_and_what_is_done_is_not(site, make) -> None:
    site.steps, site.policy = bad(site, make), OnHostFailure.SKIP
    assert site.run("start") == 16
    for _ in range(2):
        assert site.run("resume") == 16
    assert site.done() == {"bad-a": 3, "b": 1, "after-b": 1}


def test_a_wish_to_cancel_that_the_kill_overtook_does_not_cancel_the_resume(site, make) -> None:
    from raijin.state.database import open_database
    from raijin.state.runs import Runs

    site.steps = (make["call"]("a"), make["call"]("gate", "a"))
    assert site.run("start", "settling:a") == -signal.SIGKILL
    database = open_database(site.home)
    Runs(database).request_cancel(Runs(database).get("latest").id)
    database.dispose()
    (site.hosts / "open").touch()
    assert resume(site) == 0

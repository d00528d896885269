"""Waiting. Law: it ends when the condition holds, at once on a permanent error, and never later than its deadline."""

from __future__ import annotations

import asyncio
import time

import pytest

from raijin.errors import DeadlineExceeded, HostUnreachable, OperationFailed
from raijin.observe.waiting import until


class Probe:
    """Answers one after the other; an exception is raised."""

    def __init__(self, *answers: str | Exception) -> None:
        self.answers, self.asked = list(answers), 0

    async def __call__(self) -> str:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_what_holds_already_is_not_waited_for() -> None:
    probe, heard = Probe(""), []
    await until("it", probe, timeout=0, on_wait=heard.append)
    assert (probe.asked, heard) == (1, [])


async def test_each_new_reason_is_said_once() -> None:
    probe, heard = Probe("not yet", "not yet", "nearly", "nearly", ""), []
    await until("the node", probe, timeout=5, interval=0.001, on_wait=heard.append)
    assert heard == ["waiting for the node: not yet", "waiting for the node: nearly"]
    assert probe.asked == 5


async def test_a_transient_error_is_a_reason_to_wait() -> None:
    probe, heard = Probe(HostUnreachable("it is booting", host="alpha"), ""), []
    await until("the host", probe, timeout=5, interval=0.001, on_wait=heard.append)
    assert heard == ["waiting for the host: alpha: it is booting"]


@pytest.mark.parametrize("error", [OperationFailed("no"), ValueError("a defect")])
async def test_any_other_error_ends_the_wait_at_once(error: Exception) -> None:
    probe = Probe(error)
    with pytest.raises(type(error)):
        await until("it", probe, timeout=5, interval=0.001)
    assert probe.asked == 1


async def test_the_deadline_says_what_was_waited_for_and_seen_last() -> None:
    probe = Probe("first", "2 of 3 pods are ready")
    with pytest.raises(DeadlineExceeded, match=r"the pods: not so after 0\.03 s; seen last: 2 of 3 pods") as caught:
        await until("the pods", probe, timeout=0.03, interval=0.005, host="alpha", remedy="look at them")
    assert (caught.value.host, caught.value.remedy) == ("alpha", "look at them")
    assert probe.asked > 1


async def test_a_probe_that_hangs_does_not_outlive_the_deadline() -> None:
    async def hangs() -> str:
        await asyncio.sleep(1)
        return "late"

    started = time.monotonic()
    with pytest.raises(DeadlineExceeded, match="seen last: the probe gave no answer"):
        await until("it", hangs, timeout=0.05, interval=0.01)
    assert time.monotonic() - started < 0.8

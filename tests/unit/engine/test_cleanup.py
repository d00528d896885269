"""Steps that put in order what others began: they run whether those ended well or not, and again after each new try."""

from __future__ import annotations

import pytest

from raijin.errors import Cancelled, OperationFailed, RunFailed
from raijin.model.policy import OnHostFailure


async def fails(context) -> None:
    raise OperationFailed("no", host=context.target)


@pytest.mark.parametrize("policy", list(OnHostFailure))
async def test_it_runs_although_what_it_follows_failed(bench, make, policy: OnHostFailure) -> None:
    """A token is taken back and pods may return, also when the policy is to start nothing new."""
    call = make["call"]
    bench.does["join"] = fails
    with pytest.raises(RunFailed):
        await bench.start(
            call("admit"), call("join", "admit"), call("revoke", "admit", "join", cleanup=True), call("ready", "join"),
            policy=policy,
        )  # fmt: skip
    assert bench.done == ["admit", "join", "revoke"]
    assert bench.states() == {"admit": "done", "join": "failed", "revoke": "done", "ready": "skipped"}


async def test_it_does_not_run_when_nothing_was_begun(bench, make) -> None:
    call = make["call"]
    bench.does["before"] = fails
    with pytest.raises(RunFailed):
        await bench.start(call("before"), call("drain", "before"), call("uncordon", "drain", cleanup=True))
    assert bench.done == ["before"]
    assert bench.states()["uncordon"] == "skipped"


async def test_its_own_failure_is_one_of_the_run(bench, make) -> None:
    call = make["call"]
    bench.does["tidy"] = fails
    with pytest.raises(RunFailed):
        await bench.start(call("work"), call("tidy", "work", cleanup=True))
    assert bench.states() == {"work": "done", "tidy": "failed"}


async def test_after_the_next_try_it_runs_again(bench, make) -> None:
    """It was done after the failure; the try that succeeds leaves something to put in order once more."""
    call = make["call"]
    bench.does["upgrade"] = fails
    with pytest.raises(RunFailed):
        await bench.start(
            call("drain", renewed=True), call("upgrade", "drain"), call("uncordon", "upgrade", cleanup=True)
        )
    del bench.does["upgrade"]
    bench.done.clear()
    await bench.resume()
    assert bench.done == ["drain", "upgrade", "uncordon"], "the node is drained again before it is upgraded"


async def test_what_is_only_put_in_order_is_not_made_anew(bench, make) -> None:
    """Taking a token back must not make another one first."""
    call = make["call"]
    bench.does["revoke"] = fails
    with pytest.raises(RunFailed) as failed:
        await bench.start(
            call("admit", renewed=True), call("join", "admit"), call("revoke", "admit", "join", cleanup=True)
        )
    assert bench.states() == {"admit": "done", "join": "done", "revoke": "failed"}, failed.value.detail
    del bench.does["revoke"]
    bench.done.clear()
    await bench.resume()
    assert bench.done == ["revoke"]


async def test_a_cancelled_run_leaves_it_to_its_resume(bench, make) -> None:
    call = make["call"]

    async def cancelled(context) -> None:
        del context
        bench.engine.cancel("latest")
        raise Cancelled("stopped")

    bench.does["work"] = cancelled
    with pytest.raises(Cancelled):
        await bench.start(call("work"), call("more", "work"), call("tidy", "work", cleanup=True))
    del bench.does["work"]
    bench.done.clear()
    await bench.resume()
    assert bench.done[0] == "work"
    assert "tidy" in bench.done
    assert set(bench.states().values()) == {"done"}

"""One run per cluster. Law: the living hold what they hold, nobody waits for the dead, and a lease runs out."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from raijin.errors import Locked
from raijin.state import locks as module
from raijin.state.database import open_database
from raijin.state.locks import Locks, Owner

NAME = "cluster/lab"


@pytest.fixture
def other(home: Path, database) -> Iterator[Callable[..., int]]:
    """Another process that takes the lock and then lives until it is ended; its pid."""
    del database
    children: list[int] = []

    def start(lease: float = 30.0) -> int:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            module.LEASE_SECONDS = lease
            Locks(open_database(home)).acquire(NAME, "run-of-other")
            os.write(writer, b"!")
            while True:
                signal.pause()
        os.close(writer)
        assert os.read(reader, 1) == b"!"
        os.close(reader)
        children.append(pid)
        return pid

    yield start
    for pid in children:
        end(pid)


def end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        return


def test_the_living_are_not_robbed_and_the_error_says_who(database, other) -> None:
    pid = other()
    with pytest.raises(Locked, match=rf"the run run-of-other of .* \(process {pid}\) holds cluster/lab") as caught:
        Locks(database).acquire(NAME, "mine")
    assert "raijin run cancel run-of-other" in (caught.value.remedy or "")
    assert Locks(database).held(NAME) == "run-of-other"


def test_nobody_waits_for_the_dead(database, other) -> None:
    end(other())
    locks = Locks(database)
    assert locks.held(NAME) is None
    locks.acquire(NAME, "mine")
    assert locks.held(NAME) == "mine"


def test_a_lease_that_ran_out_is_taken_and_its_owner_hears_of_it(database, other, monkeypatch) -> None:
    other(lease=0.05)
    time.sleep(0.06)
    locks = Locks(database)
    assert locks.held(NAME) is None
    locks.acquire(NAME, "mine")
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(Owner, "current", classmethod(lambda cls: cls("other-boot", 1, "1", "ann")))
        assert not locks.renew(NAME)
        locks.release(NAME)  # what is not ours is not let go
    assert locks.held(NAME) == "mine"


def test_a_lease_is_prolonged(database, monkeypatch: pytest.MonkeyPatch) -> None:
    locks = Locks(database)
    monkeypatch.setattr(module, "LEASE_SECONDS", 0.05)
    locks.acquire(NAME, "mine")
    monkeypatch.setattr(module, "LEASE_SECONDS", 30)
    assert locks.renew(NAME)
    time.sleep(0.06)
    assert locks.held(NAME) == "mine"


def test_let_go_is_free(database) -> None:
    locks = Locks(database)
    locks.acquire(NAME, "mine")
    locks.release(NAME)
    assert locks.held(NAME) is None
    locks.release(NAME)


def test_clusters_do_not_lock_each_other(database, other) -> None:
    other()
    Locks(database).acquire("cluster/other", "mine")
    assert Locks(database).held("cluster/other") == "mine"


def test_two_runs_of_one_process_exclude_each_other_too(database) -> None:
    locks = Locks(database)
    locks.acquire(NAME, "one")
    with pytest.raises(Locked):
        locks.acquire(NAME, "two")


def test_a_pid_that_was_given_away_again_is_another_process() -> None:
    mine = Owner.current()
    assert not mine.gone()
    assert Owner(mine.machine, mine.pid, "1", mine.user).gone()
    assert not Owner("another machine or boot", mine.pid, "1", mine.user).gone()

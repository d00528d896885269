"""Becoming root. Law: whatever sudo does with the password, the program gets its own input and nothing else."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raijin.errors import AuthenticationFailed
from raijin.transport.base import Completed
from raijin.transport.become import become, check_refused

SCRIPT = b"echo as root\nread -r line\necho got $line\nsecond line\n"
PASSWORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\n"), max_size=30)


def after_sudo(argv: list[str]) -> list[str]:
    return argv[argv.index("--") + 1 :]


def test_without_a_password_sudo_may_not_ask() -> None:
    assert become(["sh", "-s"], password=None) == (["sudo", "-n", "--", "sh", "-s"], b"")


@settings(max_examples=25, deadline=None)
@given(password=PASSWORDS, asks=st.booleans())
def test_the_program_gets_its_own_input(password: str, asks: bool) -> None:
    argv, first = become(["cat"], password=password)
    given_to_sudo = first + SCRIPT
    if asks:  # sudo -S reads one line, byte by byte
        given_to_sudo = given_to_sudo.partition(b"\n")[2]
    done = subprocess.run(after_sudo(argv), input=given_to_sudo, capture_output=True, check=True)
    assert done.stdout == SCRIPT
    assert done.stderr == b""


def test_the_password_is_in_no_argument_and_the_marker_is_new_each_time() -> None:
    (one, first), (two, second) = (become(["id"], password="hunter2") for _ in range(2))
    assert not [word for word in one if "hunter2" in word]
    assert one != two
    assert first.split(b"\n")[0] == second.split(b"\n")[0] == b"hunter2"
    assert first != second


def test_a_program_is_not_started_when_the_marker_never_comes() -> None:
    argv, _ = become(["echo", "started"], password="x")
    done = subprocess.run(after_sudo(argv), input=b"x\nother\n", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (99, b"")


SUDO_SAYS = {
    "sudo: 3 incorrect password attempts": "sudo refused the password",
    "Sorry, try again.\nsudo: no password was provided": "sudo refused the password",
    "sudo: a password is required": "sudo wants a password and none is given",
    "sudo: a terminal is required to read the password": "sudo wants a password and none is given",
    "ann is not in the sudoers file.\nThis incident has been reported to the administrator. (sudo)": "may not use sudo",
    "Sorry, user ann is not allowed to execute '/bin/sh -s' as root on alpha. (sudo)": "may not use sudo",
    "sh: 1: sudo: not found": "sudo is not installed",
    "bash: line 1: sudo: command not found": "sudo is not installed",
}


@pytest.mark.parametrize(("said", "problem"), SUDO_SAYS.items())
def test_what_sudo_says_becomes_an_error_with_a_remedy(said: str, problem: str) -> None:
    with pytest.raises(AuthenticationFailed, match=problem) as caught:
        check_refused(Completed(1, "", said, 0.1), "alpha")
    assert caught.value.host == "alpha"
    assert caught.value.remedy
    assert caught.value.detail == said


@pytest.mark.parametrize(
    "done",
    [
        Completed(0, "", "sudo: unable to resolve host alpha", 0.1),
        Completed(4, "output", "sudo: a password is required", 0.1),
        Completed(4, "", "the disk is full", 0.1),
        Completed(4, "", "sudo: unable to resolve host alpha", 0.1),
    ],
    ids=["done", "it-ran", "other-words", "other-words-of-sudo"],
)
def test_what_is_no_refusal_stays_a_result(done: Completed) -> None:
    check_refused(done, "alpha")

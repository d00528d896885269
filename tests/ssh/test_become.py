"""Becoming root by a real sudo. Law: the password reaches sudo's standard input and nothing else, ever."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from raijin.errors import AuthenticationFailed

LOOK_AT_PROCESSES = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; echo; id -u\n"


async def test_sudo_with_its_password(connected, sudo_users) -> None:
    who = {"user": sudo_users.with_password, "become": True, "become_password": sudo_users.password}
    async with connected(**who) as connection:
        done = await connection.run("id -u; cat /dev/null; exit 7\n")
        assert (done.stdout, done.status) == ("0\n", 7)
        assert (await connection.run("id -un", root=False)).stdout.strip() == sudo_users.with_password


async def test_sudo_that_asks_nothing(connected, sudo_users) -> None:
    async with connected(user=sudo_users.without_asking, become=True) as connection:
        assert (await connection.run("id -u")).stdout == "0\n"


@pytest.mark.parametrize("asks", [True, False], ids=["asked", "not-asked"])
async def test_the_password_is_in_no_output_and_no_process(connected, sudo_users, asks: bool) -> None:
    """A sudo that does not ask must not hand the password to the shell as a command."""
    user = sudo_users.with_password if asks else sudo_users.without_asking
    async with connected(user=user, become=True, become_password=sudo_users.password) as connection:
        done = await connection.run(LOOK_AT_PROCESSES)
    assert done.status == 0
    assert done.stdout.endswith("\n0\n")
    assert sudo_users.password not in done.stdout + done.stderr
    assert "not found" not in done.stderr


async def test_a_cached_login_changes_nothing(connected, sudo_users) -> None:
    """sudo remembers a login for minutes; the second run neither fails nor runs the password."""
    who = {"user": sudo_users.with_password, "become": True, "become_password": sudo_users.password}
    async with connected(**who) as connection:
        for _ in range(2):
            done = await connection.run("id -u")
            assert (done.stdout, done.stderr) == ("0\n", "")


async def test_a_wrong_password(connected, sudo_users) -> None:
    wrong = "not the password"
    async with connected(user=sudo_users.with_password, become=True, become_password=wrong) as connection:
        with pytest.raises(AuthenticationFailed, match="sudo refused the password") as caught:
            await connection.run("touch /run/raijin-must-not-exist; id -u")
    error = caught.value
    assert error.host == "alpha"
    assert not error.transient
    assert wrong not in f"{error} {error.problem()}"
    assert not Path("/run/raijin-must-not-exist").exists()


async def test_a_password_is_wanted_and_none_is_given(connected, sudo_users) -> None:
    async with connected(user=sudo_users.with_password, become=True) as connection:
        with pytest.raises(AuthenticationFailed, match="sudo wants a password and none is given"):
            await connection.run("id -u")


@pytest.mark.parametrize("given", [True, False], ids=["password", "no-password"])
async def test_a_user_without_rights(connected, sudo_users, given: bool) -> None:
    password = sudo_users.password if given else None
    async with connected(user=sudo_users.forbidden, become=True, become_password=password) as connection:
        with pytest.raises(AuthenticationFailed, match="sudo") as caught:
            await connection.run("id -u")
    assert sudo_users.password not in f"{caught.value} {caught.value.problem()}"


async def test_a_wrong_password_stops_a_push_and_a_read_too(connected, sudo_users, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    digest = hashlib.sha256(b"content").hexdigest()
    async with connected(user=sudo_users.with_password, become=True, become_password="wrong") as connection:
        pushing = connection.push(source, "/run/raijin-must-not-exist", sha256=digest)
        both = await asyncio.gather(pushing, connection.read("/etc/shadow"), return_exceptions=True)
    assert [type(error) for error in both] == [AuthenticationFailed, AuthenticationFailed]
    assert not Path("/run/raijin-must-not-exist").exists()


async def test_files_are_pushed_and_read_as_root(connected, sudo_users, tmp_path: Path) -> None:
    source, there = tmp_path / "source", Path("/run") / f"raijin-test-{os.getpid()}"
    source.write_bytes(b"content\n" * 100_000)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    who = {"user": sudo_users.with_password, "become": True, "become_password": sudo_users.password}
    try:
        async with connected(**who) as connection:
            await connection.push(source, str(there), sha256=digest, mode=0o600)
            assert await connection.read(str(there)) == source.read_bytes()
        assert (there.stat().st_uid, there.stat().st_mode & 0o777) == (0, 0o600)
    finally:
        there.unlink(missing_ok=True)


async def test_a_command_that_fails_as_root_is_not_taken_for_sudo(connected, sudo_users) -> None:
    """Its own words may hold the word sudo."""
    who = {"user": sudo_users.without_asking, "become": True}
    async with connected(**who) as connection:
        done = await connection.run("echo 'sudoers: a password is required for the database' >&2; exit 5")
    assert done.status == 5

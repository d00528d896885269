"""Whom we talk to: a host is who its key says, or we do not talk to it, and no password ever reaches it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from raijin.errors import AuthenticationFailed, HostKeyMismatch, HostUnreachable, UsageError
from raijin.transport import ssh

SECRET = "s3cret of ours"


async def works(target: ssh.SshTarget) -> bool:
    connection = await ssh.connect(target)
    done = await connection.run("echo here", root=False)
    await connection.close()
    return done.stdout == "here\n"


async def test_a_key_on_record_is_trusted(sshd, tmp_path: Path) -> None:
    assert await works(sshd.target(host_key=None, known_hosts=sshd.known_hosts(tmp_path / "known")))


async def test_a_literal_key_is_trusted(sshd) -> None:
    assert await works(sshd.target(host_key=" ".join(sshd.public.split()[:2])))


async def test_an_unknown_host_is_refused_with_its_fingerprint(sshd, tmp_path: Path) -> None:
    with pytest.raises(HostKeyMismatch, match="unknown: it offers SHA256:") as caught:
        await ssh.connect(sshd.target(host_key=None, known_hosts=(tmp_path / "absent",)))
    assert caught.value.host == "alpha"
    assert "ssh-keygen -lf" in (caught.value.remedy or "")
    assert not caught.value.transient


async def test_nothing_is_recorded_unless_asked(sshd, tmp_path: Path) -> None:
    known = tmp_path / "known"
    known.write_text("")
    with pytest.raises(HostKeyMismatch):
        await ssh.connect(sshd.target(host_key=None, known_hosts=(known,)))
    assert known.read_text() == ""


async def test_a_changed_key_is_refused_by_record_and_literally(make_sshd, tmp_path: Path) -> None:
    daemon = make_sshd()
    before = daemon.public
    known = daemon.known_hosts(tmp_path / "known")
    daemon.change_host_key()
    for way in ({"host_key": None, "known_hosts": known}, {"host_key": before}):
        with pytest.raises(HostKeyMismatch, match="changed"):
            await ssh.connect(daemon.target(**way))


async def test_a_changed_key_is_refused_even_where_first_use_is_allowed(make_sshd, tmp_path: Path) -> None:
    daemon, own = make_sshd(), tmp_path / "own"
    daemon.known_hosts(own)
    before = own.read_text()
    daemon.change_host_key()
    with pytest.raises(HostKeyMismatch, match="changed"):
        await ssh.connect(daemon.target(host_key=None, known_hosts=(own,), first_use=own))
    assert own.read_text() == before


async def test_first_use_is_recorded_once_and_verified_from_then_on(make_sshd, tmp_path: Path) -> None:
    """Also in one process: a host that comes back as another one between two connections is refused."""
    daemon, own = make_sshd(), tmp_path / "home" / "known_hosts"
    target = daemon.target(host_key=None, known_hosts=(own,), first_use=own)
    assert await works(target)
    assert await works(target)
    recorded = own.read_text()
    assert recorded.split() == [f"[127.0.0.1]:{daemon.port}", *daemon.public.split()[:2]]
    assert own.stat().st_mode & 0o777 == 0o600
    daemon.change_host_key()
    with pytest.raises(HostKeyMismatch, match="changed"):
        await works(target)
    assert own.read_text() == recorded


async def test_no_password_reaches_a_host_that_is_not_verified(make_sshd, tmp_path: Path) -> None:
    daemon = make_sshd(PasswordAuthentication="yes", LogLevel="DEBUG3")
    target = daemon.target(host_key=None, known_hosts=(tmp_path / "none",), key=None, password=SECRET)
    with pytest.raises(HostKeyMismatch) as caught:
        await ssh.connect(target)
    assert SECRET not in str(caught.value)
    assert "userauth-request" not in (daemon.folder / "log").read_text()


async def test_a_key_that_the_host_does_not_know(sshd, new_key) -> None:
    other = new_key()
    with pytest.raises(AuthenticationFailed, match=r"SSH refused the user .*\(tried: key\)") as caught:
        await ssh.connect(sshd.target(key=other))
    assert not caught.value.transient
    assert "authorized_keys" in (caught.value.remedy or "")


async def test_a_user_that_does_not_exist(sshd) -> None:
    with pytest.raises(AuthenticationFailed, match="nobody-here"):
        await ssh.connect(sshd.target(user="nobody-here"))


async def test_no_credentials_at_all(sshd) -> None:
    with pytest.raises(AuthenticationFailed):
        await ssh.connect(sshd.target(key=None))


@pytest.mark.parametrize("content", [None, "not a key\n"], ids=["missing", "no-key"])
async def test_a_key_file_that_cannot_be_used_is_our_own_mistake(sshd, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=r"the SSH key .*key (does not exist|cannot be used)"):
        await ssh.connect(sshd.target(key=path))


async def test_a_locked_key_wants_its_passphrase(sshd, new_key) -> None:
    path = new_key("opens it")
    for given in (None, "does not"):
        with pytest.raises(UsageError, match=r"the SSH key .* cannot be used") as caught:
            await ssh.connect(sshd.target(key=path, passphrase=given))
        assert "ssh.passphrase" in (caught.value.remedy or "")
    with pytest.raises(AuthenticationFailed):  # it opens, though this host does not know it
        await ssh.connect(sshd.target(key=path, passphrase="opens it"))


async def test_the_password_of_a_user(sshd, sudo_users) -> None:
    assert await works(sshd.target(key=None, user=sudo_users.forbidden, password=sudo_users.password))
    with pytest.raises(AuthenticationFailed, match="tried: password") as caught:
        await ssh.connect(sshd.target(key=None, user=sudo_users.forbidden, password=SECRET))
    assert SECRET not in f"{caught.value} {caught.value.problem()}"


async def test_a_port_that_nobody_listens_on(make_sshd) -> None:
    daemon = make_sshd()
    daemon.stop()
    text = f"cannot connect to 127.0.0.1:{daemon.port}: Connection refused"
    with pytest.raises(HostUnreachable, match=text) as caught:
        await ssh.connect(daemon.target())
    assert caught.value.transient


async def test_a_listener_that_never_speaks(sshd, listen) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        await reader.read()

    port = await listen(silent)
    started = time.monotonic()
    with pytest.raises(HostUnreachable, match=r"no answer from .* within 0\.3 s"):
        await ssh.connect(sshd.target(port=port, connect_timeout=0.3))
    assert time.monotonic() - started < 3


async def test_a_listener_that_speaks_something_else(sshd, listen) -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with pytest.raises(HostUnreachable, match="cannot speak SSH"):
        await ssh.connect(sshd.target(port=await listen(web), connect_timeout=5))

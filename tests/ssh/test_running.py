"""What a connection does: runs, sends, reads, forwards, and says so when it is lost."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import stat
import time
from pathlib import Path

import pytest

from raijin.errors import ChecksumMismatch, DeadlineExceeded, HostUnreachable, OperationFailed
from raijin.observe.waiting import until
from raijin.transport import ssh
from raijin.transport.pool import Pool


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def parcel(tmp_path: Path) -> tuple[Path, str]:
    path = tmp_path / "parcel"
    path.write_bytes(os.urandom(3 * 1024 * 1024 + 17))
    return path, sha256(path.read_bytes())


async def test_a_script_may_be_large_and_so_may_its_output(connected) -> None:
    script = f"# {'x' * 1_500_000}\nhead -c 3000000 /dev/zero | tr '\\0' y\necho; echo odd >&2\nexit 3\n"
    async with connected() as connection:
        done = await connection.run(script)
    assert done.status == 3
    assert done.stdout == "y" * 3_000_000 + "\n"
    assert done.stderr == "odd\n"
    assert done.seconds > 0


async def test_the_script_is_read_to_its_end_before_it_reads_itself(connected) -> None:
    """A command that reads standard input must not eat the script when it is given no input of its own."""
    async with connected() as connection:
        done = await connection.run("f() {\ncat </dev/null\necho after\n}\nf\n")
    assert done.stdout == "after\n"


async def test_only_the_end_of_a_flood_on_standard_error_is_kept(connected, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "STDERR_LIMIT", 1000)
    async with connected() as connection:
        done = await connection.run("head -c 500000 /dev/zero | tr '\\0' e >&2; echo the reason >&2")
    assert len(done.stderr) <= 1000
    assert done.stderr.endswith("the reason\n")


async def test_bytes_that_are_no_text_do_no_harm(connected) -> None:
    async with connected() as connection:
        done = await connection.run(r"printf '\377\376 caf\303\251\n'")
    assert done.stdout.endswith("café\n")


async def test_lines_are_seen_while_the_program_runs(connected, tmp_path: Path) -> None:
    """The script goes on only after its first line was seen here: it waits for the file that seeing it makes."""
    gate, seen = tmp_path / "gate", []

    def on_line(line: str) -> None:
        seen.append(line)
        gate.touch()

    script = f"echo first; n=0; while [ ! -e {gate} ] && [ $n -lt 500 ]; do sleep 0.02; n=$((n+1)); done\n"
    async with connected() as connection:
        done = await connection.run(script + f"[ -e {gate} ] && echo second", on_line=on_line)
    assert done.stdout == "first\nsecond\n"
    assert seen == ["first", "second"]


async def test_a_last_line_without_its_end_is_a_line_too(connected) -> None:
    seen: list[str] = []
    async with connected() as connection:
        await connection.run("echo one; printf two", on_line=seen.append)
    assert seen == ["one", "two"]


async def test_a_deadline_ends_the_wait_and_the_connection_stays(connected) -> None:
    async with connected() as connection:
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"no end after 0\.3 s") as caught:
            await connection.run("sleep 6", timeout=0.3)
        assert time.monotonic() - started < 3
        assert caught.value.host == "alpha"
        assert (await connection.run("echo still")).stdout == "still\n"


async def test_a_connection_lost_in_the_middle_is_said_and_is_transient(connected) -> None:
    async with connected() as connection:
        with pytest.raises(HostUnreachable, match="lost") as caught:
            await connection.run("echo begun; kill -9 $PPID; sleep 1")
        assert caught.value.transient
        assert caught.value.host == "alpha"
        with pytest.raises(HostUnreachable):
            await connection.run("true")


async def test_a_program_that_ends_by_a_signal_is_no_lost_connection(connected) -> None:
    async with connected() as connection:
        assert (await connection.run("kill -9 $$")).status not in {0, None}
        assert (await connection.run("true")).status == 0


async def session_of(connection: ssh.SshConnection) -> int:
    return int((await connection.run("echo $PPID")).stdout)


async def test_reading_over_a_lost_connection_is_no_missing_file(connected, tmp_path: Path) -> None:
    """A file that could not be read because the link broke may be read later: it is not the host that refused."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    async with connected() as connection:
        session = await session_of(connection)
        reading = asyncio.create_task(connection.read(str(pipe)))
        writer = await asyncio.to_thread(os.open, pipe, os.O_WRONLY)  # returns when `cat` has opened it
        os.kill(session, signal.SIGKILL)
        with pytest.raises(HostUnreachable) as caught:
            await reading
        os.close(writer)
        assert caught.value.transient


async def test_a_silent_link_is_noticed(connected, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that stops answering without closing anything (power cut, cut cable) is lost after some probes."""
    monkeypatch.setattr(ssh, "KEEPALIVE_SECONDS", 0.2)
    monkeypatch.setattr(ssh, "KEEPALIVE_MISSES", 2)
    async with connected() as connection:
        session = await session_of(connection)
        os.kill(session, signal.SIGSTOP)
        try:
            with pytest.raises(HostUnreachable, match="lost"):
                await asyncio.wait_for(connection.run("true"), 10)
        finally:
            os.kill(session, signal.SIGKILL)


async def test_a_file_arrives_whole_with_its_mode_and_in_new_folders(connected, parcel, tmp_path: Path) -> None:
    source, digest = parcel
    there, counted = tmp_path / "new folder" / "it's here", []
    async with connected() as connection:
        await connection.push(source, str(there), sha256=digest, mode=0o640, progress=counted.append)
    assert sha256(there.read_bytes()) == digest
    assert stat.S_IMODE(there.stat().st_mode) == 0o640
    assert sum(counted) == source.stat().st_size
    assert [path.name for path in there.parent.iterdir()] == ["it's here"]


async def test_a_file_that_differs_never_takes_its_place(connected, parcel, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("the old one")
    async with connected() as connection:
        with pytest.raises(ChecksumMismatch, match="there arrived with sha256"):
            await connection.push(parcel[0], str(there), sha256="0" * 64)
    assert there.read_text() == "the old one"
    assert {path.name for path in tmp_path.iterdir()} == {"there", "parcel"}


async def test_readers_see_the_old_file_or_the_new_one(connected, parcel, tmp_path: Path) -> None:
    source, digest = parcel
    there = tmp_path / "there"
    there.write_text("the old one")
    with there.open() as reader:
        async with connected() as connection:
            await connection.push(source, str(there), sha256=digest)
        assert reader.read() == "the old one"
    assert sha256(there.read_bytes()) == digest


async def test_a_full_disk_is_said_and_leaves_nothing(connected, parcel, small_disk: Path) -> None:
    async with connected() as connection:
        with pytest.raises(OperationFailed, match="No space left on device") as caught:
            await connection.push(parcel[0], str(small_disk / "there"), sha256=parcel[1])
    assert caught.value.remedy == "free space on the host"
    assert list(small_disk.iterdir()) == []


async def test_a_push_into_a_file_as_a_folder_is_said(connected, parcel, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with connected() as connection:
        with pytest.raises(OperationFailed, match="cannot write"):
            await connection.push(parcel[0], str(tmp_path / "file" / "there"), sha256=parcel[1])


async def test_a_push_whose_connection_is_lost(connected, tmp_path: Path) -> None:
    """Law: the old file stays, nothing is left beside it."""
    big, there = tmp_path / "big", tmp_path / "host" / "there"
    there.parent.mkdir()
    there.write_text("the old one")
    with big.open("wb") as stream:
        stream.truncate(64 * 1024 * 1024)
    async with connected() as connection:
        session = await session_of(connection)
        sent = 0

        def progress(count: int) -> None:
            nonlocal sent
            if not sent:
                os.kill(session, signal.SIGKILL)
            sent += count

        with pytest.raises(HostUnreachable):
            await connection.push(big, str(there), sha256="0" * 64, progress=progress)

    async def beside() -> str:
        return ", ".join(path.name for path in there.parent.iterdir() if path != there)

    await until("the part to go", beside, timeout=5, interval=0.02)
    assert there.read_text() == "the old one"


async def test_reading_gives_the_bytes(connected, parcel, tmp_path: Path) -> None:
    odd = tmp_path / "-odd name;$(x)"
    odd.write_bytes(b"\0\xff" + parcel[0].read_bytes())
    async with connected() as connection:
        assert await connection.read(str(odd)) == odd.read_bytes()


async def test_reading_what_is_not_there(connected, tmp_path: Path) -> None:
    async with connected() as connection:
        with pytest.raises(OperationFailed, match=r"cannot read .*absent.*No such file") as caught:
            await connection.read(str(tmp_path / "absent"))
    assert not caught.value.transient


async def test_a_tunnel_comes_out_on_the_host(connected, listen) -> None:
    async def upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())

    port = await listen(upper)
    async with connected() as connection:
        async with connection.tunnel("127.0.0.1", port) as (host, port):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"hello\n")
            assert await reader.read() == b"HELLO\n"
            writer.close()
            await writer.wait_closed()
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await asyncio.open_connection(host, port)


async def test_many_runs_share_one_connection(connected) -> None:
    """sshd allows ten sessions per connection by default (MaxSessions); the eleventh waits, it does not fail."""
    count = 20
    async with connected() as connection:
        done = await asyncio.gather(*(connection.run(f"sleep 0.1; echo {n}") for n in range(count)))
        read = await asyncio.gather(*(connection.read("/etc/hostname") for _ in range(count)))
    assert [item.stdout for item in done] == [f"{n}\n" for n in range(count)]
    assert len(set(read)) == 1


async def test_a_jump_host_is_gone_through(make_sshd) -> None:
    outer, inner = make_sshd(), make_sshd()
    targets = {"outer": outer.target(name="outer"), "inner": inner.target(name="inner", jump="outer")}
    pool = Pool(targets)
    assert (await (await pool.get("inner")).run("echo behind")).stdout == "behind\n"
    assert f"127.0.0.1 port {inner.port}" not in (outer.folder / "log").read_text()
    await pool.close()
    outer.stop()
    outer.settings["AllowTcpForwarding"] = "no"
    outer.start()
    pool = Pool(targets)
    with pytest.raises(HostUnreachable, match="inner: ") as caught:
        await pool.get("inner")
    assert caught.value.host == "inner"
    await pool.close()


async def test_a_jump_host_that_is_down_is_named(make_sshd) -> None:
    outer, inner = make_sshd(), make_sshd()
    outer.stop()
    pool = Pool({"outer": outer.target(name="outer"), "inner": inner.target(name="inner", jump="outer")})
    with pytest.raises(HostUnreachable, match="outer"):
        await pool.get("inner")
    await pool.close()

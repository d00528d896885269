"""The server that machines fetch their Ignition configuration from: real sockets on loopback."""

from __future__ import annotations

import asyncio

import pytest

from raijin.errors import OperationFailed
from raijin.transport.ignition import Offer, offering


async def ask(port: int, text: str) -> tuple[str, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode())
    await writer.drain()
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return head.split(b"\r\n")[0].decode().removeprefix("HTTP/1.1 "), body


def get(path: str, method: str = "GET") -> str:
    return f"{method} {path} HTTP/1.1\r\nHost: here\r\n\r\n"


async def free_port() -> int:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return int(port)


async def test_a_machine_gets_its_own_file_and_it_is_noted_when_it_has_it() -> None:
    fetched: list[str] = []
    offer = Offer(b'{"ignition":{}}', ("127.0.0.1",), fetched.append)
    async with offering(await free_port(), {"c1": offer}, bind="127.0.0.1") as port:
        assert await ask(port, get("/c1.ign", "HEAD")) == ("200 OK", b"")
        assert fetched == []
        assert await ask(port, get("/c1.ign")) == ("200 OK", b'{"ignition":{}}')
        assert fetched == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get("/c2.ign"), "404 Not Found"),
        (get("/c1"), "404 Not Found"),
        (get("/../c1.ign"), "404 Not Found"),
        (get("/c1.ign", "POST"), "405 Method Not Allowed"),
        ("\r\n\r\n", "405 Method Not Allowed"),
    ],
)
async def test_nothing_else_is_there(request_: str, status: str) -> None:
    async with offering(await free_port(), {"c1": Offer(b"x", ("127.0.0.0/8",))}, bind="127.0.0.1") as port:
        assert await ask(port, request_) == (status, b"")


async def test_who_is_not_the_machine_gets_nothing() -> None:
    async with offering(await free_port(), {"c1": Offer(b"keys", ("192.0.2.61",))}, bind="127.0.0.1") as port:
        assert await ask(port, get("/c1.ign")) == ("403 Forbidden", b"")


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("192.0.2.61", True),
        ("::ffff:192.0.2.61", True),
        ("192.0.2.62", False),
        ("2001:db8::1", True),
        ("fe80::1%eth0", False),
    ],
)
def test_addresses_are_compared_as_addresses(address: str, allowed: bool) -> None:
    assert Offer(b"", ("192.0.2.61", "2001:db8::/64")).allows(address) is allowed


async def test_steps_of_one_run_share_the_port_and_it_is_closed_after_the_last() -> None:
    port = await free_port()
    own = ("127.0.0.1",)
    async with offering(port, {"w1": Offer(b"1", own)}, bind="127.0.0.1"):
        async with offering(port, {"w2": Offer(b"2", own)}, bind="127.0.0.1"):
            assert (await ask(port, get("/w1.ign")))[1] == b"1"
            assert (await ask(port, get("/w2.ign")))[1] == b"2"
        assert (await ask(port, get("/w2.ign")))[0] == "404 Not Found"
        assert (await ask(port, get("/w1.ign")))[1] == b"1"
    with pytest.raises(ConnectionRefusedError):
        await ask(port, get("/w1.ign"))


async def test_a_port_that_somebody_else_has_is_said() -> None:
    other = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]
    with pytest.raises(OperationFailed, match=f"cannot be offered at port {port}"):
        async with offering(port, {}, bind="127.0.0.1"):
            pass
    other.close()
    await other.wait_closed()

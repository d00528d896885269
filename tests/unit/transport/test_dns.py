"""One question over TCP, against a server on loopback that answers as RFC 1035 says."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from raijin.transport import dns

NAME = "kubernetes.default.svc.cluster.local"


@asynccontextmanager
async def server(answer: Callable[[bytes], bytes]) -> AsyncIterator[tuple[str, int]]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        told = answer(await reader.readexactly(size))
        writer.write(struct.pack("!H", len(told)) + told if told else b"")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[:2]


def reply(question: bytes, code: int = 0, records: int = 1) -> bytes:
    return question[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, records, 0, 0) + question[12:]


async def test_the_question_is_for_the_name() -> None:
    heard: list[bytes] = []

    def answer(question: bytes) -> bytes:
        heard.append(question)
        return reply(question)

    async with server(answer) as address:
        assert await dns.ask(address, NAME) == ""
    assert heard[0][12:] == b"\x0akubernetes\x07default\x03svc\x07cluster\x05local\x00\x00\x01\x00\x01"


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (lambda q: reply(q, code=3), "it knows no such name"),
        (lambda q: reply(q, code=2), "it has failed"),
        (lambda q: reply(q, code=9), "it says the code 9"),
        (lambda q: reply(q, records=0), "it knows no address of it"),
        (lambda q: b"xx" + reply(q)[2:], "what it says is no answer to the question"),
        (lambda q: q[:5], "what it says is no answer to the question"),
    ],
)
async def test_what_is_wrong_with_an_answer(answer: Callable[[bytes], bytes], fault: str) -> None:
    async with server(answer) as address:
        assert await dns.ask(address, NAME) == fault


async def test_who_closes_the_connection_has_not_answered() -> None:
    async with server(lambda _: b"") as address:
        with pytest.raises(OSError, match="closed before an answer"):
            await dns.ask(address, NAME)

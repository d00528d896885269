"""One question to a name server over TCP (RFC 1035; TCP: RFC 7766), for looks: is it there, and does it know a name?"""

from __future__ import annotations

import asyncio
import secrets
import struct

from raijin.transport.twin import Asked, Inside

PORT = 53
A, AAAA = 1, 28
"""Types of records: an IPv4 address (RFC 1035), an IPv6 address (RFC 3596)."""
_REFUSALS = {1: "it takes the question for malformed", 2: "it has failed", 3: "it knows no such name", 5: "it refuses"}
"""RCODE, RFC 1035 section 4.1.1."""


async def ask(address: tuple[str, int], name: str, kind: int = A) -> str:
    """What is wrong with the answer to a question for addresses; empty when there is one. Raises OSError."""
    if isinstance(address, Inside):  # a simulated machine
        told = await address.machine.answer(address.port, Asked("QUERY", name, {}, "application/dns-message", b""))
        return "" if told.status == 200 else str(told.body)
    reader, writer = await asyncio.open_connection(*address)
    try:
        sent = question(name, kind)
        writer.write(struct.pack("!H", len(sent)) + sent)
        await writer.drain()
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        return fault_of(await reader.readexactly(size), sent[:2])
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("the connection was closed before an answer") from error
    finally:
        writer.close()


def question(name: str, kind: int) -> bytes:
    """A message with one question, class IN, recursion desired."""
    labels = [label.encode("ascii") for label in name.rstrip(".").split(".")]
    encoded = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return secrets.token_bytes(2) + struct.pack("!HHHHH", 0x0100, 1, 0, 0, 0) + encoded + struct.pack("!HH", kind, 1)


def fault_of(answer: bytes, wanted: bytes) -> str:
    """wanted: the id of the question."""
    if len(answer) < 12 or answer[:2] != wanted or not answer[2] & 0x80:
        return "what it says is no answer to the question"
    code, records = answer[3] & 0x0F, struct.unpack("!H", answer[6:8])[0]
    if code:
        return _REFUSALS.get(code, f"it says the code {code}")
    return "" if records else "it knows no address of it"

"""A small HTTP server for the moment in which machines fetch their Ignition configuration.

It has one file per host, gives it to the addresses that may have it, and ends with the run. Ignition configurations
hold keys: nothing is written to a disk, and nobody else gets anything.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network

from raijin.errors import OperationFailed

TYPE = "application/vnd.coreos.ignition+json"
REQUEST_SECONDS = 30.0
LONGEST_LINE = 8192


@dataclass(frozen=True, slots=True)
class Offer:
    """What one host may fetch under `/NAME.ign`. clients: addresses and networks that may. fetched: called when the
    whole file was sent, with the client's address.
    """

    content: bytes
    clients: tuple[str, ...]
    fetched: Callable[[str], None] = lambda _: None

    def allows(self, address: str) -> bool:
        found = ip_address(address.partition("%")[0])
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        networks = (ip_network(client, strict=False) for client in self.clients)
        return any(found.version == network.version and found in network for network in networks)


@dataclass
class _Server:
    """One port of this machine, shared by the steps of a run that offer something at the same time."""

    offers: dict[str, list[Offer]] = field(default_factory=dict)
    users: int = 0
    server: asyncio.Server | None = None

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(REQUEST_SECONDS):
                await self._answer(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        words = (await reader.readline()).decode("latin-1").split()
        while (await reader.readline()).strip():
            pass
        address = str(writer.get_extra_info("peername")[0])
        method, path = (words[0], words[1]) if len(words) > 1 else ("", "")
        status, body, offer = self._found(method, path.partition("?")[0], address)
        head = f"HTTP/1.1 {status}\r\nContent-Type: {TYPE}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + (b"" if method == "HEAD" else body))
        await writer.drain()
        if offer is not None and method == "GET":
            offer.fetched(address)

    def _found(self, method: str, path: str, address: str) -> tuple[str, bytes, Offer | None]:
        if method not in {"GET", "HEAD"}:
            return "405 Method Not Allowed", b"", None
        offers = self.offers.get(path.removeprefix("/").removesuffix(".ign"), []) if path.endswith(".ign") else []
        if not offers:
            return "404 Not Found", b"", None
        offer = next((one for one in offers if one.allows(address)), None)
        return ("200 OK", offer.content, offer) if offer else ("403 Forbidden", b"", None)


_running: dict[int, _Server] = {}
_turn: dict[int, asyncio.Lock] = {}


@asynccontextmanager
async def offering(port: int, offers: Mapping[str, Offer], *, bind: str | None = None) -> AsyncIterator[int]:
    """Offer these files, by host, until the end of the block; several blocks may share a port. Gives the port.

    bind: an address of this machine; None: all. Raises OperationFailed when the port is taken by somebody else.
    """
    loop = id(asyncio.get_running_loop())
    async with _turn.setdefault(loop, asyncio.Lock()):
        server = _running.setdefault(port, _Server())
        if server.server is None:
            try:
                server.server = await asyncio.start_server(server.answer, bind, port, limit=LONGEST_LINE)
            except OSError as error:
                _running.pop(port, None)
                raise OperationFailed(
                    f"Ignition configurations cannot be offered at port {port} of this machine: {error.strerror}",
                    remedy="end what uses that port, or name another one in platformConfig.ignitionServer.address",
                ) from error
        server.users += 1
        for name, offer in offers.items():
            server.offers.setdefault(name, []).append(offer)
    try:
        yield int(server.server.sockets[0].getsockname()[1])
    finally:
        for name, offer in offers.items():
            server.offers[name].remove(offer)
        server.users -= 1
        if not server.users:
            _running.pop(port, None)
            server.server.close()
            await server.server.wait_closed()

"""The process: uvicorn on an address, with the application in it."""

from __future__ import annotations

import errno
import os
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import uvicorn

from raijin.api.application import application
from raijin.app.access import Access
from raijin.app.service import Service
from raijin.app.settings import read_settings
from raijin.app.tls import certificate, fingerprint
from raijin.errors import UsageError
from raijin.web.assets import Assets

GRACE_SECONDS = 5
BACKLOG = 2048
"""Connections that wait to be taken."""
LARGEST_HEAD = 65_536
"""Bytes of a request's line and headers."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where, and how: tls: with a certificate that is made; cert, key: with one's own; plain: a proxy does TLS."""

    host: str
    port: int
    tls: bool = False
    cert: Path | None = None
    key: Path | None = None
    plain: bool = False

    @property
    def local(self) -> bool:
        """Nobody but this machine reaches it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    def sockets(self) -> list[socket.socket]:
        """Bound to the address, before anything is started. Raises UsageError where it cannot be had."""
        bound: list[socket.socket] = []
        missing: OSError | None = None
        try:
            for family, _, _, _, address in socket.getaddrinfo(
                self.host.strip("[]"), self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                try:
                    bound.append(socket.create_server(address, family=family, backlog=BACKLOG))
                except OSError as error:  # a name may have an address that this machine has not (IPv6 turned off)
                    if error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                        raise
                    missing = error
            if not bound and missing is not None:
                raise missing
        except OSError as error:
            for item in bound:
                item.close()
            raise self._not_bound(error) from error
        return bound

    def _not_bound(self, error: OSError) -> UsageError:
        place = f"{self.host}:{self.port}"
        if error.errno == errno.EADDRINUSE:
            return UsageError(f"something listens on {place} already", remedy="stop it, or choose another --port")
        if error.errno == errno.EACCES:
            return UsageError(f"only root may listen on {place}", remedy="choose a --port from 1024 on")
        return UsageError(
            f"{place} cannot be listened on: {error.strerror}", remedy="give --host an address of this machine"
        )

    def files(self, home: Path) -> tuple[Path, Path] | None:
        """Certificate and key; None for plain HTTP. Raises UsageError."""
        if (self.cert is None) != (self.key is None):
            raise UsageError("a certificate needs its key", remedy="give --tls-cert and --tls-key together")
        if self.cert is not None and self.key is not None:
            for path in (self.cert, self.key):
                if not path.is_file():
                    raise UsageError(f"there is no file {path}")
            return self.cert, self.key
        if self.tls or (not self.local and not self.plain):
            names = {"localhost", "127.0.0.1", "::1", socket.gethostname().lower()}
            shown = set() if self.host in {"0.0.0.0", "::"} else {self.host}  # noqa: S104  (compared, not bound)
            return certificate(home, names | shown)
        return None


def serve(
    home: Path,
    listening: Listening,
    *,
    definitions: Path | None,
    ask: bool,
    say: Callable[[str], None],
    rehearsal: bool = False,
) -> None:
    """Serve until a signal ends it. Raises UsageError, StateError.

    ask: whether callers must say who they are. rehearsal: on simulated hosts, in a home that goes with the server.
    """
    if not rehearsal:
        if definitions is not None and definitions.is_file():
            raise UsageError(f"{definitions} is a file, and a server writes into a folder", remedy="name its folder")
        _serve(Service(home, definitions or home / "definitions"), home, listening, ask=ask, say=say)
        return
    from raijin.app.rehearsed import rehearsed  # noqa: PLC0415  (the twin: only where it is asked for)
    from raijin.app.rehearsing import MARK  # noqa: PLC0415

    say(MARK)
    own = home / "definitions"
    with (
        tempfile.TemporaryDirectory(prefix="raijin-rehearsal-") as folder,
        rehearsed(Path(folder), definitions or (own if own.exists() else None)) as service,
    ):
        _serve(service, Path(folder), listening, ask=ask, say=say)


def _serve(service: Service, home: Path, listening: Listening, *, ask: bool, say: Callable[[str], None]) -> None:
    if not ask and not listening.local:
        raise UsageError(
            f"without asking who comes, nothing but this machine may reach the server, and {listening.host} is more",
            remedy="leave --no-auth out, or listen on 127.0.0.1",
        )
    settings = read_settings(home)
    files, sockets = listening.files(home), listening.sockets()
    access = Access(service.database, home) if ask else None
    scheme = "https" if files else "http"
    say(f"serving {scheme}://{listening.host}:{listening.port}/api/v1")
    if Assets().built:
        say(f"dashboard: {scheme}://{listening.host}:{listening.port}/")
    else:
        say("the dashboard was not built: `make dashboard` in a clone of the repository builds it")
    if files:
        say(f"certificate: SHA-256 {fingerprint(files[0])}")
    if access is not None and (token := access.setup_token()):
        say(f"no user is there yet; make the first administrator with this one-time token (24 hours): {token}")
        say(f"  raijin login --server {scheme}://{listening.host}:{listening.port} --setup TOKEN")
    config = uvicorn.Config(
        application(service, settings=settings, access=access, secure=files is not None or listening.plain),
        host=listening.host, port=listening.port, log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS, h11_max_incomplete_event_size=LARGEST_HEAD,
        ssl_certfile=str(files[0]) if files else None, ssl_keyfile=str(files[1]) if files else None,
        proxy_headers=listening.plain, forwarded_allow_ips="127.0.0.1",
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=sockets)
    works = service.background.works
    if works is not None and works.tasks:
        os._exit(0)  # runs in hand are left as they are: the next runner goes on with them

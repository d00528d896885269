"""The address that a server listens on: had before anything is started, or said why not."""

from __future__ import annotations

import socket

import pytest

from raijin.api.server import Listening
from raijin.errors import UsageError


def test_an_address_that_somebody_else_has() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"something listens on 127.0.0.1:{port} already") as caught:
            Listening("127.0.0.1", port).sockets()
    assert "--port" in (caught.value.remedy or "")


@pytest.mark.parametrize("host", ["203.0.113.7", "nobody.invalid"])
def test_an_address_that_this_machine_has_not(host: str) -> None:
    with pytest.raises(UsageError, match="cannot be listened on") as caught:
        Listening(host, 8080).sockets()
    assert "--host" in (caught.value.remedy or "")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_address_that_is_free(host: str) -> None:
    bound = Listening(host, 0).sockets()
    try:
        assert {item.getsockname()[0] for item in bound} <= {"127.0.0.1", "::1"}
        with socket.create_connection(bound[0].getsockname()[:2], timeout=5):
            pass
    finally:
        for item in bound:
            item.close()

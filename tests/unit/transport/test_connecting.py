"""Why a host cannot be connected to, in words that say what to do."""

from __future__ import annotations

import errno
import socket
from types import SimpleNamespace
from typing import Any

import pytest

from raijin.transport.ssh import SshTarget, _connect_error

NOBODY: Any = SimpleNamespace(refusal=None)


@pytest.mark.parametrize(
    ("error", "text", "remedy"),
    [
        (
            socket.gaierror(-2, "Name or service not known"),
            "the name w9 is not known here",
            "give the host an `address`",
        ),
        (OSError(errno.ECONNREFUSED, "x"), "cannot connect to w9:22: Connection refused", "sshd is running"),
        (TimeoutError(), "no answer from w9:22 within 15 s", "sshd is running"),
    ],
    ids=["name", "refused", "silent"],
)
def test_what_is_wrong_is_said_with_its_remedy(error: Exception, text: str, remedy: str) -> None:
    said = _connect_error(error, SshTarget("w9", "w9", connect_timeout=15), NOBODY)
    assert said.message == text
    assert remedy in (said.remedy or "")

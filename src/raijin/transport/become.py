"""Becoming root with `sudo`, so that a password is never taken for a command.

`sudo -S` reads a line only when it wants a password. A host that wants none would hand that line to our shell, which
would run it and print it. So the password is followed by a marker line, and what sudo starts first skips to the marker.
"""

from __future__ import annotations

import secrets

from raijin.errors import AuthenticationFailed
from raijin.transport.base import Completed

_SKIP_TO_MARKER = 'm=$1; shift; while IFS= read -r l; do [ "$l" = "$m" ] && exec "$@"; done; exit 99'


def become(argv: list[str], *, password: str | None) -> tuple[list[str], bytes]:
    """The command that runs `argv` as root, and the bytes that must precede its standard input."""
    if password is None:
        return ["sudo", "-n", "--", *argv], b""
    marker = f"raijin-{secrets.token_hex(8)}"
    command = ["sudo", "-S", "-k", "-p", "", "--", "sh", "-c", _SKIP_TO_MARKER, "sh", marker, *argv]
    return command, f"{password}\n{marker}\n".encode()


def check_refused(done: Completed, host: str) -> None:
    """Raise AuthenticationFailed when it was sudo that ended the execution, and say which way."""
    text = done.stderr
    # sudo itself ends with status 1, before anything ran; a program may speak of sudo and fail in its own way.
    if done.status != 1 or "sudo" not in text or done.stdout:
        return
    if "incorrect password" in text or "no password was provided" in text or "Sorry, try again" in text:
        problem, remedy = "sudo refused the password", "correct become.password of this host"
    elif "a password is required" in text or "a terminal is required" in text:
        problem, remedy = (
            "sudo wants a password and none is given",
            "set become.password or allow NOPASSWD for the user",
        )
    elif "is not in the sudoers file" in text or "not allowed to" in text:
        problem, remedy = "the user may not use sudo", "add the user to the sudo group, or connect as root"
    elif "sudo: not found" in text or "sudo: command not found" in text:
        problem, remedy = "sudo is not installed on the host", "install sudo, or connect as root"
    else:
        return
    raise AuthenticationFailed(problem, host=host, remedy=remedy, detail=text)

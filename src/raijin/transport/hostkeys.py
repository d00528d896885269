"""Whom we trust to be the host: known_hosts files, literal keys, and first use only where the definition says so."""

from __future__ import annotations

import fcntl
import hashlib
from base64 import b64decode, b64encode
from pathlib import Path


def fingerprint(public_key: str) -> str:
    """`SHA256:...` of an OpenSSH public key line, as ssh-keygen prints it."""
    blob = b64decode(public_key.split()[1])
    return "SHA256:" + b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def host_pattern(host: str, port: int) -> str:
    """The host as known_hosts writes it: bare on port 22, else `[host]:port`."""
    return host if port == 22 else f"[{host}]:{port}"


def record_first_use(path: Path, host: str, port: int, public_key: str) -> None:
    """Append a host's key to our own known_hosts file (never to the user's)."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    kind, key = public_key.split()[:2]
    line = f"{host_pattern(host, port)} {kind} {key}\n"
    with path.open("a+", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        if line not in stream.readlines():
            stream.write(line)
    path.chmod(0o600)

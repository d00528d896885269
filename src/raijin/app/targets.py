"""From a host of the definition to the way it is reached; secrets are fetched here, at the last moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raijin.definition.definition import Definition
from raijin.errors import DefinitionError, Problem
from raijin.model.host import BecomeMethod, Host, split_jump
from raijin.observe.revealing import revealed
from raijin.transport.pool import LocalTarget, Target

if TYPE_CHECKING:
    from raijin.transport.ssh import SshTarget


def targets_of(hosts: Iterable[Host], definition: Definition, home: Path) -> dict[str, Target]:
    """A target for each host, and for the jump hosts that they go through."""
    targets: dict[str, Target] = {}
    waiting = list(hosts)
    known = {host.name: host for host in definition.site().hosts}
    while waiting:
        host = waiting.pop()
        if host.name in targets:
            continue
        if host.is_local:
            targets[host.name] = LocalTarget(host.name, revealed(host.become.password))
            continue
        jump = host.ssh.jump
        if jump and jump in known:
            waiting.append(known[jump])
        elif jump and jump not in targets:
            targets[jump] = _jump_target(jump, host, home)
        targets[host.name] = ssh_target(host, home)
    return targets


def ssh_target(host: Host, home: Path) -> SshTarget:
    from raijin.transport.ssh import SshTarget  # noqa: PLC0415  (asyncssh: only for those who connect)

    ssh, own = host.ssh, home / "known_hosts"
    files = (ssh.known_hosts.expanduser(),) if ssh.known_hosts else (Path("~/.ssh/known_hosts").expanduser(), own)
    return SshTarget(
        name=host.name,
        address=str(host.address),
        port=ssh.port,
        user=ssh.user,
        key=ssh.key.expanduser() if ssh.key else None,
        passphrase=revealed(ssh.passphrase),
        password=revealed(ssh.password),
        agent=ssh.agent,
        jump=ssh.jump,
        known_hosts=(*files, own) if ssh.trust_first_use and own not in files else files,
        host_key=ssh.host_key,
        first_use=own if ssh.trust_first_use else None,
        connect_timeout=ssh.connect_timeout.total_seconds(),
        become=host.become.method is BecomeMethod.SUDO,
        become_password=revealed(host.become.password),
    )


def _jump_target(jump: str, host: Host, home: Path) -> SshTarget:
    """A jump host that is no host of the site: `user@address:port`, with the credentials of the host behind it."""
    parts = split_jump(jump)
    if parts is None:
        raise DefinitionError([Problem("ssh.jump", "is not a jump host", "write user@address:port", value=jump)])
    user, address, port = parts
    ssh = host.ssh.model_copy(
        update={"user": user or host.ssh.user, "port": port or 22, "jump": None, "host_key": None}
    )
    return ssh_target(host.model_copy(update={"name": jump, "address": address, "ssh": ssh}), home)


def remembered(host: Host) -> dict[str, Any]:
    """How a host is reached, without secrets, for the day when it is no longer in the definition."""
    return host.model_dump(
        mode="json",
        by_alias=True,
        include={"name", "address", "connection", "ssh", "become"},
        exclude={"ssh": {"password", "passphrase"}, "become": {"password"}},
    )


def recalled(target: Mapping[str, Any]) -> Host:
    return Host.model_validate(dict(target))

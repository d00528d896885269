"""The lab's network on the box: a bridge with the gateway address, NAT to the outside, forwarding.

Each thing is made only when it is missing and removed by name; what the lab changes outside its own names (settings,
accept rules in a FORWARD chain that drops) is on disk before it is changed.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any

from raijin.errors import MachineError, ProcessError
from raijin.machines.lab.box import Box
from raijin.machines.lab.settings import raise_settings, restore_settings
from raijin.machines.lab.spec import gateway
from raijin.machines.lab.state import LABEL, PREFIX, LabPaths, LabRecord, boot_id, save
from raijin.transport import local

LINKS = Path("/sys/class/net")


async def ensure(paths: LabPaths, record: LabRecord, box: Box) -> None:
    """Make what is missing of the network. Raises MachineError."""
    now = boot_id()
    if record.boot_id != now:
        record.boot_id, record.forwarded = now, False
        save(paths, record)
    await _bridge(paths, record, box)
    await _forget_orphans()
    raise_settings()
    if await _fails(["nft", "list", "table", "ip", paths.label]):
        await local.run(["nft", "-f", "-"], stdin=ruleset(paths.label, record.subnet).encode())
    if record.forwarded or await _forward_drops():
        await _accept_forwarding(paths, record)


async def remove(paths: LabPaths, record: LabRecord | None) -> None:
    """Take away everything that `ensure` made; what is gone already (a reboot, a killed command) is no fault."""
    if record is not None and record.boot_id == boot_id() and record.forwarded:
        for rule in forward_rules(paths.label):
            while not await _fails(["iptables", "-C", "FORWARD", *rule]):
                await local.run(["iptables", "-D", "FORWARD", *rule])
    if not await _fails(["nft", "list", "table", "ip", paths.label]):
        await local.run(["nft", "delete", "table", "ip", paths.label])
    if _exists(paths.label):
        await local.run(["ip", "link", "delete", paths.label, "type", "bridge"])
    if not any(link.name.startswith(PREFIX) for link in LINKS.iterdir()):
        restore_settings()


def is_up(paths: LabPaths) -> bool:
    return _exists(paths.label)


def ruleset(name: str, subnet: str) -> str:
    """The lab's own nftables table; replacing it is one transaction.

    Only what leaves the lab's subnet has its source changed: where bridged packets pass the rules too
    (net.bridge.bridge-nf-call-iptables), machines must see each other's own addresses.
    """
    return f"""\
table ip {name}
delete table ip {name}
table ip {name} {{
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {subnet} ip daddr != {subnet} oifname != "{name}" masquerade
  }}
}}
"""


def forward_rules(bridge: str) -> tuple[tuple[str, ...], ...]:
    """Rules for a FORWARD chain that drops by default (Docker and ufw make it so)."""
    return ("-i", bridge, "-j", "ACCEPT"), ("-o", bridge, "-j", "ACCEPT")


async def _bridge(paths: LabPaths, record: LabRecord, box: Box) -> None:
    name, address = paths.label, f"{gateway(record.network)}/{record.network.prefixlen}"
    if not _exists(name):
        try:
            await local.run(["ip", "link", "add", name, "mtu", str(box.mtu), "type", "bridge"])
        except ProcessError as error:
            raise MachineError(
                f"cannot make the bridge {name}: {error.message}",
                remedy="run the lab as root on a kernel with bridges (modprobe bridge)",
                detail=error.detail,
            ) from error
    shown = json.loads((await local.run(["ip", "-j", "-4", "address", "show", "dev", name])).stdout)
    held = {f"{entry['local']}/{entry['prefixlen']}" for link in shown for entry in link.get("addr_info", ())}
    if address not in held:
        await local.run(["ip", "address", "replace", address, "dev", name])
    await local.run(["ip", "link", "set", name, "up"])


async def _forget_orphans() -> None:
    """Delete the tables of labs whose bridge is gone: each came after its bridge, and its rule has hold of a subnet."""
    listed = json.loads((await local.run(["nft", "-j", "list", "tables", "ip"])).stdout)
    for name in orphans(listed["nftables"], {link.name for link in LINKS.iterdir()}):
        await local.run(["nft", "delete", "table", "ip", name], check=False)  # another command may be quicker


def orphans(listed: Iterable[dict[str, Any]], links: Container[str]) -> list[str]:
    """Tables of labs without a bridge. listed: what `nft -j list tables` says."""
    names = [str(item["table"]["name"]) for item in listed if "table" in item]
    return [name for name in names if LABEL.fullmatch(name) and name not in links]


async def _forward_drops() -> bool:
    """Whether another's FORWARD chain drops what no rule accepts. Looks without making a table that is not there."""
    listed = await local.run(["nft", "list", "chain", "ip", "filter", "FORWARD"], check=False)
    if listed.status == 0 and "policy drop" in listed.stdout:
        return True
    legacy = Path("/proc/net/ip_tables_names")
    if not legacy.is_file() or "filter" not in legacy.read_text().split():
        return False
    listed = await local.run(["iptables-legacy", "-S", "FORWARD"], check=False)
    return "-P FORWARD DROP" in listed.stdout


async def _accept_forwarding(paths: LabPaths, record: LabRecord) -> None:
    if not record.forwarded:
        record.forwarded = True
        save(paths, record)
    for rule in forward_rules(paths.label):
        if await _fails(["iptables", "-C", "FORWARD", *rule]):
            await local.run(["iptables", "-I", "FORWARD", *rule])


async def _fails(argv: list[str]) -> bool:
    return (await local.run(argv, check=False)).status != 0


def _exists(link: str) -> bool:
    return (LINKS / link).exists()

"""Offering machines their Ignition configuration, and telling people how to boot them."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from raijin.plan.handlers import CallContext
from raijin.platforms.addresses import joined
from raijin.platforms.okd.assets import Assets
from raijin.platforms.okd.ignition import boot_line, named
from raijin.platforms.okd.look import access_of
from raijin.transport.ignition import Offer

if TYPE_CHECKING:
    from raijin.transport.kube import Kube

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A machine that shall boot. role: bootstrap, master or worker."""

    name: str
    address: str
    role: str


@dataclass
class Offered:
    """Which machines have fetched their file by now."""

    machines: tuple[Waiting, ...]
    fetched: set[str] = field(default_factory=set)

    @property
    def idle(self) -> list[str]:
        return [machine.name for machine in self.machines if machine.name not in self.fetched]


def machines_of(context: CallContext) -> tuple[Waiting, ...]:
    """Those in the arguments of a call."""
    given = cast("list[dict[str, str]]", context.arguments["machines"])
    return tuple(Waiting(item["name"], item["address"], item["role"]) for item in given)


@asynccontextmanager
async def offered(
    context: CallContext, machines: Iterable[Waiting], files: Mapping[str, str]
) -> AsyncIterator[Offered]:
    """Offer each machine the file of its role under its name. files: by role."""
    server = cast("Document", context.arguments["server"])
    result = Offered(tuple(machines))
    texts = {machine.name: named(files[machine.role], machine.name) for machine in result.machines}

    def noted(machine: Waiting) -> Offer:
        def fetched(address: str) -> None:
            result.fetched.add(machine.name)
            context.say(f"{machine.name} has fetched its Ignition configuration ({address})")

        clients = (machine.address, *cast("list[str]", server["clients"]))
        return Offer(texts[machine.name].encode(), clients, fetched)

    offers, access = {machine.name: noted(machine) for machine in result.machines}, access_of(context.pool)
    async with access.offering(int(server["port"]), offers):
        for machine in result.machines:
            url = f"http://{joined(server['host'], server['port'])}/{machine.name}.ign"
            line = boot_line(url, texts[machine.name], context.text("disk"))
            context.say(f"boot {machine.name} into the live system of CoreOS, and there: {line}; then restart it")
        yield result


def files_of(assets: Assets) -> dict[str, str]:
    """The installer's files, by role; the bootstrap's only until the first start has ended."""
    names = ("bootstrap", "master", "worker")
    return {name: assets.files[f"{name}.ign"] for name in names if f"{name}.ign" in assets.files}


async def files_now(kube: Kube, assets: Assets) -> dict[str, str]:
    """What machines that join later are given: the cluster's own pointers, which follow its certificates.

    Source: "Adding compute machines to bare metal" of the OKD documentation (`oc extract -n openshift-machine-api
    secret/worker-user-data-managed --keys=userData`).
    """
    found = files_of(assets)
    for role in ("master", "worker"):
        name = {"name": f"{role}-user-data-managed", "namespace": "openshift-machine-api"}
        secret = await kube.get({"apiVersion": "v1", "kind": "Secret", "metadata": name})
        data = (secret or {}).get("data") or {}
        if data.get("userData"):
            found[role] = base64.b64decode(data["userData"]).decode()
    return found

"""Running `openshift-install`: install-config.yaml in, manifests changed where wanted, Ignition configurations out.

It works in a folder of its own that is gone afterwards; what it made is kept encrypted. Commands and files:
docs/user/metal/install_upi.md and docs/user/customization.md of openshift/installer; the override of the release image
is the variable that its pkg/asset/releaseimage reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import yaml

from raijin.errors import NotFound, OperationFailed, PlanRefused
from raijin.plan.handlers import CallContext
from raijin.platforms.okd import assets as kept_assets
from raijin.platforms.okd.assets import FILES, FRESH_SECONDS, GOOD_SECONDS, Assets
from raijin.platforms.okd.look import KUBERNETES_PORTS, connection_to
from raijin.platforms.okd.settings import FAKE_PULL_SECRET, pull_secret_fault
from raijin.transport.okd import OkdAccess

Document = dict[str, Any]
SCHEDULER = "manifests/cluster-scheduler-02-config.yml"
RELEASE_VARIABLE = "OPENSHIFT_INSTALL_RELEASE_IMAGE_OVERRIDE"


async def make_assets(context: CallContext) -> None:
    """okd.assets: the files of a first start, made once, and anew only as long as no machine runs what came of them."""
    config = cast("Document", context.arguments["config"])
    found = kept_assets.kept(context.secrets, context.cluster)
    if found is not None and found.complete:
        context.say("the cluster was started already: nothing is made anew")
        return
    fault = outdated(found, config, kept_assets.now()) if found is not None else "there is none"
    if not fault:
        context.say("what an earlier run made is still good")
        return
    await nothing_runs(context, fault)
    connection = await connection_to(context.pool, context.target)
    files = await _made(context, connection.access, config)
    kept_assets.keep(context.secrets, context.cluster, Assets(kept_assets.now(), files, config))
    context.say("the Ignition configurations are made; they are good for 24 hours, and kept encrypted in RAIJIN_HOME")


def outdated(found: Assets, config: Mapping[str, Any], now: float) -> str:
    """Why kept files cannot begin a first start; empty when they can."""
    if found.age(now) > FRESH_SECONDS:
        return f"the certificates in the Ignition configurations are {found.age(now) / 3600:.0f} hours old"
    return "" if found.config == config else "the definition has changed since they were made"


async def nothing_runs(context: CallContext, fault: str) -> None:
    """Nothing is begun beside what was begun: it would be a second cluster. Raises PlanRefused."""
    for host in context.texts("planes"):
        connection = await connection_to(context.pool, host)
        for port in sorted(await connection.access.open_ports(connection.address, KUBERNETES_PORTS)):
            raise PlanRefused(
                f"{host} runs {KUBERNETES_PORTS[port]} (port {port}), and {fault}: a second cluster is never begun "
                "beside it",
                host=host,
                remedy="switch the machines off, boot them into the live system of CoreOS, and apply again",
            )


async def still_good(context: CallContext, found: Assets) -> None:
    """Raises PlanRefused when what was begun can no longer end, because its certificates have expired."""
    if found.age(kept_assets.now()) > GOOD_SECONDS:
        await nothing_runs(context, "its first certificates have expired")
        raise PlanRefused(
            "the certificates in the Ignition configurations have expired",
            remedy="make a new plan: it makes new ones",
        )


async def _made(context: CallContext, access: OkdAccess, config: Document) -> dict[str, str]:
    whole = {**config, "pullSecret": _pull_secret(context)}
    with TemporaryDirectory(prefix="raijin-okd-") as name:
        folder = Path(name)
        _write(folder / "install-config.yaml", yaml.safe_dump(whole, sort_keys=False))
        await _install(context, access, folder, "manifests")
        await asyncio.to_thread(_adapt, context, folder)
        await _install(context, access, folder, "ignition-configs")
        return await asyncio.to_thread(_read, folder)


async def _install(context: CallContext, access: OkdAccess, folder: Path, what: str) -> None:
    image = context.text("release_image")
    env = {RELEASE_VARIABLE: image} if image else None
    done = await access.install("create", what, f"--dir={folder}", "--log-level=info", env=env)
    told = [line for line in done.stderr.splitlines() if "level=warning" in line or "level=error" in line]
    for line in told if done.status == 0 else ():
        context.say(_message(line))
    if done.status != 0:
        last = _message(told[-1]) if told else f"status {done.status}"
        raise OperationFailed(
            f"openshift-install create {what} failed: {last}",
            host=context.target,
            remedy="mend what it says in the definition, then apply again",
            detail=done.stderr,
        )


def _message(line: str) -> str:
    """What a line of its log says: `level=warning msg="..."` where nobody looks at a terminal."""
    _, found, rest = line.partition("msg=")
    return rest.strip().strip('"').replace('\\"', '"') if found else line.strip()


def _adapt(context: CallContext, folder: Path) -> None:
    """Manifests as the definition wants them, between the two commands."""
    path = folder / SCHEDULER
    if not path.is_file():
        raise NotFound(f"openshift-install wrote no {SCHEDULER}", remedy="report this: the release is not known here")
    scheduler = yaml.safe_load(path.read_text(encoding="utf-8"))
    scheduler["spec"]["mastersSchedulable"] = bool(context.arguments["schedulable"])
    _write(path, yaml.safe_dump(scheduler, sort_keys=False))
    for name, document in cast("dict[str, Document]", context.arguments["manifests"]).items():
        _write(folder / "openshift" / name, yaml.safe_dump(document, sort_keys=False))


def _read(folder: Path) -> dict[str, str]:
    found = {name: (folder / name).read_text(encoding="utf-8") for name in FILES if (folder / name).is_file()}
    lacking = [name for name in FILES if name not in found]
    if lacking:
        raise OperationFailed(
            f"openshift-install made no {', '.join(lacking)}", remedy="report this: the release is not known here"
        )
    return found


def _pull_secret(context: CallContext) -> str:
    name = kept_assets.pull_secret_name(context.cluster)
    text = context.secrets.get(name) if context.secrets.has(name) else FAKE_PULL_SECRET
    fault = pull_secret_fault(text)
    if fault:
        raise PlanRefused(f"platformConfig.pullSecret is no pull secret: {fault}", remedy="give the JSON with `auths`")
    return text


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")

"""From one release of OKD to another: the cluster does it itself, when it is told to; here is judged whether it may be.

Sources: ClusterVersion of openshift/api config/v1 (desiredUpdate, availableUpdates, conditionalUpdates, Upgradeable),
`oc adm upgrade` of openshift/oc (a version that is offered; `--to-image` with `--allow-explicit-upgrade` for clusters
that ask no update service), and "Updating clusters" of the OKD documentation (one minor at a time, gates that an
administrator acknowledges, machine config pools that are not paused).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from raijin.errors import PlanRefused
from raijin.model.version import Version
from raijin.plan.handlers import CallContext, Handlers
from raijin.plan.model import Call, Change, Json
from raijin.platforms.base import Context, Work
from raijin.platforms.okd.look import Seen, seen_of
from raijin.platforms.okd.operators import (
    OPERATORS,
    POOLS,
    VERSION,
    Document,
    Releases,
    operator_faults,
    pool_faults,
    releases,
    version_fault,
)
from raijin.platforms.okd.reach import open_api
from raijin.platforms.okd.settings import settings_of

UPGRADE_SECONDS = 4 * 3600.0
"""Every operator, then every machine, one after the other of each pool, each with a restart."""
INTERVAL = 10.0


def published(version: Version) -> str:
    """As the cluster writes it: without the v."""
    return str(version).removeprefix("v")


def upgrade_of(context: Context) -> Work | None:
    """What brings the cluster to the version of the definition; None when it is there, or still being made."""
    running, wanted = releases(seen_of(context).version).version, context.cluster.kubernetes_version
    if running is None or wanted <= running:
        return None
    settings = settings_of(context.cluster)
    arguments: dict[str, Json] = {
        "version": published(wanted),
        "image": settings.release_image or "",
        "accept_risks": settings.accept_risks,
    }
    change = Change(f"OKD of {context.cluster.name}", "version", published(running), published(wanted))
    return Work(Call("okd.upgrade", arguments), (change,), UPGRADE_SECONDS)


def reasons(context: Context) -> Iterable[str]:
    """What stands against going from the running version to the wanted one."""
    seen, wanted, settings = seen_of(context), context.cluster.kubernetes_version, settings_of(context.cluster)
    told, name = releases(seen.version), context.cluster.name
    if told.version is not None and wanted < told.version:
        running, goal = published(told.version), published(wanted)
        yield f"{name}: it runs {running}, and the definition says {goal}: OKD cannot go back"
    if told.version is None or wanted <= told.version:
        return
    if told.wanted == published(wanted):
        return  # it is on its way, whoever has sent it
    fault = path_fault(told, wanted, explicit=settings.release_image is not None, accept_risks=settings.accept_risks)
    if fault:
        yield f"{name}: {fault}"
    yield from (f"{name}: {fault}: nothing is upgraded before that is mended" for fault in unsteady(seen))


def unsteady(seen: Seen) -> list[str]:
    """Operators and pools that are not as they should be before anything is changed."""
    degraded = [fault for fault in operator_faults(seen.operators) if "is progressing" not in fault]
    return [*degraded, *pool_faults(seen.pools)][:4]


def path_fault(told: Releases, wanted: Version, *, explicit: bool, accept_risks: bool) -> str:
    """Why this version may not be gone to now; empty when it may. explicit: the release is named by its digest."""
    running, goal = told.version, published(wanted)
    if running is None:
        return "its installation has not ended"
    if wanted.major != running.major or wanted.minor > running.minor + 1:
        between = f"{running.major}.{running.minor + 1}"
        return f"from {published(running)}, go to {between} first: one minor at a time"
    if wanted.minor > running.minor and told.gate:
        return (
            f"the cluster takes no newer minor now: {told.gate}; acknowledge what it names in "
            "platformConfig.adminAcks, apply that, then upgrade"
        )
    if explicit or goal in told.offered:
        return ""
    if goal in told.risky:
        risk = told.risky[goal]
        return "" if accept_risks else f"{goal} has a known risk: {risk}; platformConfig.acceptRisks takes it"
    offered = ", ".join(told.offered) or "none"
    return (
        f"{goal} is not among the updates that the cluster is offered ({offered}): look at its channel, or name the "
        "release by its digest in platformConfig.releaseImage"
    )


async def upgrade(context: CallContext) -> None:
    """okd.upgrade: the cluster is told once, and waited for until every operator and every machine is there."""
    wanted = context.text("version")
    async with open_api(context) as kube:
        document = await kube.get(VERSION)
        told = releases(document)
        if told.wanted == wanted:
            context.say(f"it goes to {wanted} already")
        else:
            goal = Version.parse(wanted)
            explicit, risks = bool(context.text("image")), bool(context.arguments["accept_risks"])
            fault = path_fault(told, goal, explicit=explicit, accept_risks=risks) if goal else "it is no version"
            if fault:
                raise PlanRefused(fault, host=context.target)
            await kube.patch(
                VERSION, {"spec": {"desiredUpdate": desired(document or {}, wanted, context.text("image"))}}
            )
            context.say(f"the cluster is told to become {wanted}")

    async def probe() -> str:
        async with open_api(context) as kube:
            fault = version_fault(await kube.get(VERSION), wanted)
            wrong = operator_faults(await kube.items(OPERATORS)) if not fault else []
            waiting = pool_faults(await kube.items(POOLS)) if not fault else []
        return "; ".join([*([fault] if fault else []), *wrong[:4], *waiting[:4]])

    await context.until(
        f"{context.cluster} to be {wanted}",
        probe,
        interval=INTERVAL,
        remedy="look at `oc adm upgrade` and at what is named, then resume the run: the cluster goes on by itself",
    )


def desired(document: Document, version: str, image: str) -> dict[str, Any]:
    """`spec.desiredUpdate`, as `oc adm upgrade` writes it: what is offered, or the image alone by its digest."""
    if image:
        return {"image": image, "version": None, "force": False}
    status = document.get("status") or {}
    offers = [*(status.get("availableUpdates") or ()), *(i["release"] for i in status.get("conditionalUpdates") or ())]
    found = next((str(item["image"]) for item in offers if item.get("version") == version), "")
    return {"version": version, "image": found or None, "force": False}


HANDLERS: Handlers = {"okd.upgrade": upgrade}

BY_HAND = {
    "okd.upgrade": "`oc adm upgrade --to VERSION` (with a digest: `--to-image IMAGE --allow-explicit-upgrade`), then "
    "wait until `oc get clusterversion`, `oc get clusteroperators` and `oc get mcp` show it everywhere. With:",
}

"""Certificates inside a cluster, made when a plan is carried out: a new key goes into a Secret, and nowhere else.

The authority and its key are in a Secret too, so that whoever goes on later signs as the same. How long a certificate
is valid stands on its Secret, so that a plan sees it without reading any.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, cast

from raijin.plan.handlers import CallContext, Handlers
from raijin.platforms.access import open_access
from raijin.transport.document import Document, describe

if TYPE_CHECKING:
    from raijin.platforms.signing import Signer
    from raijin.transport.kube import Kube

VALID_NOTE = "raijin.dev/valid-until"
"""Annotation of a Secret that Raijin keeps: the day (ISO 8601) on which its certificate ends."""
CERTIFICATE_DAYS = 1095
RENEWED_BEFORE = dt.timedelta(days=60)


def ending(live: Document | None, moment: float) -> str:
    """Why a certificate has to be made: `absent`, or the day on which it ends; empty when it is good.

    A Secret without our note is somebody else's, and good. moment: seconds since the epoch.
    """
    if live is None:
        return "absent"
    day = str((live["metadata"].get("annotations") or {}).get(VALID_NOTE, ""))
    if not day:
        return ""
    end = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
    return day if end - RENEWED_BEFORE < dt.datetime.fromtimestamp(moment, dt.UTC) else ""


async def keep_certificates(context: CallContext) -> None:
    """kube.certificates: those that are not there, or end soon; all of an authority when that itself had to be new."""
    from raijin.platforms.signing import leaf  # noqa: PLC0415  (plans import this module, and sign nothing)

    every = cast("list[dict[str, Any]]", context.arguments["certificates"])
    async with open_access(context) as kube:
        for authority in {one["authority"]["secret"]: one["authority"] for one in every}.values():
            own = [one for one in every if one["authority"] == authority]
            due = [one for one in own if await _is_due(kube, one)]
            if not due:
                continue
            signer, new = await _signer(kube, authority)
            for one in own if new else due:
                context.say(f"making {describe(secret_of(one['namespace'], one['secret']))}")
                await kube.apply(leaf(one, signer, context.text("part")))


async def _is_due(kube: Kube, wanted: dict[str, Any]) -> bool:
    live = await kube.get(secret_of(wanted["namespace"], wanted["secret"]))
    return bool(ending(live, dt.datetime.now(dt.UTC).timestamp()))


async def _signer(kube: Kube, authority: dict[str, Any]) -> tuple[Signer, bool]:
    """The authority that the cluster has, if it will outlive what it signs; else a new one, and that it is new."""
    from raijin.platforms.signing import authority_secret, new_authority, read_authority  # noqa: PLC0415

    live = await kube.get(secret_of(authority["namespace"], authority["secret"]))
    if live is not None:
        signer = read_authority(live)
        if signer.outlives_what_it_signs():
            return signer, False
    signer = new_authority(authority["common_name"])
    await kube.apply(authority_secret(authority["namespace"], authority["secret"], signer))
    return signer, True


def secret_of(namespace: str, name: str) -> Document:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}}


HANDLERS: Handlers = {"kube.certificates": keep_certificates}

BY_HAND = {
    "kube.certificates": "Make a key and a certificate for each of these Secrets, signed by one authority of the "
    "cluster (`openssl req -x509`, `kubectl create secret tls`):",
}

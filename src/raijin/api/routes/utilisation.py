"""Utilisation of clusters: what nodes and pods use, what is usual, and whether there is room."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from raijin.api.asked import Served
from raijin.api.caller import Known
from raijin.api.describing import HOSTS, LOOKING
from raijin.api.examples import CAPACITY, UTILISATION
from raijin.api.routes.clusters import ClusterName
from raijin.api.wire import BaselineDocument, CapacityDocument, UtilisationDocument
from raijin.app.roles import Role

router = APIRouter(prefix="/clusters", tags=["clusters"])
Now = Annotated[bool, Query(description="Ask the cluster now; default: what the server's schedule has collected.")]


def _with_example(statuses: dict[int | str, dict[str, Any]], example: Any) -> dict[int | str, dict[str, Any]]:
    return {**statuses, 200: {"content": {"application/json": {"example": example}}}}


@router.get(
    "/{name}/utilisation",
    response_model=UtilisationDocument,
    response_model_exclude_unset=True,
    responses=_with_example(HOSTS, UTILISATION),
)
async def utilisation(
    name: ClusterName,
    caller: Known,
    service: Served,
    hours: Annotated[float, Query(gt=0, le=720, description="How far back the history goes.")] = 24,
    node: Annotated[str, Query(pattern=r"^[-a-z0-9.]{0,253}$", description="The history of this node alone.")] = "",
    now: Now = False,
) -> dict[str, Any]:
    """What nodes and pods use (CPU in cores, memory in bytes), and the history of it.

    By the metrics API, else by the kubelets. `faults` says what is missing.
    """
    caller.require(Role.VIEWER, name)
    return await service.measured.utilisation(name, hours=hours, node=node, now=now)


@router.get("/{name}/baseline", response_model=BaselineDocument, responses=LOOKING)
def baseline(
    name: ClusterName,
    caller: Known,
    service: Served,
    days: Annotated[float, Query(gt=0, le=30, description="Of so many days.")] = 30,
) -> dict[str, Any]:
    """What is usual: percentiles of all that was collected, and of each hour of the week (UTC, 0 is Monday)."""
    caller.require(Role.VIEWER, name)
    return service.measured.baseline(name, days=days)


@router.get("/{name}/capacity", response_model=CapacityDocument, responses=_with_example(HOSTS, CAPACITY))
async def capacity(name: ClusterName, caller: Known, service: Served, now: Now = False) -> dict[str, Any]:
    """Whether there is room, also when a node is lost, until when, and what to do; with the arithmetic."""
    caller.require(Role.VIEWER, name)
    return await service.measured.capacity(name, now=now)

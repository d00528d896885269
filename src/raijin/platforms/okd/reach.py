"""The API of an OKD cluster under its own name, with what `openshift-install` made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from raijin.plan.handlers import CallContext
from raijin.platforms.okd import assets
from raijin.platforms.okd.look import access_of, server_of

if TYPE_CHECKING:
    from raijin.transport.kube import Kube


@asynccontextmanager
async def open_api(context: CallContext) -> AsyncIterator[Kube]:
    """By way of the load balancer: the bootstrap machine serves it first, and the balancer knows who does.

    Raises NotFound when nothing is kept here, KubernetesError.
    """
    from raijin.transport.kube import open_kube  # noqa: PLC0415  (only where there is a cluster)

    kubeconfig = assets.required(context.secrets, context.cluster).kubeconfig
    address = access_of(context.pool).way(server_of(kubeconfig))
    async with open_kube(kubeconfig, address, context.cluster) as kube:
        yield kube

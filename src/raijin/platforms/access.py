"""Reaching a cluster's API through one of its control plane hosts, with the credentials that lie there.

A call of a plan says by `access_to` how its cluster is reached; the handler opens it with `open_access`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, cast

from raijin.errors import HostError, KubernetesError, KubernetesUnavailable, RaijinError
from raijin.observe.masking import MASKER
from raijin.plan.handlers import CallContext
from raijin.plan.model import Json
from raijin.platforms.base import Context
from raijin.platforms.kubeconfig import private_part
from raijin.transport.pool import Pool

if TYPE_CHECKING:
    from raijin.transport.kube import Kube


def access_to(context: Context, kubeconfig: str) -> dict[str, Json]:
    """The arguments of a call that goes to the cluster's API: the hosts to go by, those that stay before those that go.

    kubeconfig: its path on a control plane host.
    """
    hosts: list[Json] = [node.name for node in (*context.control_planes, *context.departed) if node.control_plane]
    return {"control_planes": hosts, "port": context.cluster.kubernetes.api_server_port, "kubeconfig": kubeconfig}


async def read_kubeconfig(pool: Pool, host: str, path: str) -> str:
    """The administrator's kubeconfig of a control plane host. Raises HostError."""
    connection = await pool.get(host)
    text = (await connection.read(path)).decode()
    MASKER.add(private_part(text))
    return text


@asynccontextmanager
async def open_cluster(pool: Pool, hosts: Iterable[str], cluster: str, *, port: int, path: str) -> AsyncIterator[Kube]:
    """The API by way of the first of the hosts whose API server answers.

    Raises the last host's error when none does.
    """
    # The client takes an eighth of a second to import: only where there is a cluster.
    from raijin.transport.kube import open_kube  # noqa: PLC0415

    last: RaijinError = KubernetesError(f"{cluster} has no control plane host", host=cluster)
    choice = tuple(hosts)
    for host in choice:
        async with AsyncExitStack() as stack:
            try:
                kubeconfig = await read_kubeconfig(pool, host, path)
                connection = await pool.get(host)
                address = await stack.enter_async_context(connection.tunnel("127.0.0.1", port))
                kube = await stack.enter_async_context(open_kube(kubeconfig, address, cluster))
                if len(choice) > 1:  # an only host says by its first answer whether it is there
                    await kube.probe()
            except (HostError, KubernetesUnavailable) as error:
                last = error
                continue
            yield kube
            return
    raise last


@asynccontextmanager
async def open_access(context: CallContext) -> AsyncIterator[Kube]:
    """The API that a call is about (see `access_to`)."""
    port, path = int(cast("int", context.arguments["port"])), context.text("kubeconfig")
    async with open_cluster(
        context.pool, context.texts("control_planes"), context.cluster, port=port, path=path
    ) as kube:
        yield kube

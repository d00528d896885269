"""The Kubernetes API by lightkube: documents in, documents out, errors of ours. The only module that knows lightkube.

The API is reached through the SSH connection of a control plane host, so that nothing but SSH has to be open between
the person's machine and the site; the server's certificate therefore names 127.0.0.1 (see platforms/kubeadm), or, where
somebody else has made it, the address that the kubeconfig has.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import copy, deepcopy
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
import yaml
from lightkube import AsyncClient, KubeConfig
from lightkube.codecs import from_dict, resource_registry
from lightkube.config.client_adapter import user_auth, verify_cluster
from lightkube.config.kubeconfig import SingleConfig
from lightkube.config.models import Cluster
from lightkube.core.exceptions import ApiError, ConfigError, LoadResourceError
from lightkube.core.resource import NamespacedResource
from lightkube.generic_resource import create_global_resource, create_namespaced_resource
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Namespace, Node, Pod, PodEviction
from lightkube.types import PatchType

from raijin.errors import KubernetesError, KubernetesUnavailable
from raijin.transport.document import FIELD_MANAGER, Document, describe, is_custom, plural_of
from raijin.transport.twin import Asked, Inside
from raijin.transport.yamls import read_yaml

TIMEOUT_SECONDS = 20.0
PAGE = 500
"""Objects in one answer to a list."""


@asynccontextmanager
async def open_kube(kubeconfig: str, address: tuple[str, int], cluster: str) -> AsyncIterator[Kube]:
    """A client for the cluster of `kubeconfig` (YAML text), by way of a local address (see Connection.tunnel)."""
    try:
        config, auth, transport = _way(kubeconfig, address)
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError, OSError, ConfigError) as error:
        raise KubernetesError(f"the kubeconfig of {cluster} cannot be read: {error}") from error
    timeout = httpx2.Timeout(TIMEOUT_SECONDS)
    client = AsyncClient(
        config=config,
        timeout=timeout,
        field_manager=FIELD_MANAGER,
        trust_env=False,
        lazy=False,
        transport=transport,
    )
    plain = httpx2.AsyncClient(base_url=config.cluster.server, transport=transport, timeout=timeout, auth=auth)
    try:
        yield Kube(client, plain, cluster)
    finally:
        await client.close()
        await plain.aclose()


@lru_cache(maxsize=4)
def _content(kubeconfig: str) -> Any:
    """Of a run over many hosts, every step reads the same one."""
    return read_yaml(kubeconfig)


def _way(
    kubeconfig: str, address: tuple[str, int]
) -> tuple[SingleConfig, httpx2.Auth | None, httpx2.AsyncBaseTransport]:
    """The server at this address, with the credentials of the kubeconfig."""
    content = deepcopy(_content(kubeconfig))
    written = ""
    for entry in content["clusters"]:
        written = urlsplit(str(entry["cluster"]["server"])).hostname or ""
        entry["cluster"]["server"] = f"https://{address[0]}:{address[1]}"
        if isinstance(address, Inside):  # there is no wire, so nothing is encrypted on it
            entry["cluster"] = {"server": f"http://{address[0]}:{address[1]}"}
    config = KubeConfig.from_dict(content).get()
    if config is None or config.user is None:
        raise ConfigError("it has no context with a user")
    transport: httpx2.AsyncBaseTransport
    if isinstance(address, Inside):
        transport = _IntoTheTwin(address)
    else:
        transport = _Named(verify_cluster(config.cluster, config.user, config.abs_file, trust_env=False), written)
    # Who is trusted is said by the transport alone. lightkube would read certificates once more, or all that this
    # machine trusts, for a transport of its own that it never makes: the longest part of most calls.
    user = copy(config.user)
    user.client_cert = user.client_cert_data = None
    told = config._replace(cluster=Cluster(server=config.cluster.server, insecure=True), user=user)
    return told, user_auth(config.user), transport


class _IntoTheTwin(httpx2.AsyncBaseTransport):
    """Requests to a simulated machine, in place of a socket: all above it is as with a real one."""

    def __init__(self, address: Inside) -> None:
        self._address = address

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        asked = Asked(
            request.method,
            request.url.path,
            dict(request.url.params),
            request.headers.get("content-type", ""),
            await request.aread(),
        )
        try:
            told = await self._address.machine.answer(self._address.port, asked)
        except ConnectionError as error:
            raise httpx2.ConnectError(str(error), request=request) from error
        if isinstance(told.body, str):
            return httpx2.Response(told.status, text=told.body, request=request)
        return httpx2.Response(told.status, json=dict(told.body), request=request)


class _Named(httpx2.AsyncHTTPTransport):
    """Takes a server for the cluster's when its certificate names the address that it is reached by, or the one that
    the kubeconfig has: clusters that Raijin did not make know nothing of 127.0.0.1.
    """

    def __init__(self, trusted: ssl.SSLContext, written: str) -> None:
        super().__init__(verify=trusted)
        self._written, self._name = written, ""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await self._send(request)
        except httpx2.ConnectError as error:
            # Nothing was sent: the handshake failed.
            if "mismatch" not in str(error) or self._name or not self._written:
                raise
            self._name = self._written
        return await self._send(request)

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        if self._name:
            request.extensions = {**request.extensions, "sni_hostname": self._name}
        return await super().handle_async_request(request)


@asynccontextmanager
async def _mapped(what: str, cluster: str) -> AsyncIterator[None]:
    """Turn what lightkube and httpx2 raise into errors that say what was tried and whether to try again."""
    try:
        yield
    except ApiError as error:
        code = error.status.code or 0
        # An API server that has just started refuses even its administrator, until it has read the roles.
        raise _kind(code)(f"{what}: {error.status.message}", host=cluster, detail=error.status.reason) from error
    except httpx2.HTTPStatusError as error:
        said = " ".join(error.response.text.split())[:300] or error.response.reason_phrase
        raise _kind(error.response.status_code)(f"{what}: {said}", host=cluster) from error
    except httpx2.ConnectError as error:
        if "CERTIFICATE_VERIFY_FAILED" not in str(error):
            raise KubernetesUnavailable(f"{what}: the API does not answer ({error})", host=cluster) from error
        remedy = "look whether another cluster took over this address"
        raise KubernetesError(
            f"{what}: the certificate is not this cluster's: {error}", host=cluster, remedy=remedy
        ) from error
    except httpx2.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise KubernetesUnavailable(f"{what}: the API does not answer ({reason})", host=cluster) from error
    except LoadResourceError as error:
        raise KubernetesError(f"{what}: {error}", host=cluster) from error


def _kind(code: int) -> type[KubernetesError]:
    return KubernetesUnavailable if code in {403, 429} or code >= 500 else KubernetesError


class Kube:
    """The requests that Raijin makes to one cluster."""

    def __init__(self, client: AsyncClient, plain: httpx2.AsyncClient, cluster: str) -> None:
        self._client = client
        self._plain = plain
        # The overloads of lightkube tell namespaced kinds from global ones; a document tells it only at run time.
        self._any: Any = client
        self.cluster = cluster

    async def probe(self) -> None:
        """One small read, through the API server down to etcd. Raises KubernetesUnavailable when it does not answer."""
        async with _mapped("asking the API", self.cluster):
            await self._client.get(Namespace, "kube-system")

    async def read(self, path: str, **query: str | int) -> str:
        """The text at a path of the API: `/version`, `/readyz`, the log of a pod. Raises KubernetesError."""
        async with _mapped(f"reading {path}", self.cluster):
            answer = await self._plain.get(path, params=query)
            answer.raise_for_status()
        return str(answer.text)

    async def version(self) -> str:
        """What the API server is: `v1.34.2`. Raises KubernetesError."""
        return str(json.loads(await self.read("/version"))["gitVersion"])

    async def items(self, path: str, **query: str | int) -> list[Document]:
        """Every object of a list, as the API has them: `/apis/apps/v1/deployments`. Raises KubernetesError."""
        found: list[Document] = []
        more = ""
        while True:
            asked = {"limit": PAGE, **query, **({"continue": more} if more else {})}
            page = json.loads(await self.read(path, **asked))
            found += page.get("items") or []
            more = (page.get("metadata") or {}).get("continue") or ""
            if not more:
                return found

    async def lines(self, path: str, **query: str | int) -> AsyncIterator[str]:
        """The lines of a text as they come, however long the pauses between them. Raises KubernetesError."""
        patient = httpx2.Timeout(TIMEOUT_SECONDS, read=None)
        async with (
            _mapped(f"reading {path}", self.cluster),
            self._plain.stream("GET", path, params=query, timeout=patient) as answer,
        ):
            if answer.is_error:
                await answer.aread()
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                yield line

    async def list_nodes(self) -> list[Document]:
        async with _mapped("listing nodes", self.cluster):
            return [node.to_dict() async for node in self._client.list(Node)]

    async def list_pods(
        self, *, node: str | None = None, namespace: str = "*", labels: Mapping[str, str] | None = None
    ) -> list[Document]:
        fields: Any = {"spec.nodeName": node} if node else None
        chosen: Any = dict(labels) if labels else None
        async with _mapped("listing pods", self.cluster):
            found = self._client.list(Pod, namespace=namespace, fields=fields, labels=chosen)
            return [pod.to_dict() async for pod in found]

    async def list(self, api_version: str, kind: str, labels: Mapping[str, str]) -> list[Document]:
        """The objects of a kind that bear these labels, of all namespaces; none when there is no such kind."""
        async with _mapped(f"listing {kind}", self.cluster):
            model = _model(api_version, kind)
            everywhere: dict[str, Any] = {"namespace": "*"} if issubclass(model, NamespacedResource) else {}
            try:
                found = [item.to_dict() async for item in self._any.list(model, labels=dict(labels), **everywhere)]
            except (ApiError, httpx2.HTTPStatusError) as error:
                if _is_absent(error):
                    return []
                raise
        return [{**item, "apiVersion": api_version, "kind": kind} for item in found]

    async def serves(self, document: Mapping[str, Any]) -> bool:
        """Whether the API knows the kind of a document: for a kind that was defined just now."""
        async with _mapped(f"looking for the kind {document['kind']}", self.cluster):
            model = _model_of(document)
            everywhere: dict[str, Any] = {"namespace": "*"} if issubclass(model, NamespacedResource) else {}
            try:
                async for _ in self._any.list(model, chunk_size=1, **everywhere):
                    break
            except (ApiError, httpx2.HTTPStatusError) as error:
                if _is_absent(error):
                    return False
                raise
        return True

    async def get(self, document: Mapping[str, Any]) -> Document | None:
        """The live object that a document names; None when there is none."""
        namespace = document["metadata"].get("namespace")
        async with _mapped(f"reading {describe(document)}", self.cluster):
            model = _model_of(document)
            try:
                found = await self._any.get(model, document["metadata"]["name"], **_namespace(namespace))
            except (ApiError, httpx2.HTTPStatusError) as error:
                if _is_absent(error):
                    return None
                raise
        return cast("Document", found.to_dict())

    async def apply(self, document: Mapping[str, Any], *, dry_run: bool = False) -> Document:
        """Server-side apply, as the field manager `raijin`, taking over fields that others set."""
        async with _mapped(f"applying {describe(document)}", self.cluster):
            _model_of(document)
            resource = cast("Any", from_dict(dict(document)))
            result = await self._client.apply(resource, force=True, dry_run=dry_run)
        return cast("Document", result.to_dict())

    async def delete(self, document: Mapping[str, Any]) -> bool:
        """Delete the object that a document names; False when it was not there."""
        namespace = document["metadata"].get("namespace")
        async with _mapped(f"deleting {describe(document)}", self.cluster):
            model = _model_of(document)
            try:
                await self._any.delete(model, document["metadata"]["name"], **_namespace(namespace))
            except (ApiError, httpx2.HTTPStatusError) as error:
                if _is_absent(error):
                    return False
                raise
        return True

    async def patch_node(self, name: str, patch: Mapping[str, Any]) -> Document:
        """A JSON merge patch (RFC 7386) of a node: lists are replaced, null removes a key."""
        async with _mapped(f"changing node {name}", self.cluster):
            result = await self._client.patch(Node, name, dict(patch), patch_type=PatchType.MERGE)
        return result.to_dict()

    async def patch(self, document: Mapping[str, Any], patch: Mapping[str, Any]) -> Document:
        """A JSON merge patch of the object that a document names."""
        namespace = document["metadata"].get("namespace")
        async with _mapped(f"changing {describe(document)}", self.cluster):
            name, kind = document["metadata"]["name"], PatchType.MERGE
            result = await self._any.patch(
                _model_of(document), name, dict(patch), patch_type=kind, **_namespace(namespace)
            )
        return cast("Document", result.to_dict())

    async def put(self, path: str, document: Mapping[str, Any]) -> None:
        """Replace what is at a path of the API, as the approval of a certificate request. Raises KubernetesError."""
        async with _mapped(f"writing {path}", self.cluster):
            answer = await self._plain.put(path, json=dict(document))
            answer.raise_for_status()

    async def evict(self, namespace: str, name: str, *, grace_seconds: int | None = None) -> bool:
        """Ask for the eviction of a pod. False: a PodDisruptionBudget forbids it now. Absent pods count as evicted."""
        body = PodEviction(
            metadata=ObjectMeta(name=name, namespace=namespace),
        )
        if grace_seconds is not None:
            body = PodEviction(metadata=body.metadata, deleteOptions=_grace(grace_seconds))
        async with _mapped(f"evicting pod {namespace}/{name}", self.cluster):
            try:
                await self._client.create(body, name=name, namespace=namespace)
            except ApiError as error:
                if error.status.code == 429:
                    return False
                if error.status.code != 404:
                    raise
        return True


def _is_absent(error: ApiError | httpx2.HTTPStatusError) -> bool:
    """404: of an object the API says so in its own form, of a group that it does not serve in plain text."""
    return (error.status.code if isinstance(error, ApiError) else error.response.status_code) == 404


def _model_of(document: Mapping[str, Any]) -> Any:
    return _model(document["apiVersion"], document["kind"], namespaced=bool(document["metadata"].get("namespace")))


def _model(api_version: str, kind: str, *, namespaced: bool = False) -> Any:
    """lightkube's class for a kind; one is made for kinds that are not Kubernetes' own. Raises LoadResourceError."""
    if not is_custom(api_version):
        return resource_registry.load(api_version, kind)
    group, _, version = api_version.partition("/")
    make = create_namespaced_resource if namespaced else create_global_resource
    return make(group, version, kind, plural_of(kind))


def _grace(seconds: int) -> Any:
    from lightkube.models.meta_v1 import DeleteOptions  # noqa: PLC0415

    return DeleteOptions(gracePeriodSeconds=seconds)


def _namespace(namespace: str | None) -> dict[str, str]:
    return {"namespace": namespace} if namespace else {}

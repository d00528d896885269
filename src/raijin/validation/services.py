"""service-endpoints: Services that nobody is behind, and Ingresses that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from raijin.transport.document import Document
from raijin.validation.finding import Finding, Grade, few
from raijin.validation.nodes import unseen
from raijin.validation.seen import Part, Seen

NAME = "service-endpoints"
SERVICE_LABEL = "kubernetes.io/service-name"
"""Of an EndpointSlice: whose it is (discovery.k8s.io/v1)."""

Named = tuple[str, str]
"""Namespace and name."""


def service_endpoints(seen: Seen) -> Iterable[Finding]:
    parts = (Part.SERVICES, Part.ENDPOINTS, Part.INGRESSES)
    blind = next(filter(None, (unseen(NAME, seen, part) for part in parts)), None)
    if blind is not None:
        yield blind
        return
    services = {_named(item): item for item in seen.items(Part.SERVICES)}
    served = {owner for item in seen.items(Part.ENDPOINTS) for owner in _ready_of(item)}
    found = [finding for name, item in services.items() for finding in _unserved(name, item, served)]
    found += [finding for item in seen.items(Part.INGRESSES) for finding in _ingress(item, services)]
    yield from found
    if not found:
        text = f"{len(services)} Services and {len(seen.items(Part.INGRESSES))} Ingresses, all lead somewhere"
        yield Finding(NAME, seen.subject.cluster, Grade.OK, text)


def _named(item: Document) -> Named:
    return str(item["metadata"].get("namespace", "")), str(item["metadata"]["name"])


def _ready_of(item: Document) -> Iterator[Named]:
    """An endpoint without the condition counts as ready (discovery.k8s.io/v1)."""
    owner = (item["metadata"].get("labels") or {}).get(SERVICE_LABEL)
    endpoints = item.get("endpoints") or ()
    if owner and any((endpoint.get("conditions") or {}).get("ready") is not False for endpoint in endpoints):
        yield str(item["metadata"].get("namespace", "")), str(owner)


def _unserved(name: Named, item: Document, served: set[Named]) -> Iterator[Finding]:
    """Without a selector endpoints are somebody's own work; an ExternalName has none."""
    spec = item.get("spec") or {}
    if spec.get("type") == "ExternalName" or not spec.get("selector") or name in served:
        return
    wanted = few((f"{key}={value}" for key, value in sorted(spec["selector"].items())), 3)
    remedy = f"`kubectl -n {name[0]} get pods -l {wanted.replace(', ', ',')}`"
    text = f"no ready pod is behind it ({wanted})"
    yield Finding(NAME, f"Service {name[0]}/{name[1]}", Grade.WARNING, text, remedy)


def _ingress(item: Document, services: Mapping[Named, Document]) -> Iterator[Finding]:
    namespace, own = _named(item)
    spec = item.get("spec") or {}
    paths = [path for rule in spec.get("rules") or () for path in (rule.get("http") or {}).get("paths") or ()]
    backends = [spec.get("defaultBackend"), *(path.get("backend") for path in paths)]
    said: set[str] = set()
    for backend in backends:
        wanted = (backend or {}).get("service")
        if wanted:
            said |= set(_fault(wanted, services.get((namespace, str(wanted["name"])))))
    remedy = f"`kubectl -n {namespace} describe ingress {own}`"
    yield from (Finding(NAME, f"Ingress {namespace}/{own}", Grade.WARNING, text, remedy) for text in sorted(said))


def _fault(wanted: Document, service: Document | None) -> Iterator[str]:
    if service is None:
        yield f"it leads to the Service {wanted['name']}, which there is not"
        return
    port = wanted.get("port") or {}
    ports = (service.get("spec") or {}).get("ports") or ()
    known = any(
        port.get("name") == have.get("name") if port.get("name") else port.get("number") == have.get("port")
        for have in ports
    )
    if port and not known:
        yield f"it leads to port {port.get('name') or port.get('number')} of {wanted['name']}, which has no such port"

"""The certificates of a Talos cluster. After "How to manage PKI and certificate lifetimes" of talos.dev.

Talos makes those that its parts serve and ask with from the authorities in the machine configuration, in memory, and
renews them itself; nobody can see them from outside. The authorities live for ten years. `talosctl rotate-ca` replaces
those of Talos and of Kubernetes while the cluster runs; Raijin does not do that yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from raijin.errors import Unsupported
from raijin.facts.certificates import Certificate, in_data
from raijin.platforms.base import Context, Node
from raijin.platforms.renewal import Keeper

Document = dict[str, Any]
PLACES = ("machine.ca.crt", "cluster.ca.crt", "cluster.aggregatorCA.crt", "cluster.etcd.ca.crt")
"""Where the authorities stand in a machine configuration: of Talos's API, of Kubernetes, and two more."""
DAYS = 365.0


class TalosCertificates:
    """See `platforms.renewal.Certificates`: there is nothing that could be renewed from outside."""

    def keeper(self, certificate: Certificate) -> Keeper | None:
        return Keeper.AUTHORITY if certificate.path in PLACES else None

    def days(self, context: Context) -> float:
        del context
        return DAYS

    def unfinished(self, node: Node) -> bool:
        del node
        return False

    def renew(self, context: Context, node: Node, wanted: Sequence[Certificate]) -> NoReturn:
        del node, wanted
        raise Unsupported(
            f"the certificates of {context.cluster.name} are renewed by Talos itself", remedy="leave it to Talos"
        )

    def readmit(self, context: Context, node: Node) -> None:
        del context, node

    def discard(self, context: Context, node: Node) -> None:
        del context, node


def authorities_in(documents: Iterable[Document]) -> tuple[Certificate, ...]:
    """Those in a machine configuration as it is on a machine; keys are not looked at."""
    main = next((document for document in documents if not document.get("kind")), {})
    return tuple(found for path in PLACES for found in _at(main, path))


def _at(document: Document, path: str) -> Iterable[Certificate]:
    value: Any = document
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return in_data(path, value) if isinstance(value, str) and value else ()

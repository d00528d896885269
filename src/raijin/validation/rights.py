"""access-rights: groups that everybody is in, and no administrator should be.

Rules: CIS Kubernetes Benchmark 1.10, 5.1.1 (cluster-admin only where required); Kubernetes: "RBAC Good Practices". The
bindings that a cluster begins with: Kubernetes, "Using RBAC Authorization", default roles and role bindings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from raijin.transport.document import Document
from raijin.validation.finding import Finding, Grade, few
from raijin.validation.nodes import unseen
from raijin.validation.seen import Part, Seen

NAME = "access-rights"
UNKNOWN_USERS = frozenset({"system:anonymous", "system:unauthenticated"})
EVERYBODY = frozenset({"system:authenticated", "system:serviceaccounts"})
GREAT = frozenset({"cluster-admin", "admin", "edit"})
OF_ANYBODY = frozenset({"system:public-info-viewer", "system:discovery", "system:basic-user"})
"""What Kubernetes gives to the unknown itself (the first), or gave before 1.14: version, health, APIs there are."""


def access_rights(seen: Seen) -> Iterable[Finding]:
    blind = unseen(NAME, seen, Part.RIGHTS)
    if blind is not None:
        yield blind
        return
    found = [finding for item in seen.items(Part.RIGHTS) for finding in _binding(item)]
    yield from found
    if not found:
        text = f"{len(seen.items(Part.RIGHTS))} ClusterRoleBindings, none for the unknown or for everybody"
        yield Finding(NAME, seen.subject.cluster, Grade.OK, text)


def _binding(item: Document) -> Iterator[Finding]:
    name, role = str(item["metadata"]["name"]), str(item.get("roleRef", {}).get("name", ""))
    remedy = f"`kubectl delete clusterrolebinding {name}`, and bind who needs it by name"
    subjects = item.get("subjects") or ()
    unknown = [str(s["name"]) for s in subjects if s.get("name") in UNKNOWN_USERS]
    if unknown and role not in OF_ANYBODY:
        grade = Grade.FAILED if role in GREAT else Grade.WARNING
        text = f"it gives {role} to whoever comes ({few(unknown)}; CIS 5.1.1)"
        yield Finding(NAME, f"ClusterRoleBinding {name}", grade, text, remedy)
    everybody = [str(s["name"]) for s in subjects if s.get("name") in EVERYBODY or _all_of_namespace(s)]
    if everybody and role in GREAT:
        grade = Grade.FAILED if role == "cluster-admin" else Grade.WARNING
        text = f"it gives {role} to everybody in {few(everybody)} (CIS 5.1.1)"
        yield Finding(NAME, f"ClusterRoleBinding {name}", grade, text, remedy)
    default = [f"{s.get('namespace')}/default" for s in subjects if _default_account(s)]
    if default and role == "cluster-admin":
        text = f"it makes every pod without an account of its own an administrator ({few(default)}; CIS 5.1.5)"
        yield Finding(NAME, f"ClusterRoleBinding {name}", Grade.WARNING, text, remedy)


def _all_of_namespace(subject: Document) -> bool:
    return str(subject.get("name", "")).startswith("system:serviceaccounts:")


def _default_account(subject: Document) -> bool:
    return subject.get("kind") == "ServiceAccount" and subject.get("name") == "default"

"""What an OKD cluster says of itself: its version, its operators, its pools of machines. Pure: documents in, words out.

Sources: openshift/api config/v1 (ClusterVersion, ClusterOperator: Available, Progressing, Degraded) and
machineconfiguration.openshift.io/v1 (MachineConfigPool: Updated, Degraded). What counts as done is what
`openshift-install wait-for install-complete` takes for it: the version is available, and every operator is available,
neither progressing nor degraded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from raijin.model.version import Version

Document = Mapping[str, Any]
VERSION = {"apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion", "metadata": {"name": "version"}}
OPERATORS = "/apis/config.openshift.io/v1/clusteroperators"
POOLS = "/apis/machineconfiguration.openshift.io/v1/machineconfigpools"


@dataclass(frozen=True, slots=True)
class Releases:
    """What ClusterVersion says. running: the last that was reached whole, empty before the installation ended; wanted:
    what the cluster is told to be. offered: versions that may be gone to; risky: those with a known risk, and which.
    gate: why no newer minor may be gone to; empty when one may.
    """

    running: str = ""
    wanted: str = ""
    offered: tuple[str, ...] = ()
    risky: Mapping[str, str] = field(default_factory=dict)
    gate: str = ""

    @property
    def version(self) -> Version | None:
        return Version.parse(self.running)


def condition(document: Document, kind: str) -> Document:
    conditions: Iterable[Document] = (document.get("status") or {}).get("conditions") or ()
    return next((item for item in conditions if item.get("type") == kind), {})


def releases(document: Document | None) -> Releases:
    if document is None:
        return Releases()
    status, spec = document.get("status") or {}, document.get("spec") or {}
    history: list[Document] = status.get("history") or []
    done = next((item for item in history if item.get("state") == "Completed"), {})
    upgradeable = condition(document, "Upgradeable")
    conditional = [(str(item["release"]["version"]), _risk(item)) for item in status.get("conditionalUpdates") or ()]
    free = [version for version, risk in conditional if not risk]
    blocked = upgradeable.get("status") == "False"
    return Releases(
        running=str(done.get("version", "")),
        wanted=str(
            (spec.get("desiredUpdate") or {}).get("version") or (status.get("desired") or {}).get("version", "")
        ),
        offered=(*(str(item["version"]) for item in status.get("availableUpdates") or ()), *free),
        risky={version: risk for version, risk in conditional if risk},
        gate=f"{upgradeable.get('reason', '')}: {upgradeable.get('message', '')}" if blocked else "",
    )


def _risk(update: Document) -> str:
    """Why an update is not recommended here; empty when the cluster found that the risk is none of its own."""
    recommended = condition({"status": {"conditions": update.get("conditions")}}, "Recommended")
    if recommended.get("status") == "True":
        return ""
    return " ".join(str(recommended.get("message") or "its risks were not evaluated").split())


def operator_faults(operators: Sequence[Document]) -> list[str]:
    """Each operator that is not as it should be, and why, by its own words."""
    if not operators:
        return ["no cluster operator has reported yet"]
    found = []
    for operator in operators:
        name = operator["metadata"]["name"]
        for kind, wanted, word in (
            ("Available", "True", "is not available"),
            ("Degraded", "False", "is degraded"),
            ("Progressing", "False", "is progressing"),
        ):
            told = condition(operator, kind)
            if told.get("status") != wanted:
                found.append(f"{name} {word}{_why(told)}")
                break
    return found


def version_fault(document: Document | None, wanted: str = "") -> str:
    """What is missing until the cluster is of a version (any, when none is named); empty when nothing is."""
    if document is None:
        return "there is no ClusterVersion yet"
    failing = condition(document, "Failing")
    if failing.get("status") == "True":
        return f"the cluster version operator fails{_why(failing)}"
    history: list[Document] = (document.get("status") or {}).get("history") or []
    newest = history[0] if history else {}
    if wanted and newest.get("version") != wanted:
        return f"the cluster still is, or goes to, {newest.get('version') or 'no version'}"
    if newest.get("state") != "Completed":
        return f"the cluster goes to {newest.get('version') or 'its version'}{_why(condition(document, 'Progressing'))}"
    available = condition(document, "Available")
    return "" if available.get("status") == "True" else f"the version is not available{_why(available)}"


def pool_faults(pools: Sequence[Document]) -> list[str]:
    """Machine config pools whose machines are not all up to date."""
    found = []
    for pool in pools:
        name, status = pool["metadata"]["name"], pool.get("status") or {}
        degraded, updated = condition(pool, "Degraded"), condition(pool, "Updated")
        if degraded.get("status") == "True":
            found.append(f"the pool {name} is degraded{_why(degraded)}")
        elif (pool.get("spec") or {}).get("paused"):
            found.append(f"the pool {name} is paused: its machines are not updated")
        elif updated.get("status") != "True":
            count = f"{status.get('updatedMachineCount', 0)} of {status.get('machineCount', 0)}"
            found.append(f"the pool {name} has {count} machines up to date")
    return found


def _why(told: Document) -> str:
    message = " ".join(str(told.get("message") or told.get("reason") or "").split())
    return f": {message[:300]}" if message else ""

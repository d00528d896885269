"""application-workloads and volume-claims: what users run. It is theirs: what is wrong there is a warning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from raijin.transport.document import Document, describe
from raijin.validation.finding import Finding, Grade
from raijin.validation.nodes import unseen
from raijin.validation.seen import Part, Seen
from raijin.validation.workloads import counts, is_system, seconds_of

WORKLOADS, CLAIMS = "application-workloads", "volume-claims"
PATIENCE = 120.0
"""Seconds that a claim may wait for its volume, before somebody should know."""


def application_workloads(seen: Seen) -> Iterable[Finding]:
    blind = unseen(WORKLOADS, seen, Part.WORKLOADS) or unseen(WORKLOADS, seen, Part.JOBS)
    if blind is not None:
        yield blind
        return
    own = [item for item in seen.items(Part.WORKLOADS) if not is_system(item["metadata"].get("namespace", ""))]
    found = [finding for item in own for finding in _short(item)]
    found += [finding for item in seen.items(Part.JOBS) for finding in _failed(item)]
    yield from found
    if not found:
        jobs = len(seen.items(Part.JOBS))
        text = f"{len(own)} workloads of users have what they should, and of {jobs} jobs none failed"
        yield Finding(WORKLOADS, seen.subject.cluster, Grade.OK, text)


def _short(item: Document) -> Iterator[Finding]:
    have, want = counts(item)
    if have < want:
        yield Finding(WORKLOADS, describe(item), Grade.WARNING, f"{have} of {want} are available", _describe(item))


def _describe(item: Document) -> str:
    metadata = item["metadata"]
    kind = str(item.get("kind")).lower()
    return f"`kubectl -n {metadata.get('namespace')} describe {kind} {metadata['name']}`"


def _failed(item: Document) -> Iterator[Finding]:
    """Job: the condition Failed, with BackoffLimitExceeded, DeadlineExceeded or another reason (batch/v1)."""
    for condition in item.get("status", {}).get("conditions") or ():
        if condition.get("type") == "Failed" and condition.get("status") == "True":
            why = f"{condition.get('reason') or 'it does not say why'}: {condition.get('message') or ''}".rstrip(": ")
            yield Finding(WORKLOADS, describe(item), Grade.WARNING, f"it has failed: {why}", _describe(item))


def volume_claims(seen: Seen) -> Iterable[Finding]:
    """A class that waits for the first consumer binds nothing before a pod uses the claim: that is no fault."""
    blind = next(filter(None, (unseen(CLAIMS, seen, part) for part in (Part.CLAIMS, Part.CLASSES, Part.PODS))), None)
    if blind is not None:
        yield blind
        return
    waits = {
        str(item["metadata"]["name"])
        for item in seen.items(Part.CLASSES)
        if item.get("volumeBindingMode") == "WaitForFirstConsumer"
    }
    used = {use for pod in seen.items(Part.PODS) for use in _claims_of(pod)}
    found = [finding for item in seen.items(Part.CLAIMS) for finding in _unbound(item, seen.at, waits, used)]
    yield from found
    if not found:
        text = f"{len(seen.items(Part.CLAIMS))} claims, none waits in vain"
        yield Finding(CLAIMS, seen.subject.cluster, Grade.OK, text)


def _claims_of(pod: Document) -> Iterator[tuple[str, str]]:
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        claim = volume.get("persistentVolumeClaim")
        if claim:
            yield str(pod["metadata"]["namespace"]), str(claim["claimName"])


def _unbound(item: Document, now: float, waits: set[str], used: set[tuple[str, str]]) -> Iterator[Finding]:
    metadata, phase = item["metadata"], item.get("status", {}).get("phase")
    name = f"{metadata['namespace']}/{metadata['name']}"
    kept = str((item.get("spec") or {}).get("storageClassName") or "")
    remedy = f"`kubectl -n {metadata['namespace']} describe pvc {metadata['name']}`"
    if phase == "Lost":
        yield Finding(CLAIMS, name, Grade.WARNING, "its volume is gone", remedy)
    young = now - seconds_of(metadata.get("creationTimestamp")) < PATIENCE
    idle = kept in waits and (str(metadata["namespace"]), str(metadata["name"])) not in used
    if phase == "Pending" and not young and not idle:
        text = f"it has no volume (storage class {kept})" if kept else "it has no volume, and names no storage class"
        yield Finding(CLAIMS, name, Grade.WARNING, text, remedy)

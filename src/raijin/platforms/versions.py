"""The way from one version of Kubernetes to another, and what the version skew policy allows.

Sources: kubernetes.io "Version Skew Policy" (an API server moves one minor at a time; a kubelet may be three minors
older than the API servers, never newer) and "Upgrading kubeadm clusters" (kubeadm upgrades by one minor).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from raijin.model.version import Version

KUBELET_MINORS = 3
"""How many minors a kubelet may be older than any API server (from 1.28 on)."""

MINORS_BETWEEN_RESTORE = 1
"""How many minors an API server may be newer than the one that wrote what it finds in etcd."""


def way(start: Version, goal: Version, known: Mapping[int, Version]) -> list[Version]:
    """The versions to go through, `goal` last. known: by minor, the release to take for a minor in between.

    Raises KeyError with the minor for which no release is known.
    """
    between = range(start.minor + 1, goal.minor)
    return [*(known[minor] for minor in between), goal]


def newest_by_minor(versions: Iterable[str]) -> dict[int, Version]:
    """The newest release of each minor."""
    found: dict[int, Version] = {}
    for text in versions:
        version = Version.parse(text)
        if version is not None and not version.pre and version >= found.get(version.minor, version):
            found[version.minor] = version
    return found


def lags(kubelet: Version, api: Version) -> bool:
    """Whether a kubelet is older than an API server of that version would allow."""
    return api.minor - kubelet.minor > KUBELET_MINORS

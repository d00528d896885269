"""The kubeconfig of a cluster: from the secret store, else from its control plane; written so that only you read it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import yaml

from raijin.app import observing
from raijin.app.planning import context_of
from raijin.app.reaching import open_pool
from raijin.app.session import Session
from raijin.errors import NotFound, UsageError
from raijin.facts.certificates import in_kubeconfig
from raijin.platforms import platform_of
from raijin.platforms.access import read_kubeconfig
from raijin.platforms.addresses import api_endpoint
from raijin.platforms.kubeconfig import kubeconfig_secret, renamed
from raijin.state.secrets import SecretStore
from raijin.transport.delivery import atomic_write

PRIVATE = 0o600


async def kubeconfig_of(session: Session) -> str:
    """Raises HostError or NotFound when there is no cluster to ask."""
    store, name = SecretStore(session.home), kubeconfig_secret(session.cluster.name)
    kept = store.get(name) if store.has(name) else ""
    own = in_kubeconfig(kept)
    if kept and not (own and own.is_expired(time.time())):
        return kept
    placed = session.definition.hosts_of(session.cluster)
    async with open_pool(session) as pool:
        platform = platform_of(session.cluster)
        nodes, _ = await observing.look_at(pool, platform, [(p.host, p.role) for p in placed])
        context = context_of(session, nodes)
        first = context.first
        if not first.parts.started:
            raise NotFound(f"{session.cluster.name} is not running: {first.absence or 'it was never started'}")
        text = await read_kubeconfig(pool, first.name, platform.kubeconfig)
        return renamed(text, session.cluster.name, api_endpoint(context))


def save(text: str, path: Path) -> None:
    atomic_write(path, text.encode(), mode=PRIVATE)


def merged_into(text: str) -> Path:
    """Merge into $KUBECONFIG's first file or ~/.kube/config: entries of the same name are replaced, others kept."""
    path = Path(os.environ.get("KUBECONFIG", "").split(":")[0] or Path.home() / ".kube" / "config")
    fresh = yaml.safe_load(text)
    try:
        old = yaml.safe_load(path.read_text()) if path.exists() else {}
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not YAML: {error}", remedy="mend it, or write to a file with --write") from error
    save(yaml.safe_dump(merge(old or {}, fresh), sort_keys=False), path)
    return path


def merge(old: dict[str, Any], fresh: dict[str, Any]) -> dict[str, Any]:
    merged = {"apiVersion": "v1", "kind": "Config", **old, "current-context": fresh["current-context"]}
    for section in ("clusters", "users", "contexts"):
        names = {entry["name"] for entry in fresh[section]}
        merged[section] = [*(e for e in old.get(section) or [] if e["name"] not in names), *fresh[section]]
    return merged

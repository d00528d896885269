"""The sites of a store as a picture needs them: machines, networks, links, and where clusters stand on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from raijin.app.service import Service
    from raijin.app.stored import Contents
    from raijin.definition.definition import Definition
    from raijin.model.cluster import Cluster
    from raijin.model.site import Site


def sites_of(service: Service, sees: Callable[[str], bool]) -> list[dict[str, Any]]:
    """One row for each Site of each file, with the clusters that the caller may see. Files with faults are left out.

    Passwords and keys of the Site are no part of it.
    """
    contents = service.store.contents()
    rows = []
    for row in contents.kept("sites", lambda: _rows(contents)):
        seen = [cluster for cluster in row["clusters"] if sees(cluster["name"])]
        if seen or row["shared"]:
            rows.append({key: value for key, value in row.items() if key != "shared"} | {"clusters": seen})
    return _merged(rows)


def _rows(contents: Contents) -> list[dict[str, Any]]:
    """For everybody, and whether the file of each is a shared one."""
    files = [item for item in contents.files if not item.faults]
    shared = [item.path for item in contents.shared]
    rows = []
    for item in files:
        if item.shared and any(other.clusters for other in files):
            continue  # it is read with each of those
        definition = _right([*shared, item.path] if item.clusters else shared)
        if definition is not None:
            rows += [_row(item.name, definition, site) | {"shared": item.shared} for site in definition.sites]
    return rows


def _right(paths: Sequence[Path]) -> Definition | None:
    """What these files say together; None where that is wrong (the page of definitions says where)."""
    from raijin.definition.load import load  # noqa: PLC0415
    from raijin.errors import DefinitionError  # noqa: PLC0415

    try:
        return load(tuple(paths))
    except DefinitionError:
        return None


def _merged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A shared Site is read with every cluster, and shown once."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        known = found.setdefault(f"{row['name']}/{[host['name'] for host in row['hosts']]}", row)
        if known is not row:
            known["clusters"] += [c for c in row["clusters"] if c not in known["clusters"]]
    return list(found.values())


def _row(name: str, definition: Definition, site: Site) -> dict[str, Any]:
    return {
        "name": site.name,
        "definition": name,
        "hosts": [{"name": host.name, "address": str(host.address or "")} for host in site.hosts],
        "networks": [net.model_dump(mode="json", by_alias=True, exclude_unset=True) for net in site.networks],
        "wanLinks": [link.model_dump(mode="json", by_alias=True, exclude_unset=True) for link in site.wan_links],
        "wanBalance": site.wan_balance.value,
        "nas": [str(nas.ip) for nas in site.nas],
        "clusters": [_cluster(definition, cluster) for cluster in definition.clusters],
    }


def _cluster(definition: Definition, cluster: Cluster) -> dict[str, Any]:
    network = cluster.network
    return {
        "name": cluster.name,
        "virtualIp": str(network.virtual_ip.address) if network.virtual_ip else "",
        "endpoint": str(network.control_plane_endpoint or ""),
        "hosts": [{"name": placed.name, "role": placed.role.value} for placed in definition.hosts_of(cluster)],
    }

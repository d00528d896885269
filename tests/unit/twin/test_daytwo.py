"""The days after: hosts go, the cluster is brought back from a backup, certificates are renewed; the plan is empty."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.twin.conftest import carried

from raijin.app import running
from raijin.app.backups import listing
from raijin.app.certificates import listing as certificates
from raijin.app.rehearsing import Stage
from raijin.app.restoring import restore
from raijin.errors import Unsupported
from raijin.model.node_group import NodeRole
from raijin.observe.waiting import hurried

SITES = ("ha", "k3s", "k3s-ha", "rke2-ha", "talos-ha")


def without(stage: Stage, host: str) -> None:
    """The definition places a host no longer."""
    session = stage.session
    cluster = session.cluster
    groups = tuple(
        group.model_copy(update={"hosts": tuple(name for name in group.hosts if name != host)})
        for group in cluster.node_groups
    )
    config = dict(cluster.platform_config)
    if "hostPatches" in config:
        config["hostPatches"] = {name: patch for name, patch in config["hostPatches"].items() if name != host}
    fewer = cluster.model_copy(update={"node_groups": groups, "platform_config": config})
    clusters = tuple(fewer if other is cluster else other for other in session.definition.clusters)
    session.__dict__["definition"] = replace(session.definition, clusters=clusters)
    session.__dict__["cluster"] = fewer


async def run(stage: Stage, verb: str) -> None:
    with hurried():
        await running.carry_out(stage.session, verb, lambda _: True)


async def nothing_to_do(stage: Stage) -> None:
    with hurried():
        plan = (await running.plan(stage.session, "apply")).plan
    assert (
        "; ".join(
            f"{s.stage} on {s.target}: {[(c.thing, c.field, c.before, c.after) for c in s.changes]}" for s in plan.steps
        )
        == ""
    )


async def ends(stage: Stage) -> dict[tuple[str, str], float]:
    """When the certificates end that Raijin renews."""
    rows = (await certificates(stage.session)).rows
    return {(row.node, row.path): row.ends for row in rows if row.renewed_by == "apply"}


def names(stage: Stage, role: NodeRole) -> list[str]:
    return [name for group in stage.session.cluster.node_groups if group.role is role for name in group.hosts]


@pytest.mark.parametrize("example", [*SITES, "okd-balanced"])
def test_a_host_that_the_definition_drops_leaves_without_a_trace(staged, example: str) -> None:
    async def work(stage: Stage) -> None:
        await carried(stage)
        planes = names(stage, NodeRole.CONTROL_PLANE)
        okd = example.startswith("okd")  # its control plane machines are switched off by hand before they go
        for host in (names(stage, NodeRole.WORKER)[-1], *(planes[-1:] if len(planes) > 2 and not okd else [])):
            without(stage, host)
            await run(stage, "apply")
            assert stage.site.cluster is not None
            assert stage.site.cluster.node(host) is None
            assert host not in stage.site.cluster.members
            assert stage.site.hosts[host].off if okd else stage.site.hosts[host].leftovers() == []
            await nothing_to_do(stage)

    staged(work, example)


@pytest.mark.parametrize("example", SITES)
def test_a_cluster_comes_back_from_its_backup(staged, example: str) -> None:
    """What was made after the backup is gone, what was there is back."""

    async def work(stage: Stage) -> None:
        await carried(stage)
        cluster = stage.site.cluster
        assert cluster is not None
        note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}}
        cluster.put("/api/v1/namespaces/default/configmaps/before", note)
        await run(stage, "backup")
        cluster.put("/api/v1/namespaces/default/configmaps/after", note)
        saved = (await listing(stage.session)).rows
        assert len(saved) == 1
        with hurried():
            await restore(stage.session, saved[0].id, lambda _: True)
        stage.session.snapshot = None
        found = stage.site.cluster.objects if stage.site.cluster else {}
        assert "/api/v1/namespaces/default/configmaps/before" in found
        assert "/api/v1/namespaces/default/configmaps/after" not in found
        await nothing_to_do(stage)

    staged(work, example)


@pytest.mark.parametrize("example", ["ha", "k3s-ha"])
def test_etcd_is_defragmented(staged, example: str) -> None:
    async def work(stage: Stage) -> None:
        await carried(stage)
        await run(stage, "defragment")
        await nothing_to_do(stage)

    staged(work, example)


def test_an_okd_cluster_is_saved_and_its_restoration_refused_by_name(staged) -> None:
    async def work(stage: Stage) -> None:
        await carried(stage)
        await run(stage, "backup")
        saved = (await listing(stage.session)).rows
        assert len(saved) == 1
        with pytest.raises(Unsupported, match="restor"), hurried():
            await restore(stage.session, saved[0].id, lambda _: True)

    staged(work, "okd")


@pytest.mark.parametrize("example", [site for site in SITES if not site.startswith("talos")])
def test_certificates_are_renewed(staged, example: str) -> None:
    async def work(stage: Stage) -> None:
        await carried(stage)
        planes = [stage.site.hosts[name] for name in names(stage, NodeRole.CONTROL_PLANE)]
        assert [host.renewals for host in planes] == [0] * len(planes)
        before = await ends(stage)
        await run(stage, "renew")
        assert [host.renewals for host in planes] == [1] * len(planes)
        after = await ends(stage)
        assert before
        assert all(after[place] > end for place, end in before.items())
        await nothing_to_do(stage)

    staged(work, example)

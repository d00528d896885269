"""Backup and restore: nothing writes into the past, nobody waits for the dead, and the next plan is empty."""

from __future__ import annotations

import pytest
from tests.plans.reading import before, emptied, stages, step
from tests.plans.test_upgrade import NEW, OLD, text

from raijin.errors import PlanRefused
from raijin.lifecycle import restore
from raijin.model.version import Version
from raijin.operations.command import Command
from raijin.operations.containers import ContainersAbsent
from raijin.plan.model import Disruption
from raijin.platforms.base import Snapshot

SNAPSHOT = Snapshot(
    "up-20261127T150000Z",
    "5" * 64,
    {"/etc/kubernetes/pki/ca.crt": "restore/up//etc/kubernetes/pki/ca.crt"},
    Version(1, 34, 2),
    "20261127-160000",
)


def test_a_halted_host_gives_the_address_of_the_cluster_back(world) -> None:
    """Its kube-vip was ended at once: with the address on its card it would ask itself, and join nobody."""
    ha = world("ha")
    applied = ha.carry_out(ha.plan())
    assert applied.definition.cluster().network.virtual_ip is not None
    plan = applied.plan("restore", snapshot=SNAPSHOT)
    for host in (s.target for s in plan.steps if s.stage == "halt"):
        operations = step(plan, "halt", host).action.operations
        (give,) = (o for o in operations if isinstance(o, Command) and "ip addr del" in str(o.argv))
        containers = next(n for n, o in enumerate(operations) if isinstance(o, ContainersAbsent))
        assert operations.index(give) > containers
        assert give.argv[-1] == str(applied.definition.cluster().network.virtual_ip.address)


@pytest.fixture
def running(world):
    def make(**size: int):
        fresh = world("minimal").defined(text(OLD, **size))
        return fresh.carry_out(fresh.plan())

    return make


def reasons(world, **more: object) -> list[str]:
    return restore.reasons(world.context(snapshot=SNAPSHOT, **more))


def test_a_backup_is_packed_kept_and_cleaned_up(running) -> None:
    plan = running().plan("backup")
    assert [(s.stage, s.target) for s in plan.steps] == [("pack", "n1"), ("keep", "up"), ("clean", "n1")]
    pack, keep, clean = plan.steps
    assert pack.renewed, "after a failure the clean-up has taken it away: it is packed again"
    assert keep.needs == (pack.id,)
    assert clean.cleanup
    assert plan.disruption is Disruption.NONE


def test_without_a_control_plane_there_is_nothing_to_back_up(running) -> None:
    world = running()
    for name in ("n1", "n2", "n3"):
        world.power_cut(name)
    with pytest.raises(PlanRefused, match="nothing to back up"):
        world.plan("backup")


def test_an_upgrade_begins_with_a_backup_unless_that_is_not_wanted(running) -> None:
    world = running().defined(text(NEW))
    plan = world.plan()
    assert step(plan, "keep", "up").action.arguments["version"] == OLD, "the data is of the version that runs"
    for host in ("n1", "n2", "w1"):
        assert before(plan, ("keep", "up"), (f"drain@{NEW}", host))
    careless = text(NEW).replace("policy: {", "policy: {backupBeforeUpgrade: false, ")
    assert "keep" not in {s.stage for s in world.defined(careless).plan().steps}


def test_everything_is_halted_before_the_data_is_put_back(running) -> None:
    world = running()
    assert reasons(world) == []
    plan = world.plan("restore", snapshot=SNAPSHOT)
    for host in ("n1", "n2", "n3"):
        assert before(plan, ("halt", host), ("seed", "n1"))
        assert before(plan, ("halt", host), ("start", "n1"))
    assert before(plan, ("seed", "n1"), ("start", "n1"))
    assert stages(plan, "n1").count("start") == 1
    assert {s.target for s in plan.steps if s.stage == "start"} == {"n1"}, "never a second cluster"
    assert plan.disruption is Disruption.DATA


def test_the_other_control_planes_join_as_new_ones_one_at_a_time(running) -> None:
    plan = running().plan("restore", snapshot=SNAPSHOT)
    for host in ("n2", "n3"):
        assert before(plan, ("start", "n1"), ("delete-node", host))
        assert before(plan, ("delete-node", host), ("admit", host))
    assert before(plan, ("settle", "n2"), ("join", "n3"))
    assert not any(s.stage == "delete-node" and s.target == "n1" for s in plan.steps)


def test_workers_keep_their_pods_and_register_again(running) -> None:
    plan = running().plan("restore", snapshot=SNAPSHOT)
    for host in ("w1", "w4"):
        assert {"halt", "join", "drain"}.isdisjoint(stages(plan, host))
        assert before(plan, ("start", "n1"), ("register", host))
        assert before(plan, ("register", host), ("ready", host))


def test_afterwards_nothing_is_to_be_done(running) -> None:
    world = running()
    restored = world.carry_out(world.plan("restore", snapshot=SNAPSHOT))
    assert sorted(restored.voters) == ["n1", "n2", "n3"]
    assert restored.plan().empty


def test_on_hosts_that_were_all_installed_anew(running) -> None:
    world = running()
    for name in ("n1", "n2", "n3"):
        world.machines[name] = emptied(world, name)
    assert reasons(world) == []
    plan = world.plan("restore", snapshot=SNAPSHOT)
    assert "halt" not in {s.stage for s in plan.steps}
    for stage in ("prepare", "binaries", "services", "images"):
        assert before(plan, (stage, "n1"), ("seed", "n1")) or stage == "prepare"
    assert world.carry_out(plan).plan().empty


def test_a_control_plane_host_that_is_away_stops_it_unless_forced(running) -> None:
    """It may still run the old cluster, and would claim the same nodes when it comes back."""
    world = running()
    world.power_cut("n1")
    (reason,) = reasons(world)
    assert reason.startswith("n1: it cannot be reached")
    assert reasons(world, force=True) == []
    plan = world.plan("restore", snapshot=SNAPSHOT, force=True)
    assert {s.target for s in plan.steps if s.stage == "start"} == {"n2"}
    assert step(plan, "quarantine", "n1").action.name == "raijin.quarantine"
    after = world.carry_out(plan)
    assert "raijin cluster reset n1" in (after.members["n1"].quarantine or "")
    assert sorted(after.voters) == ["n2", "n3"]


def test_a_dead_worker_does_not_matter(running) -> None:
    world = running()
    world.power_cut("w2")
    assert reasons(world) == []
    assert stages(world.plan("restore", snapshot=SNAPSHOT), "w2") == []


def test_without_any_control_plane_host_there_is_nowhere_to_go(running) -> None:
    world = running()
    for name in ("n1", "n2", "n3"):
        world.power_cut(name)
    with pytest.raises(PlanRefused, match="nowhere to restore to"):
        world.plan("restore", snapshot=SNAPSHOT, force=True)


@pytest.mark.parametrize(("version", "fits"), [(OLD, True), ("v1.35.4", True), ("v1.36.1", False), ("v1.33.1", False)])
def test_the_backup_is_of_this_minor_or_of_the_one_before(running, version: str, fits: bool) -> None:
    found = [reason for reason in reasons(running().defined(text(version))) if "backup is of" in reason]
    assert (found == []) is fits

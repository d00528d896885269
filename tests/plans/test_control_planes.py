"""Several control plane hosts: joined one at a time, replaced, removed; and what would cost the majority is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.plans.reading import before, emptied, stages, step

from raijin.lifecycle.preflight import preflight
from raijin.plan.model import Disruption

HOSTS = "".join(f"  - {{name: n{i}, address: 192.0.2.1{i}}}\n" for i in range(1, 6)) + (
    "  - {name: w1, address: 192.0.2.21}\n"
)
CLUSTER = """
---
kind: Cluster
name: ha
type: VANILLA
version: v1.34.2
network: {virtualIp: {address: 192.0.2.250, provider: %s}}
nodeGroups:
  - {name: control-plane, role: CONTROL_PLANE, hosts: [%s]}
  - {name: workers, role: WORKER, hosts: [w1]}
"""


def text(*planes: str, provider: str = "KUBE_VIP") -> str:
    return "kind: Site\nhosts:\n" + HOSTS + CLUSTER % (provider, ", ".join(planes or ("n1", "n2", "n3")))


@pytest.fixture
def fresh(world):
    return world("minimal").defined(text())


@pytest.fixture
def running(fresh):
    """n1, n2, n3 and w1, applied."""
    return fresh.carry_out(fresh.plan())


@pytest.mark.parametrize("provider", ["KUBE_VIP", "KEEPALIVED"])
def test_from_nothing_to_nothing(world, provider: str) -> None:
    fresh = world("minimal").defined(text(provider=provider))
    assert preflight(fresh.context()) == []
    applied = fresh.carry_out(fresh.plan())
    assert applied.plan().empty
    assert preflight(applied.context()) == []
    assert set(applied.nodes) == {"n1", "n2", "n3", "w1"}
    gone = applied.carry_out(applied.plan("destroy"))
    assert gone.members == {}
    assert gone.plan("destroy").empty


def test_control_planes_join_one_after_the_other(fresh) -> None:
    plan = fresh.plan()
    assert "start" in stages(plan, "n1")
    assert "start" not in stages(plan, "n2")
    for earlier, later in (("start", "n1"), ("admit", "n2")), (("settle", "n2"), ("admit", "n3")):
        assert before(plan, earlier, later)
    assert before(plan, ("revoke", "n2"), ("admit", "n3")), "the certificates of one are not those of the next"
    assert not before(plan, ("join", "n2"), ("join", "w1")), "workers do not wait for them"
    for host in ("n2", "n3"):
        assert step(plan, "admit", host).action.arguments["upload"]
    assert "upload" not in step(plan, "admit", "w1").action.arguments


def test_the_address_is_carried_before_anybody_needs_it(world, fresh) -> None:
    """kube-vip comes with the start itself; keepalived and haproxy stand before it."""
    titles = [operation.title for operation in step(fresh.plan(), "start", "n1").action.operations]
    manifest = "file /etc/kubernetes/manifests/kube-vip.yaml"
    assert titles.index(manifest) < titles.index("start the cluster") < len(titles) - 1 - titles[::-1].index(manifest)
    balanced = world("minimal").defined(text(provider="KEEPALIVED")).plan()
    for host in ("n1", "n2", "n3"):
        assert before(balanced, ("endpoint", host), ("start", "n1"))


def test_another_control_plane_is_added(running) -> None:
    world = running.defined(text("n1", "n2", "n3", "n4", "n5"))
    assert preflight(world.context()) == []
    plan = world.plan()
    assert before(plan, ("settle", "n4"), ("admit", "n5"))
    assert "start" not in [s.stage for s in plan.steps]
    assert world.carry_out(plan).plan().empty


def test_one_is_removed_in_order(running) -> None:
    """k0sctl: a reset controller did not leave etcd; here the member goes before the host is touched."""
    world = running.defined(text("n1", "n2"))
    plan = world.plan()
    assert preflight(world.context()) == []
    assert [s for s in stages(plan, "n3") if s != "endpoint"] == [
        "drain", "leave-etcd", "delete-node", "leave", "forget",
    ]  # fmt: skip
    for first, second in (("drain", "leave-etcd"), ("leave-etcd", "delete-node"), ("delete-node", "leave")):
        assert before(plan, (first, "n3"), (second, "n3"))
    after = world.carry_out(plan)
    assert after.plan().empty
    assert set(after.voters) == {"n1", "n2"}


def test_also_the_one_that_the_cluster_was_started_on(running) -> None:
    world = running.defined(text("n2", "n3", "n4"))
    plan = world.plan()
    assert step(plan, "admit", "n4").action.arguments["door"] in {"n2", "n3"}
    assert before(plan, ("settle", "n4"), ("leave-etcd", "n1")), "a healthy member goes when the new one votes"
    after = world.carry_out(plan)
    assert after.plan().empty
    assert set(after.voters) == {"n2", "n3", "n4"}
    assert "start" not in [s.stage for s in plan.steps]


def test_several_leave_one_after_the_other(running) -> None:
    world = running.defined(text("n1"))
    plan = world.plan()
    assert before(plan, ("forget", "n2"), ("leave-etcd", "n3")) or before(plan, ("forget", "n3"), ("leave-etcd", "n2"))
    assert world.carry_out(plan).plan().empty


def test_a_dead_one_is_replaced(running) -> None:
    """Its member counts for the majority until it is gone, so it goes before the new one comes."""
    running.power_cut("n3")
    world = running.defined(text("n1", "n2", "n4"))
    assert preflight(world.context()) == []
    plan = world.plan()
    assert [s for s in stages(plan, "n3") if s != "endpoint"] == ["leave-etcd", "delete-node", "forget"]
    assert before(plan, ("leave-etcd", "n3"), ("admit", "n4"))
    assert "n3" not in plan.hosts
    after = world.carry_out(plan)
    assert after.plan().empty
    assert set(after.voters) == {"n1", "n2", "n4"}


def test_a_host_that_was_installed_anew_joins_as_a_new_member(running) -> None:
    """etcd refuses a member that comes back without its data: the old one is taken out before the host joins again."""
    running.machines["n2"] = emptied(running, "n2")
    assert preflight(running.context()) == []
    plan = running.plan()
    assert before(plan, ("leave-etcd", "n2"), ("admit", "n2"))
    assert before(plan, ("delete-node", "n2"), ("admit", "n2"))
    assert before(plan, ("join", "n2"), ("label", "n2"))
    assert "start" not in [s.stage for s in plan.steps]
    assert running.carry_out(plan).plan().empty


def test_nothing_joins_while_a_member_is_down(running) -> None:
    running.power_cut("n3")
    world = running.defined(text("n1", "n2", "n3", "n4"))
    (reason,) = preflight(world.context())
    assert "n4: it cannot join while the etcd member n3 does not answer" in reason


def test_a_removal_that_would_cost_the_majority_is_refused(running) -> None:
    running.power_cut("n3")
    world = running.defined(text("n1", "n3"))
    (reason,) = preflight(world.context())
    assert "n2: its etcd member cannot be taken out" in reason
    assert "n3" in reason


def test_without_a_majority_nothing_is_started(running) -> None:
    """The worst of all: a second cluster beside the first one's data."""
    running.power_cut("n2")
    running.power_cut("n3")
    running.api = False
    world = running.defined(text("n1", "n4", "n5"))
    reasons = preflight(
        world.context(),
    )
    assert any("etcd does not answer" in reason for reason in reasons)
    assert "start" not in [s.stage for s in world.plan().steps]


def test_a_second_cluster_is_never_started_by_a_new_first_host(running) -> None:
    """The definition names a new host first: it joins, although it stands where a start would happen."""
    world = running.defined(text("n4", "n1", "n2", "n3"))
    plan = world.plan()
    assert stages(plan, "n4").count("join") == 1
    assert "start" not in [s.stage for s in plan.steps]


def test_nothing_is_disrupted_by_growth(running) -> None:
    assert running.defined(text("n1", "n2", "n3", "n4", "n5")).plan().disruption in {
        Disruption.NONE,
        Disruption.RESTART,
    }


@pytest.mark.parametrize("provider", ["KUBE_VIP", "KEEPALIVED"])
@pytest.mark.parametrize("planes", [("n1", "n2", "n3"), ("n3", "n2", "n1")], ids=["behind it", "before it"])
def test_one_host_becomes_three_behind_an_address_that_was_not_there(world, provider: str, planes) -> None:
    """Who joins comes by the address: the first one serves it, and has it in its certificate, before."""
    one = world("minimal").defined(
        text("n1").replace("network: {virtualIp: {address: 192.0.2.250, provider: KUBE_VIP}}\n", "")
    )
    alone = one.carry_out(one.plan())
    grown = alone.defined(text(*planes, provider=provider))
    assert preflight(grown.context()) == []
    plan = grown.plan()
    assert before(plan, ("endpoint", "n1"), ("configure", "n1"))
    assert step(plan, "configure", "n1").disruption is Disruption.API
    for host in ("n2", "n3"):
        assert before(plan, ("configure", "n1"), ("admit", host))
        assert before(plan, ("configure", "n1"), ("join", host))
    assert before(plan, ("configure", "n1"), ("kubeconfig", "n1")), "it is kept with the new address"
    after = grown.carry_out(plan)
    assert after.plan().empty
    assert set(after.nodes) == {"n1", "n2", "n3", "w1"}


AUDIT = "kubernetes: {audit: {rules: [{level: Metadata}]}}\n"


def test_who_joins_takes_the_settings_of_the_definition(running) -> None:
    """It takes those that the cluster has: they are brought up to date first, one at a time."""
    plan = running.defined(text("n1", "n2", "n3", "n4") + AUDIT).plan()
    for host in ("n1", "n2", "n3"):
        assert before(plan, ("spare", host), ("configure", host))
        assert before(plan, ("configure", host), ("join", "n4"))


def test_a_lost_member_is_replaced_before_another_one_is_started_anew(running) -> None:
    """Two of three are left: none of them can be spared for new settings."""
    running.power_cut("n2")
    plan = running.defined(text("n1", "n4", "n3") + AUDIT).plan()
    for host in ("n1", "n3"):
        assert before(plan, ("settle", "n4"), ("configure", host))


def test_an_address_that_the_hosts_cannot_carry_is_refused(world) -> None:
    elsewhere = world("minimal").defined(text().replace("192.0.2.250", "198.51.100.9"))
    assert any("cannot carry the virtual address 198.51.100.9" in reason for reason in preflight(elsewhere.context()))
    named = world("minimal").defined(text().replace("provider:", "interface: eth7, provider:"))
    assert any("its interface eth7 cannot carry" in reason for reason in preflight(named.context()))


def test_balancers_of_their_own(world) -> None:
    """Hosts of role BASTION carry haproxy and are no nodes."""
    definition = text("n1", "n2", provider="KEEPALIVED") + "  - {name: lb, role: BASTION, hosts: [n4, n5]}\n"
    fresh = world("minimal").defined(definition)
    assert preflight(fresh.context()) == []
    plan = fresh.plan()
    assert stages(plan, "n4") == stages(plan, "n5") == ["endpoint"]
    assert "endpoint" not in stages(plan, "n1")
    after = fresh.carry_out(plan)
    assert set(after.nodes) == {"n1", "n2", "w1"}
    assert after.plan().empty
    gone = after.carry_out(after.plan("destroy"))
    assert gone.members == {}


def test_the_example(examples: Path) -> None:
    assert "virtualIp" in (examples / "ha.yaml").read_text()


def test_a_host_that_comes_back_from_the_dead_is_wiped_before_it_joins(running) -> None:
    """It was removed while it was off. Joined over what is left on it, it would serve an API of the past."""
    running.power_cut("n2")
    without = running.defined(text("n1", "n3"))
    left = without.carry_out(without.plan())
    left.machine("n2").up = True
    again = left.defined(text("n1", "n3", "n2"))
    assert preflight(again.context()) == []
    plan = again.plan()
    assert step(plan, "wipe", "n2").disruption is Disruption.DATA
    for stage in ("prepare", "binaries", "services", "images", "join"):
        assert before(plan, ("wipe", "n2"), (stage, "n2")), "nothing that holds on it today will hold then"
    assert "register" not in stages(plan, "n2")
    assert not {"wipe", "join"} & {*stages(plan, "n1"), *stages(plan, "n3")}
    after = again.carry_out(plan)
    assert after.plan().empty
    assert sorted(after.voters) == ["n1", "n2", "n3"]


def test_a_member_that_has_moved_to_another_address_is_not_wiped(running) -> None:
    """Its name is among the members: it lives, whatever the definition says of its address."""
    moved = running.defined(text().replace("192.0.2.12}", "192.0.2.19}"))
    assert "wipe" not in {s.stage for s in moved.plan().steps}


def test_without_a_majority_nobody_is_called_a_stranger(running) -> None:
    running.power_cut("n1")
    running.power_cut("n3")
    assert "wipe" not in {s.stage for s in running.plan().steps}

"""K3s and RKE2 under the laws of the lifecycle: apply -> empty -> change -> empty -> destroy -> nothing left.

And what is theirs alone: servers that never start anew together, a first server that never begins a second cluster, one
server with SQLite that becomes three with etcd.
"""

from __future__ import annotations

import pytest
from tests.plans.reading import before, emptied, stages, step

from raijin.errors import PlanRefused
from raijin.lifecycle import restore
from raijin.lifecycle.preflight import preflight
from raijin.model.version import Version
from raijin.plan.model import Disruption, Retry
from raijin.platforms import platform_of
from raijin.platforms.base import Snapshot

pytestmark = pytest.mark.usefixtures("secrets_of_the_definition")

EXAMPLES = ("k3s", "k3s-ha", "k3s-datastore", "rke2", "rke2-ha")
HA = ("k3s-ha", "rke2-ha")
OLD = {"K3S": "v1.34.10+k3s1", "RKE2": "v1.34.10+rke2r1"}
NEW = {"K3S": "v1.36.4+k3s1", "RKE2": "v1.36.3+rke2r1"}


@pytest.fixture
def running(world):
    def make(example: str):
        fresh = world(example)
        return fresh.carry_out(fresh.plan())

    return make


@pytest.fixture
def edited(running):
    def edit(example: str, *changes: tuple[str, str]):
        return running(example).edited(example, *changes)

    return edit


def kind(world) -> str:
    return world.definition.cluster().type.value


@pytest.mark.parametrize("example", EXAMPLES)
def test_from_nothing_to_nothing(running, example: str) -> None:
    applied = running(example)
    assert preflight(applied.context()) == []
    assert applied.plan().empty
    assert set(applied.nodes) == set(applied.members)
    gone = applied.carry_out(applied.plan("destroy"))
    assert gone.members == {}
    assert all(machine == type(machine)() for machine in gone.machines.values())
    assert gone.plan("destroy").empty


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_cluster_is_started_once_and_never_again(world, running, example: str) -> None:
    plan = world(example).plan()
    assert [s.stage for s in plan.steps].count("start") == 1
    first = world(example).context().first.name
    assert before(plan, ("found", first), ("start", first)), "its tokens are known before it is"
    assert step(plan, "start", first).retry is Retry.NEVER
    applied = running(example)
    applied.machine(first).holds.clear()
    applied.api = False
    assert "start" not in [s.stage for s in applied.plan().steps]


@pytest.mark.parametrize("example", HA)
def test_servers_join_one_at_a_time_each_with_its_vote(world, example: str) -> None:
    plan = world(example).plan()
    assert before(plan, ("start", "s1"), ("join", "s2"))
    assert before(plan, ("settle", "s2"), ("join", "s3"))
    assert step(plan, "settle", "s2").action.name == "etcd.wait-member"
    assert before(plan, ("endpoint", "s1"), ("join", "a1")), "agents register at the virtual address"


@pytest.mark.parametrize("example", HA)
def test_a_setting_reaches_one_server_after_the_other(edited, example: str) -> None:
    """k3s-ansible#485: all servers were started anew together."""
    product = "k3s" if example == "k3s-ha" else "rke2"
    world = edited(example, (f"  {product}:\n", f"  {product}:\n    selinux: true\n"))
    plan = world.plan()
    for first, second in (("s1", "s2"), ("s2", "s3")):
        assert before(plan, ("configure", first), ("configure", second))
        assert before(plan, ("follow", first), ("configure", second))
    assert before(plan, ("follow", "s3"), ("configure", "a1"))
    assert {s.stage for s in plan.steps} <= {"configure", "follow", "kubeconfig", "ready", "spare"}
    assert world.carry_out(plan).plan().empty


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_a_member_runs_is_not_touched_by_the_preparation(running, example: str) -> None:
    """Else a changed file would start all servers anew at the same time."""
    context = running(example).context()
    for node in context.nodes:
        services = platform_of(context.cluster).services(context, node)
        assert {operation.kind for operation in services.operations} == {"directory"}


def test_an_agent_more_touches_nobody_else(edited) -> None:
    world = edited("k3s", ("---", "  - name: pi4\n    address: 192.0.2.33\n---"), ("[pi2, pi3]", "[pi2, pi3, pi4]"))
    plan = world.plan()
    assert {s.target for s in plan.steps} == {"pi4"}
    assert world.carry_out(plan).plan().empty


@pytest.mark.parametrize("example", HA)
def test_a_server_that_leaves_leaves_etcd_first(edited, example: str) -> None:
    world = edited(example, ("[s1, s2, s3]", "[s1, s2]"))
    plan = world.plan()
    assert before(plan, ("leave-etcd", "s3"), ("leave", "s3"))
    assert before(plan, ("drain", "s3"), ("leave-etcd", "s3"))
    after = world.carry_out(plan)
    assert sorted(after.voters) == ["s1", "s2"]
    assert after.plan().empty


@pytest.mark.parametrize("example", HA)
def test_the_first_server_may_leave_too(edited, example: str) -> None:
    world = edited(example, ("[s1, s2, s3]", "[s2, s3]"))
    after = world.carry_out(world.plan())
    assert sorted(after.voters) == ["s2", "s3"]
    assert after.plan().empty


@pytest.mark.parametrize("example", HA)
def test_without_a_majority_nobody_leaves(edited, example: str) -> None:
    world = edited(example, ("[s1, s2, s3]", "[s1, s2]"))
    world.power_cut("s2")
    assert any("cannot be taken out" in reason for reason in preflight(world.context()))
    world.power_cut("s1")
    assert any("etcd does not answer" in reason for reason in preflight(world.context()))


@pytest.mark.parametrize("example", HA)
def test_a_first_server_that_was_installed_anew_joins_the_others(running, example: str) -> None:
    """Never a second cluster beside the first."""
    world = running(example)
    world.machines["s1"] = emptied(world, "s1")
    plan = world.plan()
    assert "start" not in [s.stage for s in plan.steps]
    joining = step(plan, "join", "s1").action
    texts = [str(o.content) for o in joining.operations if o.kind == "file"]
    assert not any("cluster-init" in text for text in texts)
    assert any("192.0.2" in text for text in texts)
    assert before(plan, ("leave-etcd", "s1"), ("join", "s1"))
    assert world.carry_out(plan).plan().empty


@pytest.mark.parametrize("example", HA)
def test_an_upgrade_goes_over_every_minor_one_server_at_a_time(edited, running, example: str) -> None:
    world = running(example)
    old, new = OLD[kind(world)], NEW[kind(world)]
    world = edited(example, (old, new))
    plan = world.plan()
    build = old.partition("+")[2]
    hops = [f"v1.35.9+{build}", new]
    assert [s.stage for s in plan.steps if s.target == "s1" and s.stage.startswith("upgrade@")] == [
        f"upgrade@{hop}" for hop in hops
    ]
    for hop in hops:
        for first, second in (("s1", "s2"), ("s2", "s3")):
            assert before(plan, (f"settle@{hop}", first), (f"upgrade@{hop}", second))
    assert stages(plan, "a1").count(f"upgrade@{new}") == 1
    assert f"upgrade@{hops[0]}" not in stages(plan, "a1"), "agents may lag behind, and go there in one step"
    assert before(plan, (f"settle@{new}", "s3"), (f"drain@{new}", "a1"))
    assert before(plan, ("keep", world.definition.cluster().name), (f"upgrade@{hops[0]}", "s1"))
    after = world.carry_out(plan)
    assert {node.version for node in after.nodes.values()} == {new}
    assert after.plan().empty


def test_a_single_server_is_upgraded_and_waited_for(edited) -> None:
    world = edited("k3s", (OLD["K3S"], "v1.35.7+k3s1"))
    plan = world.plan()
    assert step(plan, "upgrade@v1.35.7+k3s1", "pi1").disruption is Disruption.API
    assert step(plan, "settle@v1.35.7+k3s1", "pi1").action.name == "kube.wait-api"
    assert world.carry_out(plan).plan().empty


def test_one_server_with_sqlite_becomes_three_with_etcd(edited) -> None:
    world = edited(
        "k3s",
        ("---", "  - name: s2\n    address: 192.0.2.36\n  - name: s3\n    address: 192.0.2.37\n---"),
        ("[pi1]", "[pi1, s2, s3]"),
    )
    assert preflight(world.context()) == []
    plan = world.plan()
    assert before(plan, ("keep", "home"), ("convert", "pi1")), "there is a way back"
    for host in ("s2", "s3"):
        assert before(plan, ("convert", "pi1"), ("admit", host))
    assert "start" not in [s.stage for s in plan.steps]
    after = world.carry_out(plan)
    assert sorted(after.voters) == ["pi1", "s2", "s3"]
    assert after.plan().empty
    alone = (("pi1", "s2", "s3"), "[pi1, s2, s3]", "[pi1]")
    back = after.defined(after_text(after, alone))
    smaller = back.carry_out(back.plan())
    assert sorted(smaller.voters) == ["pi1"], "it stays with etcd"
    assert smaller.plan().empty


def after_text(world, change) -> str:
    import yaml

    site, cluster = world.definition.site(), world.definition.cluster()
    documents = [
        d.model_dump(mode="json", by_alias=True, exclude_unset=True) | {"kind": d.kind} for d in (site, cluster)
    ]
    documents[1]["nodeGroups"][0]["hosts"] = ["pi1"]
    del change
    return yaml.safe_dump_all(documents)


def test_an_old_server_is_upgraded_before_others_join_it(edited) -> None:
    world = edited(
        "k3s",
        ("---", "  - name: s2\n    address: 192.0.2.36\n  - name: s3\n    address: 192.0.2.37\n---"),
        ("[pi1]", "[pi1, s2, s3]"),
        (OLD["K3S"], "v1.35.7+k3s1"),
    )
    assert any("upgrade it first" in reason for reason in preflight(world.context()))


@pytest.mark.parametrize("example", ["k3s", "k3s-ha", "rke2", "rke2-ha"])
def test_restored_from_a_snapshot(running, example: str) -> None:
    world = running(example)
    cluster = world.definition.cluster()
    first = world.context().first.name
    paths = platform_of(cluster).distribution
    snapshot = Snapshot(
        "one-20261127T150000Z",
        "5" * 64,
        {paths.server_token: "a", paths.agent_token_file: "b"},
        Version.parse(cluster.version),
        "20261127-160000",
        "sqlite" if example == "k3s" else "etcd",
    )
    assert restore.reasons(world.context(snapshot=snapshot)) == []
    plan = world.plan("restore", snapshot=snapshot)
    for stage in ("halt", "seed", "found"):
        assert before(plan, (stage, first), ("start", first))
    assert before(plan, ("seed", first), ("found", first)), "the tokens are those of the data"
    for node in world.context().workers:
        assert {"halt", "join", "drain"}.isdisjoint(stages(plan, node.name))
        assert before(plan, ("start", first), ("register", node.name))
    after = world.carry_out(plan)
    assert after.plan().empty
    assert sorted(after.voters) == sorted(world.voters)


def test_an_outside_datastore_is_no_business_of_backups(running, edited) -> None:
    world = running("k3s-datastore")
    with pytest.raises(PlanRefused, match="database outside"):
        world.plan("backup")
    assert any("database outside" in reason for reason in restore.reasons(world.context()))
    plan = edited("k3s-datastore", (OLD["K3S"], "v1.35.7+k3s1")).plan()
    assert "keep" not in {s.stage for s in plan.steps}


def test_no_secret_is_in_a_plan(world) -> None:
    from raijin.plan.codec import plan_to_json

    assert "geheim" not in str(plan_to_json(world("k3s-datastore").plan()))

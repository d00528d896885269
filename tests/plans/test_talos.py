"""Plans of Talos clusters: goldens with every document, the laws, and what must never be planned."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from tests.plans.reading import before, stages, step
from tests.plans.talos import talos_world
from tests.plans.test_golden import compare, told

from raijin.lifecycle.preflight import preflight
from raijin.model.version import Version
from raijin.plan.model import Plan, Retry
from raijin.platforms.base import Snapshot
from raijin.platforms.talos.look import Machine


def applied(example: str):
    fresh = talos_world(example)
    return fresh.carry_out(fresh.plan())


def documents(plan: Plan) -> str:
    """The configuration of every machine that the plan sends one to."""
    lines = []
    for item in plan.steps:
        config = getattr(item.action, "arguments", {}).get("config")
        if config:
            lines += [f"# {item.stage}/{item.target}", yaml.safe_dump_all(config, sort_keys=False)]
    return "\n".join(lines)


@pytest.mark.parametrize("occasion", ["first-apply", "no-change", "destroy", "machine-configurations"])
@pytest.mark.parametrize("example", ["talos", "talos-ha"])
def test_golden_plans(example: str, occasion: str) -> None:
    world = applied(example) if occasion in {"no-change", "destroy"} else talos_world(example)
    plan = world.plan("destroy" if occasion == "destroy" else "apply")
    text = documents(plan) if occasion == "machine-configurations" else "\n".join(told(plan)) + "\n"
    compare(f"{example}.{occasion}", text)


UPGRADE = (("version: v1.12.0", "version: v1.13.9"), ("kubernetesVersion: v1.34.1", "kubernetesVersion: v1.35.4"))
FILES = {"/talos/secrets.yaml": "restore/talos-ha/talos/secrets.yaml"}
SNAPSHOT = Snapshot("talos-ha-1", "0" * 64, FILES, Version(1, 12, 0), "20261127-120000")
OCCASIONS = {
    "upgrade": UPGRADE,
    "remove-control-plane": (("[c1, c2, c3]", "[c1, c2]"),),
    "drift": (('"512"', '"1024"'), ("ntp.example.org", "time.example.org")),
    "backup": (),
    "restore": (),
}


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_golden_plans_of_a_cluster_that_runs(occasion: str) -> None:
    world = applied("talos-ha").edited("talos-ha", *OCCASIONS[occasion])
    verb = occasion if occasion in {"backup", "restore"} else "apply"
    more = {"snapshot": SNAPSHOT} if occasion == "restore" else {}
    compare(f"talos-ha.{occasion}", "\n".join(told(world.plan(verb, **more))) + "\n")


@pytest.mark.parametrize("example", ["talos", "talos-ha"])
def test_from_nothing_to_nothing(example: str) -> None:
    world = applied(example)
    assert world.plan().empty
    assert set(world.nodes) == set(world.members) == {node.name for node in world.context().nodes}
    gone = world.carry_out(world.plan("destroy"))
    assert (gone.seen, gone.members) == ({}, {})
    assert gone.plan("destroy").empty


def test_a_cluster_is_bootstrapped_once_whatever_becomes_of_the_first_machine() -> None:
    world = applied("talos-ha")
    world.seen.pop("c1")  # its disk was changed
    plan = world.plan()
    assert "start" not in {item.stage for item in plan.steps}
    assert stages(plan, "c1")[:3] == ["leave-etcd", "delete-node", "join"]
    assert before(plan, ("leave-etcd", "c1"), ("join", "c1"))
    assert world.carry_out(plan).plan().empty


def test_a_start_is_never_retried_and_knows_the_other_control_planes() -> None:
    start = step(talos_world("talos-ha").plan(), "start", "c1")
    assert start.retry is Retry.NEVER
    assert start.action.arguments["planes"] == ["c2", "c3"]


def test_a_machine_has_the_time_that_its_firmware_takes() -> None:
    plan = talos_world("talos-ha").plan()
    assert {step(plan, "start", "c1").timeout, step(plan, "join", "c2").timeout} == {2400.0}
    assert step(plan, "join", "w1").timeout == 2400.0
    gone = applied("talos-ha").plan("destroy")
    assert step(gone, "leave", "w1").timeout == 1800.0


def test_control_planes_join_one_after_the_other() -> None:
    plan = talos_world("talos-ha").plan()
    assert before(plan, ("settle", "c2"), ("join", "c3"))
    assert not before(plan, ("settle", "c2"), ("join", "w1"))


def test_no_secret_is_in_a_plan_but_by_name() -> None:
    text = documents(talos_world("talos-ha").plan())
    assert "key: (kept) certs.etcd.key" in text
    assert "BEGIN" not in text


def test_an_upgrade_takes_one_control_plane_at_a_time_then_kubernetes_and_is_over() -> None:
    world = applied("talos-ha").edited("talos-ha", *UPGRADE)
    assert list(preflight(world.context())) == []
    plan = world.plan()
    assert before(plan, ("keep", "talos-ha"), ("upgrade@v1.13.9", "c1"))
    assert before(plan, ("settle@v1.13.9", "c1"), ("upgrade@v1.13.9", "c2"))
    assert before(plan, ("upgrade@v1.13.9", "w1"), ("advance", "talos-ha"))
    after = world.carry_out(plan)
    assert {machine.version for machine in after.seen.values()} == {"v1.13.9"}
    assert {machine.kubernetes for machine in after.seen.values()} == {"v1.35.4"}
    assert after.plan().empty


def test_kubernetes_that_the_definition_does_not_name_stays_when_talos_is_upgraded() -> None:
    world = applied("talos").edited("talos", ("v1.12.0", "v1.13.9"))
    plan = world.plan()
    assert "advance" not in {item.stage for item in plan.steps}
    assert world.carry_out(plan).plan().empty


@pytest.mark.parametrize(
    ("version", "reason"),
    [("v1.33.0", "Kubernetes cannot go back"), ("v1.36.0", "runs Kubernetes 1.30 to 1.35, not v1.36.0")],
)
def test_versions_that_are_refused(version: str, reason: str) -> None:
    world = applied("talos-ha").edited("talos-ha", ("v1.34.1", version))
    assert any(reason in text for text in preflight(world.context()))


def test_drift_is_field_by_field_and_touches_only_what_differs() -> None:
    world = applied("talos-ha").edited("talos-ha", ('"512"', '"1024"'))
    plan = world.plan()
    assert {item.target for item in plan.steps} == {"w1"}
    (change,) = step(plan, "configure", "w1").changes
    assert (change.field, change.before, change.after) == ("machine.sysctls.vm.nr_hugepages", "512", "1024")
    assert world.carry_out(plan).plan().empty


def test_what_somebody_changed_on_a_machine_is_put_back() -> None:
    world = applied("talos")
    first, *others = world.seen["t2"].config
    changed = {**first, "machine": {**first["machine"], "sysctls": {"a.b": "1"}}}
    world.seen["t2"] = replace(world.seen["t2"], config=(changed, *others))
    (change,) = step(world.plan(), "configure", "t2").changes
    assert (change.field, change.before, change.after) == ("machine.sysctls", "{'a.b': '1'}", "absent")


def test_a_machine_of_somebody_else_is_refused() -> None:
    world = talos_world("talos")
    world.seen["t2"] = Machine(foreign=True)
    assert any(text.startswith("t2: it already runs Talos") for text in preflight(world.context()))


def test_the_last_majority_is_not_given_away() -> None:
    world = applied("talos-ha")
    world.power_cut("c2")
    world = world.edited("talos-ha", ("[c1, c2, c3]", "[c1, c2]"))
    assert any("c3: its etcd member cannot be taken out" in text for text in preflight(world.context()))


def test_a_dead_worker_is_removed_without_asking_it() -> None:
    world = applied("talos").edited("talos", ("[t2, t3]", "[t2]"))
    world.power_cut("t3")
    plan = world.plan()
    assert stages(plan, "t3") == ["delete-node", "forget"]
    assert world.carry_out(plan).plan().empty

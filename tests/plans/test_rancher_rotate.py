"""The authorities of K3s and RKE2 under the same laws as kubeadm's: loaded once, servers one at a time, then agents."""

from __future__ import annotations

import copy
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.plans.conftest import World
from tests.plans.reading import before, step

from raijin.lifecycle import rotate
from raijin.lifecycle.preflight import preflight
from raijin.operations.command import Command
from raijin.operations.credential import Credential
from raijin.plan.model import Plan
from raijin.platforms.turns import MARKER, Asked

pytestmark = pytest.mark.usefixtures("secrets_of_the_definition")

EXAMPLES = ("k3s", "k3s-ha", "k3s-datastore", "rke2", "rke2-ha")
HA = ("k3s-ha", "rke2-ha")


@pytest.fixture(scope="module")
def made() -> dict[str, World]:
    return {}


@pytest.fixture
def running(world, made):
    def make(example: str) -> World:
        if example not in made:
            fresh = world(example)
            made[example] = fresh.carry_out(fresh.plan())
        return copy.deepcopy(made[example])

    return make


def turn(plan: Plan, stage: str) -> list[str]:
    return [s.target for s in plan.steps if s.stage == stage]


def servers(world: World) -> list[str]:
    return [node.name for node in world.context().control_planes]


def product(world: World) -> str:
    return "rke2" if "rke2" in str(world.definition.cluster().version) else "k3s"


def left(world: World) -> list[str]:
    """Servers whose certificates the old root signed, hosts that know no new one, and anything of a rotation."""
    found, tls = [*world.kept], f"/var/lib/rancher/{product(world)}/server/tls"
    for name, machine in world.machines.items():
        if name not in world.nodes:
            continue
        plane = name in servers(world)
        bundle = f"{tls}/server-ca.crt" if plane else f"/var/lib/rancher/{product(world)}/agent/server-ca.crt"
        if not any(key.startswith("new") for key in machine.bundles.get(bundle, ())):
            found.append(f"{name} {bundle}")
        if plane and not machine.signers.get(f"{tls}/serving-kube-apiserver.crt", "").startswith("new"):
            found.append(f"{name} serving")
        found += [f"{name} {marker}" for marker in machine.markers if marker.startswith(MARKER)]
        found += [f"{name} {path}" for path in machine.bundles if "rotate-ca" in path]
    return found


def argvs(plan: Plan, stage: str, host: str) -> list[tuple[str, ...]]:
    return [tuple(map(str, o.argv)) for o in step(plan, stage, host).action.operations if isinstance(o, Command)]


@pytest.mark.parametrize("example", EXAMPLES)
def test_everybody_takes_them_up_and_nothing_of_the_rotation_stays(running, example: str) -> None:
    world = running(example)
    assert rotate.reasons(world.context()) == []
    plan = world.plan("rotate-ca")
    assert sorted(turn(plan, "trust")) == sorted(world.nodes)
    assert turn(plan, "sign") == servers(world), "agents are given new certificates each time that they start"
    assert not turn(plan, "forget"), "the distribution keeps the old root in the bundle"
    after = world.carry_out(plan)
    assert left(after) == []
    assert after.plan().empty


@pytest.mark.parametrize("example", HA)
def test_they_are_loaded_once_and_each_server_is_back_before_the_next_one(running, example: str) -> None:
    world = running(example)
    plan, planes = world.plan("rotate-ca"), servers(world)
    loads = [host for host in turn(plan, "trust") if any("rotate-ca" in argv for argv in argvs(plan, "trust", host))]
    assert loads == planes[:1]
    folder = f"--path=/var/lib/rancher/{product(world)}/server/rotate-ca"
    assert any(argv[1:] == ("certificate", "rotate-ca", folder) for argv in argvs(plan, "trust", planes[0]))
    for stage, done in (("trust", "trusted"), ("sign", "signed")):
        for ahead, then in pairwise(planes):
            assert before(plan, (done, ahead), (stage, then))
    workers = [name for name in world.nodes if name not in planes]
    for worker in workers:
        assert before(plan, ("trusted", planes[-1]), ("trust", worker))
        assert before(plan, ("trusted", worker), ("sign", planes[0]))


@pytest.mark.parametrize("example", HA)
def test_each_other_host_is_given_its_token_before_it_starts_again(running, example: str) -> None:
    """The token holds the hash of the root: with the old one a host would not join again."""
    world = running(example)
    plan, first = world.plan("rotate-ca"), servers(world)[0]
    for host in (name for name in world.nodes if name != first):
        assert step(plan, "readmit", host).action.name == "rancher.admit"
        assert before(plan, ("trusted", first), ("readmit", host))
        assert before(plan, ("readmit", host), ("trust", host))
        operations = step(plan, "trust", host).action.operations
        (token,) = (n for n, o in enumerate(operations) if isinstance(o, Credential))
        restart = next(n for n, o in enumerate(operations) if isinstance(o, Command) and "restart" in o.argv)
        assert token < restart
        assert step(plan, "discard", host).action.name == "rancher.revoke"
    assert "readmit" not in {s.stage for s in plan.steps if s.target == first}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_killed_anywhere_it_goes_on(running, data) -> None:
    world = running("k3s-ha")
    for _ in range(2):
        plan = world.plan("rotate-ca")
        steps = data.draw(st.integers(0, len(plan.steps)))
        for one in plan.steps[:steps]:
            world.do(one, plan.cluster)
        if not left(world):
            break
    if left(world):
        world = world.carry_out(world.plan("rotate-ca"))
    assert left(world) == []
    keys = {
        key for m in world.machines.values() for keys in m.bundles.values() for key in keys if key.startswith("new")
    }
    assert len({key for key in keys if key.split()[1] == "server"}) == 1, "a second rotation was begun"


def test_one_authority_alone_is_not_replaced(running) -> None:
    world = running("k3s")
    assert "replaces all authorities at once" in rotate.reasons(world.context(asked=Asked(("server",))))[0]


def test_in_the_middle_nothing_joins(running) -> None:
    world = running("k3s-ha")
    plan = world.plan("rotate-ca")
    for one in plan.steps[:4]:
        world.do(one, plan.cluster)
    assert "are being replaced" in preflight(world.context())[0]

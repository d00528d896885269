"""Certificates of K3s and RKE2 under the same laws as kubeadm's: renewed in time, one server at a time, then agents."""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.plans.conftest import DAY, World
from tests.plans.reading import before, one_at_a_time, step

from raijin.lifecycle import renew
from raijin.lifecycle.preflight import preflight
from raijin.operations.command import Command
from raijin.operations.staticpod import StaticPod
from raijin.plan.model import Disruption, Plan
from raijin.platforms import platform_of
from raijin.platforms.rancher.certificates import RancherCertificates
from raijin.platforms.renewal import BEGUN, Keeper, require

pytestmark = pytest.mark.usefixtures("secrets_of_the_definition")

EXAMPLES = ("k3s", "k3s-ha", "k3s-datastore", "rke2", "rke2-ha")
HA = ("k3s-ha", "rke2-ha")
SERVERS = ("s1", "s2", "s3")


@pytest.fixture
def running(world):
    made: dict[str, World] = {}

    def make(example: str) -> World:
        if example not in made:
            fresh = world(example)
            made[example] = fresh.carry_out(fresh.plan())
        return copy.deepcopy(made[example])

    return make


def care(world: World) -> RancherCertificates:
    found = require(world.definition.cluster())
    assert isinstance(found, RancherCertificates)
    return found


def later(world: World, days: float) -> World:
    """The same cluster so many days later; what renews itself has done so."""
    other = copy.deepcopy(world)
    other.at += days * DAY
    for machine in other.machines.values():
        own = care(world).by_itself & machine.certificates.keys()
        machine.certificates |= dict.fromkeys(own, (other.at - DAY, other.at + 364 * DAY))
    return other


def renewed(plan: Plan) -> list[str]:
    return [s.target for s in plan.steps if s.stage == "renew"]


@pytest.mark.parametrize("example", EXAMPLES)
def test_nothing_is_renewed_before_its_time_and_all_of_it_then(running, example: str) -> None:
    world = running(example)
    assert later(world, 270).plan().empty
    due = later(world, 276)
    plan = due.plan()
    assert sorted(renewed(plan)) == sorted(due.nodes)
    assert {s.stage for s in plan.steps} <= {"renew", "renewed", "kubeconfig", "follow", "rollout", "ready", "spare"}
    assert due.carry_out(plan).plan().empty


@pytest.mark.parametrize("example", HA)
def test_one_server_at_a_time_with_etcd_in_step_between_then_agents(running, example: str) -> None:
    plan = later(running(example), 300).plan()
    for done, then in (("s1", "s2"), ("s2", "s3")):
        assert before(plan, ("renewed", done), ("renew", then))
    assert step(plan, "renewed", "s1").action.name == "etcd.wait-member"
    for agent in ("a1", "a2"):
        assert before(plan, ("renewed", "s3"), ("renew", agent)), "a server signs what an agent asks for"
    assert before(plan, ("renew", "s1"), ("kubeconfig", "s1")), "the kept kubeconfig would expire"
    assert plan.disruption is Disruption.RESTART


def test_servers_with_a_database_outside_wait_for_each_others_api(running) -> None:
    plan = later(running("k3s-datastore"), 300).plan()
    servers = [name for name in renewed(plan) if (("renewed", name) in {(s.stage, s.target) for s in plan.steps})]
    assert len(servers) == 2
    assert before(plan, ("renewed", servers[0]), ("renew", servers[1]))
    assert step(plan, "renewed", servers[0]).action.name == "kube.wait-api"


def test_a_single_server_says_that_its_api_is_away(running) -> None:
    assert later(running("k3s"), 300).plan().disruption is Disruption.API


@pytest.mark.parametrize(("example", "product"), [("k3s", "k3s"), ("rke2", "rke2")])
def test_the_program_is_stopped_rotated_and_started(running, example: str, product: str) -> None:
    """docs.k3s.io and docs.rke2.io: stop, `certificate rotate`, start."""
    world = later(running(example), 300)
    name = renewed(world.plan())[0]
    (command,) = (
        o
        for o in step(world.plan(), "renew", name).action.operations
        if isinstance(o, Command) and o.argv[:2] == ("sh", "-c")
    )
    script, unit, program = command.argv[2:]
    assert (unit, program) == (care(world).distribution.server_unit, f"/usr/local/bin/{product}")
    text = str(script)
    assert text.index("systemctl stop") < text.index("certificate rotate") < text.index("systemctl start")
    assert command.timeout > care(world).distribution.start_seconds


@pytest.mark.parametrize(
    ("example", "crictl"),
    [("k3s-ha", "/var/lib/rancher/k3s/data/current/bin/crictl"), ("rke2-ha", "/var/lib/rancher/rke2/bin/crictl")],
)
def test_kube_vip_takes_up_the_new_kubeconfig(running, example: str, crictl: str) -> None:
    """Else it goes on with the old certificate until that ends, on all servers at the same time: no address, no API."""
    world = later(running(example), 300)
    plan = world.plan()
    operations = step(plan, "renew", "s2").action.operations
    (pod,) = (o for o in operations if isinstance(o, StaticPod))
    assert (pod.name, pod.watches, pod.crictl) == ("kube-vip", (care(world).distribution.kubeconfig,), crictl)
    kinds = [o.kind for o in operations]
    assert kinds.index("staticpod") > max(n for n, kind in enumerate(kinds) if kind == "wait"), "its file is there then"
    assert not any(isinstance(o, StaticPod) for o in step(plan, "renew", "a1").action.operations)
    context = running(example).context()
    configure = platform_of(context.cluster).configure(context, context.first, outdated=False)
    assert any(isinstance(o, StaticPod) for o in configure.operations), "each start writes it anew"


def test_without_kube_vip_there_is_no_such_pod(running) -> None:
    operations = step(later(running("k3s"), 300).plan(), "renew", "pi1").action.operations
    assert not any(isinstance(o, StaticPod) for o in operations)


@pytest.mark.parametrize("example", HA)
def test_what_was_begun_is_brought_to_its_end(running, example: str) -> None:
    """Killed while the program was stopped, and planned anew: it is started, and its certificates are made then."""
    world = running(example)
    world.machine("s2").markers.add(BEGUN)
    plan = world.plan()
    assert renewed(plan) == ["s2"]
    operations = step(plan, "renew", "s2").action.operations
    assert not any("rotate" in str(getattr(o, "argv", "")) for o in operations)
    assert any(o.kind == "unit" for o in operations)
    assert world.carry_out(plan).plan().empty


@pytest.mark.parametrize("example", HA)
def test_a_dead_member_keeps_the_others_from_being_stopped(running, example: str) -> None:
    world = later(running(example), 300)
    world.power_cut("s3")
    assert not set(SERVERS) & set(renewed(world.plan()))
    (note,) = renew.notes(world.context())
    assert "can lose no member while s3 does not answer" in note


@pytest.mark.parametrize("example", HA)
def test_expired_ones_are_mended_without_an_api(running, example: str) -> None:
    world = running(example)
    for name in SERVERS:
        machine = world.machine(name)
        old = care(world).renewed & machine.certificates.keys()
        machine.certificates |= dict.fromkeys(old, (world.at - 400 * DAY, world.at - 35 * DAY))

    class Mute(World):
        def etcd(self, context):
            return None

    world.__class__, world.api = Mute, False
    assert preflight(world.context()) == []
    plan = world.plan()
    assert set(renewed(plan)) == set(SERVERS)
    assert not before(plan, ("renew", "s1"), ("renew", "s2")), "no member votes before there is a majority"


@pytest.mark.parametrize("example", HA)
def test_an_agent_that_was_away_for_too_long_needs_no_readmission(running, example: str) -> None:
    """It is let in by its token, and a server signs for it anew."""
    world = running(example)
    machine = world.machine("a2")
    machine.certificates = dict.fromkeys(machine.certificates, (world.at - 400 * DAY, world.at - 35 * DAY))
    plan = world.plan()
    assert {(s.stage, s.target) for s in plan.steps} <= {("renew", "a2"), ("ready", "a2")}
    assert world.carry_out(plan).plan().empty


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_the_rotation_does_not_touch_makes_no_plan_for_ever(running, example: str) -> None:
    """Else each apply would stop the servers again: the authorities, and what renews itself."""
    world = running(example)
    for machine in world.machines.values():
        untouched = (care(world).by_itself | care(world).authorities) & machine.certificates.keys()
        machine.certificates |= dict.fromkeys(untouched, (world.at - 300 * DAY, world.at + 10 * DAY))
    assert world.plan().empty


def test_everything_that_lies_there_has_a_keeper_or_is_a_copy(running) -> None:
    world = running("k3s-ha")
    own = care(world)
    found = {path: own.keeper(certificate) for node in world.context().nodes for certificate in node.facts.certificates
             for path in (certificate.path,)}  # fmt: skip
    assert set(found.values()) == {Keeper.RAIJIN, Keeper.ITSELF, Keeper.AUTHORITY}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=12)
@given(
    example=st.sampled_from(HA),
    left=st.lists(st.integers(-30, 364), min_size=5, max_size=5),
    begun=st.sets(st.sampled_from(SERVERS)),
)
def test_laws(running, example: str, left: list[int], begun: set[str]) -> None:
    """Whatever is left of whose certificates: never two servers at once while etcd votes; then it is done."""
    world = running(example)
    names = (*SERVERS, "a1", "a2")
    for name, days in zip(names, left, strict=True):
        machine = world.machine(name)
        own = care(world).renewed & machine.certificates.keys()
        machine.certificates |= dict.fromkeys(own, (world.at + (days - 365) * DAY, world.at + days * DAY))
        if name in begun:
            machine.markers.add(BEGUN)
    plan = world.plan()
    touched = [name for name in renewed(plan) if name in SERVERS]
    assert one_at_a_time(plan, "renew", touched)
    due = {name for name, days in zip(names, left, strict=True) if days < 90 or name in begun}
    assert set(renewed(plan)) == due
    assert world.carry_out(plan).plan().empty

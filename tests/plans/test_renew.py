"""Certificates: renewed before they expire, one control plane at a time; mended when they have expired."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.plans.conftest import DAY, World
from tests.plans.reading import before, one_at_a_time, stages, step
from tests.plans.test_upgrade import NEW, OLD, text

from raijin.errors import Unsupported
from raijin.facts.certificates import Certificate
from raijin.lifecycle import renew
from raijin.lifecycle.preflight import preflight
from raijin.model.cluster import ClusterType
from raijin.operations.staticpod import StaticPod
from raijin.plan.model import Disruption, Plan
from raijin.platforms.kubeadm.certificates import AUTHORITIES, KUBELET_CLIENT, KUBELET_SERVER, RENEWED
from raijin.platforms.renewal import BEGUN, certificates_of

PLANES = ("n1", "n2", "n3")


@pytest.fixture
def running(world):
    made: dict[int, World] = {}

    def make(planes: int = 3) -> World:
        if planes not in made:
            fresh = world("minimal").defined(text(OLD, planes=planes, workers=2))
            made[planes] = fresh.carry_out(fresh.plan())
        return copy.deepcopy(made[planes])

    return make


def later(world: World, days: float) -> World:
    """The same cluster so many days later; its kubelets have renewed their own certificates meanwhile."""
    other = copy.deepcopy(world)
    other.at += days * DAY
    for machine in other.machines.values():
        if KUBELET_CLIENT in machine.certificates:
            machine.certificates[KUBELET_CLIENT] = (other.at - DAY, other.at + 364 * DAY)
    return other


def renewed(plan: Plan) -> list[str]:
    return [s.target for s in plan.steps if s.stage == "renew"]


def expire(world: World, *names: str, paths=(*RENEWED, KUBELET_CLIENT)) -> None:
    for name in names:
        machine = world.machine(name)
        old = {p: (world.at - 400 * DAY, world.at - 35 * DAY) for p in paths if p in machine.certificates}
        machine.certificates |= old


def mute(world: World) -> World:
    """No API server and no etcd member answers any more."""

    class Mute(World):
        def etcd(self, context):
            return None

    world.__class__ = Mute
    world.api = False
    return world


def talking(world: World) -> World:
    world.__class__ = World
    world.api = True
    return world


def test_nothing_is_renewed_before_its_time(running) -> None:
    assert later(running(), 270).plan().empty
    assert renewed(later(running(), 276).plan()) == [*PLANES, "w1", "w2"]


def test_one_control_plane_at_a_time_with_etcd_in_step_between(running) -> None:
    world = later(running(), 300)
    plan = world.plan()
    waits = {"follow", "rollout", "ready"}
    assert {s.stage for s in plan.steps} - waits == {"renew", "renewed", "kubeconfig"}
    for done, then in (("n1", "n2"), ("n2", "n3")):
        assert before(plan, ("renewed", done), ("renew", then))
    assert step(plan, "renewed", "n1").action.name == "etcd.wait-member"
    assert before(plan, ("renew", "n1"), ("kubeconfig", "n1")), "the kept kubeconfig would expire"
    assert before(plan, ("renewed", "n3"), ("renew", "w1"))
    assert plan.disruption is Disruption.RESTART
    assert world.carry_out(plan).plan().empty


def test_the_plan_says_what_changes_field_by_field(running) -> None:
    plan = later(running(), 300).plan()
    changes = {c.thing: (c.field, c.before, c.after) for c in step(plan, "renew", "n2").changes}
    assert changes["certificate /etc/kubernetes/pki/apiserver.crt"] == ("expires", "2028-01-15", "in 365 days")
    assert {f"certificate {path}" for path in (*RENEWED, KUBELET_SERVER)} <= set(changes)
    assert not {f"certificate {path}" for path in AUTHORITIES} & set(changes)


def test_what_has_read_them_is_started_again_etcd_first(running) -> None:
    world = later(running(), 300)
    manifests = [f"/etc/kubernetes/manifests/{name}.yaml" for name in ("kube-vip", "kube-apiserver", "etcd")]
    world.machine("n1").files |= set(manifests)
    pods = [o.name for o in step(world.plan(), "renew", "n1").action.operations if isinstance(o, StaticPod)]
    assert pods == ["etcd", "kube-apiserver", "kube-vip"]


def test_only_one_host_is_due(running) -> None:
    world = running()
    world.machine("n2").certificates |= dict.fromkeys(RENEWED, (world.at - 300 * DAY, world.at + 60 * DAY))
    plan = world.plan()
    assert renewed(plan) == ["n2"]
    assert world.carry_out(plan).plan().empty


def test_what_was_begun_is_brought_to_its_end(running) -> None:
    """Killed between the new certificates and the restart, and planned anew: what runs still holds the old ones."""
    world = running()
    world.machine("n2").markers.add(BEGUN)
    plan = world.plan()
    assert renewed(plan) == ["n2"]
    argvs = [getattr(o, "argv", ()) for o in step(plan, "renew", "n2").action.operations]
    assert ("kubeadm", "certs", "renew") not in {argv[:3] for argv in argvs}
    assert world.carry_out(plan).plan().empty


def test_all_at_once_only_when_there_is_nothing_left_to_lose(running) -> None:
    world = mute(running())
    expire(world, "n1", "n2")
    assert preflight(world.context()) == []
    plan = world.plan()
    assert set(renewed(plan)) == {"n1", "n2"}
    assert not before(plan, ("renew", "n1"), ("renew", "n2"))
    for name in ("n1", "n2"):
        assert before(plan, ("renew", "n2"), ("renewed", name)), "no member votes before there is a majority"
        assert before(plan, ("readmit", name), ("renew", name)), "without its kubelet no static pod comes back"
        assert "discard" in stages(plan, name)
    assert plan.disruption is Disruption.API
    after = talking(world.carry_out(plan))
    assert after.plan().empty


def test_one_expired_host_is_mended_alone_and_first(running) -> None:
    """Its member is sick because of it: the others are due too, and wait until it votes again."""

    class Sick(World):
        def alive(self, name: str) -> bool:
            return name != "n3" and super().alive(name)

    world = later(running(), 300)
    expire(world, "n3")
    world.__class__ = Sick
    plan = world.plan()
    assert renewed(plan)[0] == "n3"
    assert before(plan, ("renewed", "n3"), ("renew", "n1"))
    assert before(plan, ("renewed", "n1"), ("renew", "n2"))


def test_a_dead_member_keeps_the_others_from_being_stopped(running) -> None:
    world = later(running(), 300)
    world.power_cut("n3")
    assert not {"n1", "n2"} & set(renewed(world.plan()))
    (note,) = renew.notes(world.context())
    assert "can lose no member while n3 does not answer" in note
    assert "can lose no member" in renew.reasons(world.context())[0]


def test_without_an_answer_of_etcd_nobody_is_stopped(running) -> None:
    world = mute(later(running(), 300))
    assert renewed(world.plan()) == []
    assert "etcd does not answer" in next(iter(renew.notes(world.context())))
    assert "etcd does not answer" in renew.reasons(world.context())[0]


def test_a_kubelet_that_was_away_for_too_long_is_let_in_again(running) -> None:
    world = running()
    expire(world, "w2", paths=(KUBELET_CLIENT,))
    plan = world.plan()
    assert stages(plan, "w2") == ["readmit", "renew", "discard", "ready"]
    assert step(plan, "readmit", "w2").action.arguments == {"door": "n1"}
    assert {s.target for s in plan.steps} == {"w2"}
    assert world.carry_out(plan).plan().empty


def test_the_verb_renews_all_now(running) -> None:
    world = running()
    plan = world.plan("renew")
    assert renewed(plan) == [*PLANES, "w1", "w2"]
    assert before(plan, ("renewed", "n2"), ("renew", "n3"))
    assert before(plan, ("renew", "n1"), ("kubeconfig", "n1"))
    assert {s.stage for s in plan.steps} == {"renew", "renewed", "kubeconfig", "ready"}
    after = later(world, 1).carry_out(plan)
    assert after.plan().empty
    assert renewed(after.plan("renew")) == [*PLANES, "w1", "w2"], "now is now"


def test_a_renewal_and_an_upgrade_and_new_hosts_never_stop_two_at_once(running) -> None:
    world = later(running(), 300).defined(text(NEW, planes=5))
    plan = world.plan()
    for plane in PLANES:
        assert before(plan, ("renewed", "n3"), (f"drain@{NEW}", plane))
    for fresh in ("n4", "n5"):
        assert before(plan, ("renewed", "n3"), ("join", fresh))


def test_an_authority_that_ends_is_told(running) -> None:
    world = running()
    world.machine("n1").certificates[AUTHORITIES[0]] = (world.at - 3600 * DAY, world.at + 50 * DAY)
    (note,) = renew.notes(world.context())
    assert "50 days left" in note
    assert world.plan().empty


def test_the_threshold_is_the_policys(running) -> None:
    world = later(running(), 300).defined(
        text(OLD, workers=2).replace("maxUnavailable: 1", "maxUnavailable: 1, renewCertificatesBelow: 30d")
    )
    assert world.plan().empty
    assert later(world, 40).plan().steps


def test_other_distributions_say_that_they_are_not_served(running) -> None:
    context = running().context()
    foreign = replace(context, cluster=context.cluster.model_copy(update={"type": ClusterType.OKD}))
    assert certificates_of(foreign.cluster) is None
    with pytest.raises(Unsupported, match="does not look after the certificates of OKD"):
        renew.reasons(foreign)
    with pytest.raises(Unsupported) as told:
        renew.reasons(foreign)
    assert "OKD renews them itself" in (told.value.remedy or "")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=12)
@given(
    planes=st.sampled_from([1, 3]),
    left=st.lists(st.integers(-30, 364), min_size=7, max_size=7),
    begun=st.sets(st.sampled_from(["n1", "n2", "n3"])),
)
def test_laws(running, planes: int, left: list[int], begun: set[str]) -> None:
    """Whatever is left of whose certificates: never two control planes at once while etcd votes; then it is done."""
    world = running(planes)
    names = [f"n{i + 1}" for i in range(planes)]
    for name, days in zip([*names, "w1", "w2"], left, strict=False):
        machine = world.machine(name)
        life = (world.at + (days - 365) * DAY, world.at + days * DAY)
        machine.certificates |= {path: life for path in (*RENEWED, KUBELET_CLIENT) if path in machine.certificates}
        if name in begun and name in names:
            machine.markers.add(BEGUN)
    plan = world.plan()
    touched = [name for name in renewed(plan) if name in names]
    assert one_at_a_time(plan, "renew", touched)
    due = {
        name
        for name, days in zip([*names, "w1", "w2"], left, strict=False)
        if (days < 90 and name in names) or days <= 0 or (name in begun and name in names)
    }
    assert set(renewed(plan)) == due
    assert world.carry_out(plan).plan().empty


def test_a_certificate_that_cannot_be_read_is_no_reason_to_renew() -> None:
    assert not Certificate("/etc/kubernetes/pki/apiserver.crt", fault="cut short").is_due(0, float("inf"))

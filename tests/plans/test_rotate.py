"""Authorities replaced while the cluster runs: in turns, one control plane at a time, gone on with from anywhere."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.plans.conftest import World, authority_of
from tests.plans.reading import before, stages, step
from tests.plans.test_restore import SNAPSHOT
from tests.plans.test_upgrade import NEW, OLD, text

from raijin.facts.base import Unknown
from raijin.lifecycle import renew, rotate
from raijin.lifecycle.preflight import preflight
from raijin.operations.command import Command
from raijin.operations.credential import Credential
from raijin.operations.staticpod import StaticPod
from raijin.plan.codec import plan_to_json
from raijin.plan.model import Disruption, Plan
from raijin.platforms.kubeadm.certificates import AUTHORITIES, KUBELET_CLIENT, RENEWED
from raijin.platforms.kubeadm.paths import KUBELET_CONF, ROTATION
from raijin.platforms.kubeadm.rotation import SIGNING
from raijin.platforms.turns import MARKER, Asked

PLANES, WORKERS = ("n1", "n2", "n3"), ("w1", "w2")
TURNS = (("trust", "trusted"), ("sign", "signed"), ("forget", "forgotten"))
ONLY_ETCD = Asked(authorities=("etcd",))


@pytest.fixture(scope="module")
def made() -> dict[int, World]:
    return {}


@pytest.fixture
def running(world, made):
    def make(planes: int = 3) -> World:
        if planes not in made:
            fresh = world("minimal").defined(text(OLD, planes=planes, workers=2))
            made[planes] = fresh.carry_out(fresh.plan())
            for name in PLANES[:planes]:  # as kubeadm makes them
                files = [f"/etc/kubernetes/manifests/{pod}.yaml" for pod in ("etcd", "kube-apiserver")]
                made[planes].machine(name).files |= {*files, "/etc/kubernetes/manifests/kube-controller-manager.yaml"}
                made[planes].machine(name).signers |= {path: f"old {authority_of(path)}" for path in RENEWED}
            for name in (*PLANES[:planes], *WORKERS):
                made[planes].machine(name).signers[KUBELET_CLIENT] = f"old {AUTHORITIES[0]}"
        return copy.deepcopy(made[planes])

    return make


def turn(plan: Plan, stage: str) -> list[str]:
    return [s.target for s in plan.steps if s.stage == stage]


def traces(world: World, of: tuple[str, ...] = AUTHORITIES) -> list[str]:
    """Where an old authority is, or something that it signed, or anything of a rotation."""
    found = [f"kept: {rotation}" for rotation in world.kept]
    for name, machine in world.machines.items():
        paths = [path for path in of if path in machine.certificates]
        found += [f"{name} {path}" for path in paths if any(k.startswith("old") for k in machine.authorities(path))]
        signed = [path for path, key in machine.signers.items() if key.startswith("old") and authority_of(path) in of]
        found += [f"{name} {path}" for path in signed]
        found += [f"{name} {path}" for path in machine.bundles if path.startswith(ROTATION)]
        found += [f"{name} {marker}" for marker in machine.markers if marker.startswith(MARKER)]
    return found


def cut(world: World, plan: Plan, steps: int, operations: int = 0) -> World:
    """The world when a run was killed after so many steps, and so many operations of the next one."""
    after = copy.deepcopy(world)
    for one in plan.steps[:steps]:
        after.do(one, plan.cluster)
    if steps < len(plan.steps) and hasattr(plan.steps[steps].action, "operations"):
        after.keep_keys(after.machine(plan.steps[steps].target), plan.steps[steps].action.operations[:operations])
    return after


def test_three_turns_each_over_on_every_host_before_the_next(running) -> None:
    world = running()
    plan = world.plan("rotate-ca")
    for stage, done in TURNS:
        assert turn(plan, stage) == [*PLANES, *WORKERS]
        for ahead, then in (("n1", "n2"), ("n2", "n3")):
            assert before(plan, (done, ahead), (stage, then)), "two control planes at once"
        assert step(plan, done, "n1").action.name == "etcd.wait-member"
        assert step(plan, done, "w1").action.name == "kube.wait-node"
        assert before(plan, (done, "n3"), (stage, "w1"))
    for (_, done), (then, _) in (TURNS[:2], TURNS[1:]):
        for host in (*PLANES, *WORKERS):
            assert before(plan, (done, host), (then, "n1")), f"{host} would meet what it does not trust"
    assert before(plan, ("authorities", "up"), ("trust", "n1"))
    assert plan.disruption is Disruption.RESTART


def test_pods_are_told_and_started_anew_before_anything_is_signed_anew(running) -> None:
    plan = running().plan("rotate-ca")
    assert before(plan, ("trusted", "w2"), ("publish@trust", "up"))
    assert before(plan, ("publish@trust", "up"), ("restart@trust", "up"))
    assert before(plan, ("restart@trust", "up"), ("sign", "n1"))
    assert before(plan, ("kubeconfig@sign", "n1"), ("forget", "n1")), "the kept kubeconfig would be refused"
    assert step(plan, "restart@trust", "up").action.arguments["namespaces"][0] == "kube-system"
    every = running().plan("rotate-ca", asked=Asked(workloads=True))
    assert step(every, "restart@trust", "up").action.arguments["namespaces"] == []


def test_nothing_of_the_old_authorities_is_left_and_the_next_plan_is_empty(running) -> None:
    world = running()
    assert len(traces(world)) > 20
    after = world.carry_out(world.plan("rotate-ca"))
    assert traces(after) == []
    assert after.plan().empty
    assert rotate.reasons(after.context()) == []
    again = after.plan("rotate-ca")
    assert turn(again, "trust") == [*PLANES, *WORKERS], "now is another time"
    assert step(again, "authorities", "up").action != step(world.plan("rotate-ca"), "authorities", "up").action


def test_only_what_concerns_an_authority_is_touched(running) -> None:
    world = running()
    plan = world.plan("rotate-ca", asked=ONLY_ETCD)
    assert {s.target for s in plan.steps} == {*PLANES, "up"}
    assert not {"restart@trust", "restart@forget", "readmit"} & {s.stage for s in plan.steps}
    credentials = {o.path for s in plan.steps for o in getattr(s.action, "operations", ()) if isinstance(o, Credential)}
    assert "/etc/kubernetes/pki/ca.crt" not in credentials
    after = world.carry_out(plan)
    assert traces(after, AUTHORITIES[1:2]) == []
    assert after.machine("n1").authorities(AUTHORITIES[0]) == (f"old {AUTHORITIES[0]}",)


def test_the_controller_manager_never_signs_with_a_bundle(running) -> None:
    """It refuses one: so it has a file of its own as long as there are two in ca.crt."""
    plan = running().plan("rotate-ca")
    for stage, where in (("trust", SIGNING), ("sign", SIGNING), ("forget", AUTHORITIES[0])):
        operations = step(plan, stage, "n1").action.operations
        points = [o for o in operations if isinstance(o, Command) and "cluster-signing-cert-file" in str(o.argv)]
        assert [o.argv[4] for o in points] == [where]
        (bundle,) = (o for o in operations if isinstance(o, Credential) and o.path == AUTHORITIES[0])
        order = [operations.index(points[0]), operations.index(bundle)]
        assert order == sorted(order, reverse=stage == "forget")


def test_what_reads_them_at_its_start_is_started_anew_on_each_turn(running) -> None:
    plan = running().plan("rotate-ca")
    for stage, _ in TURNS:
        pods = [o.name for o in step(plan, stage, "n2").action.operations if isinstance(o, StaticPod)]
        assert pods == ["etcd", "kube-apiserver", "kube-controller-manager"]
    assert stages(plan, "w1")[:6] == ["trust", "trusted", "readmit", "sign", "discard", "signed"]


def test_no_key_is_in_the_plan(running) -> None:
    assert "-----BEGIN" not in str(plan_to_json(running().plan("rotate-ca")))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_killed_anywhere_it_goes_on_and_never_begins_another_one(running, data) -> None:
    world = running()
    first = world.plan("rotate-ca")
    new = set()
    for _ in range(data.draw(st.integers(1, 3))):
        plan = world.plan("rotate-ca")
        world = cut(world, plan, data.draw(st.integers(0, len(plan.steps))), data.draw(st.integers(0, 12)))
        if data.draw(st.booleans()) and any(m.startswith(MARKER) for m in world.machine("n1").markers):
            world.kept = {}  # another RAIJIN_HOME goes on: what it needs waits on the hosts
        new |= {key for keys in world.kept.values() for key in keys.values()}
        if not traces(world):
            break
        trusted = {host: world.machine(host).authorities(AUTHORITIES[0]) for host in (*PLANES, *WORKERS)}
        signed = {m.signers[path] for m in world.machines.values() for path in m.signers if "etcd" not in path}
        signed = {key for key in signed if "front" not in key and "etcd" not in key}
        for host, keys in trusted.items():
            assert signed <= {*keys}, f"{host} meets somebody whom it does not trust"
    if traces(world):
        world = world.carry_out(world.plan("rotate-ca"))
    assert traces(world) == []
    assert len(new) <= 3, f"a second rotation was begun: {new}"
    assert first.steps
    assert world.plan().empty


def test_killed_at_its_very_end_there_is_only_something_to_forget(running) -> None:
    world = running()
    plan = world.plan("rotate-ca")
    assert plan.steps[-1].stage == "forget-keys"
    late = cut(world, plan, len(plan.steps) - 1)
    assert [s.stage for s in late.plan("rotate-ca").steps] == ["forget-keys"]
    assert late.plan().empty, "a host knows nothing of it any more"


def test_one_turn_at_a_time(running) -> None:
    world, only = running(), {"asked": Asked(step=True)}
    for stage, (_, done) in zip(("trust", "sign", "forget"), TURNS, strict=True):
        plan = world.plan("rotate-ca", **only)
        assert {s.stage for s in plan.steps} & {"trust", "sign", "forget"} == {stage}
        assert before(plan, (done, "n1"), (stage, "n2"))
        world = world.carry_out(plan)
    assert traces(world) == []


def test_while_it_is_in_the_middle_nothing_joins_and_nothing_is_upgraded_or_renewed(running) -> None:
    world = running()
    half = cut(world, world.plan("rotate-ca"), 4)
    assert "are being replaced" in preflight(half.context())[0]
    assert "are being replaced" in renew.reasons(half.context())[0]
    newer = half.defined(text(NEW, planes=3, workers=2))
    assert any("are being replaced" in reason for reason in preflight(newer.context()))
    (note, *_) = rotate.notes(half.context())
    assert "goes on with it" in note


def test_a_host_that_is_lost_in_the_middle_may_leave_and_then_it_goes_on(running) -> None:
    world = running()
    half = cut(world, world.plan("rotate-ca"), 6)
    half.power_cut("w2")
    assert "it cannot be reached" in " ".join(rotate.reasons(half.context()))
    smaller = half.defined(text(OLD, planes=3, workers=1))
    assert not any("are being replaced" in reason for reason in preflight(smaller.context()))
    plan = smaller.plan()
    assert {s.target for s in plan.steps} == {"w2"}
    left = smaller.carry_out(plan)
    del left.machines["w2"]
    assert rotate.reasons(left.context()) == []
    assert traces(left.carry_out(left.plan("rotate-ca"))) == []


def test_it_is_not_begun_where_a_member_could_not_be_missed(running) -> None:
    world = running()
    world.broken.add("n3")
    assert "can lose no member while n3 does not answer" in rotate.reasons(world.context())[0]
    world.broken.clear()
    world.api = False
    assert "the API server does not answer" in rotate.reasons(world.context(), "refused")[0]


def test_where_it_was_cut_off_a_dead_api_is_no_reason(running) -> None:
    """An API server may wait for its other half: the host where it was cut off comes first."""
    world = running(1)
    half = cut(world, world.plan("rotate-ca"), 1, 8)
    half.api = False
    assert rotate.reasons(half.context(), "its certificate is not this cluster's") == []
    assert half.plan("rotate-ca").disruption is Disruption.API


def test_others_than_those_in_the_middle_are_refused(running) -> None:
    world = running()
    half = cut(world, world.plan("rotate-ca", asked=ONLY_ETCD), 2)
    assert rotate.reasons(half.context(asked=ONLY_ETCD)) == []
    assert "a rotation of etcd is in the middle" in rotate.reasons(half.context(asked=Asked(("kubernetes",))))[0]
    assert {s.target for s in half.plan("rotate-ca").steps} == {*PLANES, "up"}, "unnamed, it goes on"
    assert "it has no authority dns" in rotate.reasons(world.context(asked=Asked(("dns",))))[0]


def test_a_backup_from_before_a_rotation_brings_its_own_authority(running) -> None:
    """Workers that trust the new one only are let in anew, and what runs on them reads the authority again."""
    world = running()
    rotated = world.carry_out(world.plan("rotate-ca"))
    old = replace(SNAPSHOT, authority=f"old {AUTHORITIES[0]}")
    assert "readmit" not in {s.stage for s in world.plan("restore", snapshot=old).steps}
    plan = rotated.plan("restore", snapshot=old)
    for worker in WORKERS:
        assert before(plan, ("start", "n1"), ("readmit", worker))
        assert before(plan, ("readmit", worker), ("register", worker))
        paths = [getattr(o, "path", "") for o in step(plan, "register", worker).action.operations]
        assert paths[:2] == [AUTHORITIES[0], KUBELET_CONF]
        assert before(plan, ("register", worker), ("restart", "up"))
    assert step(plan, "discard", "w1").cleanup


def test_the_authority_of_an_etcd_outside_is_not_ours(world) -> None:
    fresh = world("external-etcd")
    apart = fresh.carry_out(fresh.plan())
    assert "it has no authority etcd" in rotate.reasons(apart.context(asked=ONLY_ETCD))[0]
    operations = [o for s in apart.plan("rotate-ca").steps for o in getattr(s.action, "operations", ())]
    assert not [o for o in operations if "/etcd/" in getattr(o, "path", "")]


def test_a_mark_on_a_host_of_whom_nothing_else_is_known_is_told_and_breaks_nothing(running) -> None:
    """Its certificates cannot be read, and nothing is kept here: which key is the new one nobody can say."""
    world = running()
    world.machine("n2").markers |= {f"{MARKER}kubernetes.1a2b3c4d"}
    world.told = {"certificates": Unknown("openssl is not there")}
    said = rotate.reasons(world.context())
    assert any("n2: its certificates are not known: openssl is not there" in reason for reason in said)
    assert any("are being replaced" in reason for reason in preflight(world.context()))


@pytest.mark.parametrize(("period", "read"), [("87600h", True), ("1.5h", False)])
def test_a_period_that_cannot_be_read_is_told_before_anything_is_made(running, period: str, read: bool) -> None:
    kubeadm = f"kubernetes: {{kubeadm: {{clusterConfiguration: {{caCertificateValidityPeriod: {period}}}}}}}\n"
    world = running().defined(text(OLD, planes=3, workers=2) + kubeadm)
    assert any(period in reason for reason in rotate.reasons(world.context())) is not read

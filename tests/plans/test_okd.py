"""Plans of OKD clusters: the laws first, then goldens with every document."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from tests.plans.okd import OkdWorld, okd_world, operator, version
from tests.plans.reading import before, stages, step
from tests.plans.test_golden import compare, told

from raijin.app.unsupported import unsupported
from raijin.errors import Unsupported
from raijin.lifecycle.preflight import preflight
from raijin.network.keepalived import HAPROXY_CONFIG
from raijin.operations.program import Program
from raijin.operations.template import Template, render
from raijin.plan.model import Plan, Retry
from raijin.platforms.okd.look import KUBELET, Machine, Seen, view_of
from raijin.platforms.okd.platform import PLATFORM

RELEASE = "4.22.0-okd-scos.7"


def applied(example: str) -> OkdWorld:
    fresh = okd_world(example)
    return fresh.carry_out(fresh.plan())


def refusals(world: OkdWorld) -> str:
    return "\n".join(preflight(world.context()))


# The laws


def test_a_cluster_is_started_once_whatever_becomes_of_its_machines() -> None:
    world = applied("okd")
    for name in ("c1", "c2", "c3"):
        world.nodes.pop(name)
    assert "a second cluster is never started beside it" in refusals(world)


def test_nothing_is_started_while_the_api_of_a_cluster_is_silent() -> None:
    world = applied("okd")
    world.seen, world.api = replace(world.seen, api="it does not answer"), False
    views = {name: view_of(Machine(frozenset({KUBELET}), None, replace(world.seen, nodes={}))) for name in world.nodes}
    assert all(PLATFORM.parts(view).started for view in views.values())
    assert "start" not in {item.stage for item in world.plan().steps}


def test_a_start_is_never_retried_and_a_bootstrap_that_ended_is_not_planned_again() -> None:
    world = okd_world("okd")
    plan = world.plan()
    assert step(plan, "start", "c1").retry is Retry.NEVER
    assert {"found", "start", "release"}.isdisjoint({item.stage for item in world.carry_out(plan).plan().steps})


def test_a_machine_that_runs_something_of_kubernetes_is_never_installed_upon() -> None:
    world = okd_world("okd")
    view = view_of(Machine(frozenset({KUBELET}), None, world.seen))
    parts = PLATFORM.parts(view)
    assert parts.foreign == "a kubelet"
    context = world.context()
    nodes = tuple(replace(n, facts=view, parts=parts) if n.name == "c2" else n for n in context.nodes)
    assert "c2: it already runs a kubelet" in "\n".join(preflight(replace(context, nodes=nodes)))


def test_another_cluster_under_the_same_name_is_refused() -> None:
    world = applied("okd")
    world.seen = replace(world.seen, stranger=True, api="the certificate is not this cluster's")
    assert "another cluster answers under api.okd" in refusals(world)


def test_two_control_planes_never_leave_at_once() -> None:
    world = applied("okd").edited("okd", ("[c1, c2, c3]", "[c1]"))
    assert "c2, c3: control plane machines are replaced one at a time" in refusals(world)


def test_a_control_plane_that_runs_is_not_taken_out_of_etcd() -> None:
    world = applied("okd").edited("okd", *REPLACED)
    assert "c3: it still runs" in refusals(world)


def test_the_last_majority_is_not_given_away() -> None:
    world = applied("okd")
    world.power_cut("c2")
    world.power_cut("c3")
    assert "etcd does not answer" in refusals(world.edited("okd", *REPLACED))


def test_control_planes_join_a_running_cluster_one_at_a_time() -> None:
    more = (("[c1, c2, c3]", "[c1, c2, c3, c4, c5]"), NEW_HOSTS)
    assert "c4, c5: control plane machines join a running cluster one at a time" in refusals(
        applied("okd").edited("okd", *more)
    )


NEW_HOSTS = (
    "---\nkind: Cluster",
    "  - name: c4\n    address: 192.0.2.64\n  - name: c5\n    address: 192.0.2.65\n---\nkind: Cluster",
)
REPLACED = (("[c1, c2, c3]", "[c1, c2, c4]"), NEW_HOSTS)


def test_a_dead_control_plane_is_replaced_its_member_first() -> None:
    world = applied("okd")
    world.power_cut("c3")
    world = world.edited("okd", *REPLACED)
    plan = world.plan()
    assert stages(plan, "c3") == ["leave-etcd", "delete-node", "forget"]
    assert before(plan, ("leave-etcd", "c3"), ("join", "c4"))
    assert before(plan, ("join", "c4"), ("settle", "c4"))
    after = world.carry_out(plan)
    assert set(after.voters) == {"c1", "c2", "c4"}
    assert after.plan().empty


# The first start


def documents(plan: Plan) -> str:
    """The install-config and what the machines are offered."""
    lines = []
    for item in plan.steps:
        arguments = getattr(item.action, "arguments", {})
        if item.stage in {"found", "start", "join"}:
            lines += [f"# {item.stage}/{item.target}", yaml.safe_dump(dict(arguments), sort_keys=False)]
    return "\n".join(lines)


def balancer(plan: Plan, stage: str) -> str:
    action = step(plan, stage, "lb1").action
    assert isinstance(action, Program)
    (template,) = (o for o in action.operations if isinstance(o, Template) and o.path == HAPROXY_CONFIG)
    return render(template.path, template.template, template.values)


@pytest.mark.parametrize("occasion", ["first-apply", "no-change", "destroy", "documents"])
@pytest.mark.parametrize("example", ["okd", "okd-balanced"])
def test_golden_plans(example: str, occasion: str) -> None:
    world = applied(example) if occasion in {"no-change", "destroy"} else okd_world(example)
    plan = world.plan("destroy" if occasion == "destroy" else "apply")
    compare(f"{example}.{occasion}", documents(plan) if occasion == "documents" else "\n".join(told(plan)) + "\n")


@pytest.mark.parametrize(("occasion", "stage"), [("haproxy-bootstrap", "endpoint"), ("haproxy", "unbalance")])
def test_golden_load_balancer(occasion: str, stage: str) -> None:
    compare(f"okd-balanced.{occasion}", balancer(okd_world("okd-balanced").plan(), stage))


OCCASIONS = {
    "upgrade": ((RELEASE, "4.22.1-okd-scos.2"), ("releaseImage: mirror", "releaseImage: mirror")),
    "add-worker": (
        ("[w1, w2]", "[w1, w2, w3]"),
        ("---\nkind: Cluster", "  - name: w3\n    address: 192.0.2.93\n---\nkind: Cluster"),
    ),
    "remove-worker": (("[w1, w2]", "[w1]"),),
    "drift": (("  manifests:", "  mastersSchedulable: true\n  channel: stable-scos-4\n  manifests:"),),
    "backup": (),
}


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_golden_plans_of_a_cluster_that_runs(occasion: str) -> None:
    world = applied("okd-balanced").edited("okd-balanced", *OCCASIONS[occasion])
    plan = world.plan("backup" if occasion == "backup" else "apply")
    compare(f"okd-balanced.{occasion}", "\n".join(told(plan)) + "\n")
    if occasion != "backup":
        assert world.carry_out(plan).plan().empty


@pytest.mark.parametrize("example", ["okd", "okd-balanced"])
def test_from_nothing_to_nothing(example: str) -> None:
    world = applied(example)
    assert world.plan().empty
    assert set(world.nodes) == {node.name for node in world.context().nodes}
    gone = world.carry_out(world.plan("destroy"))
    assert gone.members == {}


def test_the_bootstrap_leaves_the_load_balancer_before_it_is_let_go() -> None:
    plan = okd_world("okd-balanced").plan()
    assert before(plan, ("endpoint", "lb1"), ("start", "c1"))
    assert before(plan, ("start", "c1"), ("unbalance", "lb1"))
    assert before(plan, ("unbalance", "lb2"), ("release", "bootstrap"))
    assert before(plan, ("join", "w1"), ("complete", "okd-balanced"))
    assert "bootstrap 192.0.2.80:6443" in balancer(plan, "endpoint")
    assert "192.0.2.80" not in balancer(plan, "unbalance")


def test_an_interrupted_start_goes_on_without_new_certificates_being_planned_beside_it() -> None:
    world = okd_world("okd")
    plan = world.plan()
    world.call(step(plan, "found", "c1").action, "c1")
    world.call(step(plan, "start", "c1").action, "c1")
    again = world.plan()
    assert {"found", "start"}.isdisjoint({item.stage for item in again.steps})
    assert {"release", "complete", "network"} <= {item.stage for item in again.steps}
    assert world.carry_out(again).plan().empty


def test_a_start_that_was_cut_short_while_nodes_registered_is_gone_on_with() -> None:
    world = okd_world("okd")
    plan = world.plan()
    world.call(step(plan, "found", "c1").action, "c1")
    for name in ("c1", "c2"):
        world.registered(name, control_plane=True)
    assert refusals(world) == ""
    assert "start" in {item.stage for item in world.plan().steps}


def test_no_secret_is_in_a_plan() -> None:
    text = documents(okd_world("okd-balanced").plan())
    assert "pullSecret: (kept) pull secret" in text
    assert "auths" not in text


def test_names_that_do_not_resolve_or_lead_elsewhere_are_said_before_anything_is_done() -> None:
    world = okd_world("okd-balanced")
    names = {**world.seen.names, "api-int": ((), "Name or service not known"), "*.apps": (("192.0.2.9",), "")}
    world.seen = replace(world.seen, names=names)
    text = refusals(world)
    assert "api-int.okd-balanced.example.org does not resolve (Name or service not known)" in text
    assert "resolves to 192.0.2.9, and the load balancer is at 192.0.2.70" in text


def test_a_first_start_needs_a_bootstrap_machine_and_a_running_cluster_does_not() -> None:
    without = ("  - name: bootstrap\n    role: BOOTSTRAP\n    hosts: [bootstrap]\n", "")
    assert "needs a bootstrap machine" in refusals(okd_world("okd").edited("okd", without))
    assert applied("okd").edited("okd", without).plan().empty


def test_machines_lie_in_the_networks_that_they_are_said_to_have() -> None:
    world = okd_world("okd").edited("okd", ("[192.0.2.0/24]", "[198.51.100.0/24]")).resolving()
    assert "c1: its address 192.0.2.61 lies in none of platformConfig.machineNetworks" in refusals(world)


def test_what_was_decided_at_the_first_start_is_not_changed_in_silence() -> None:
    changed = applied("okd").edited("okd", ("[192.0.2.0/24]", "[192.0.2.0/25]"))
    assert "networking was decided when the cluster was made" in refusals(changed)


# Upgrades


def running(example: str, *changes: tuple[str, str], **told: object) -> OkdWorld:
    world = applied(example).edited(example, *changes)
    world.seen = replace(world.seen, **told)  # type: ignore[arg-type]
    return world


def to(release: str) -> tuple[str, str]:
    return (f"version: {RELEASE}", f"version: {release}")


@pytest.mark.parametrize(
    ("goal", "live", "reason"),
    [
        ("4.21.0-okd-scos.1", version(RELEASE), "OKD cannot go back"),
        ("4.22.1-okd-scos.2", version(RELEASE), "is not among the updates that the cluster is offered (none)"),
        ("4.22.1-okd-scos.2", version(RELEASE, "4.22.1-okd-scos.2"), ""),
        ("4.22.0-okd-scos.7", version("4.20.0-okd-scos.1", "4.22.0-okd-scos.7"), "go to 4.21 first"),
        (
            "4.22.0-okd-scos.7",
            version("4.21.0-okd-scos.1", "4.22.0-okd-scos.7", gate="ack-4.21-x must be set"),
            "ack-4.21-x must be set; acknowledge",
        ),
    ],
)
def test_versions_that_may_be_gone_to(goal: str, live: dict, reason: str) -> None:
    text = refusals(running("okd", to(goal), version=live))
    assert reason in text if reason else text == ""


def test_nothing_is_upgraded_while_an_operator_is_degraded_or_a_pool_is_paused() -> None:
    live, pool = version(RELEASE, "4.22.1-okd-scos.2"), {"metadata": {"name": "worker"}, "spec": {"paused": True}}
    sick = (operator("etcd", Degraded="True"), operator("dns", Progressing="True"))
    text = refusals(running("okd", to("4.22.1-okd-scos.2"), version=live, operators=sick, pools=(pool,)))
    assert "etcd is degraded: etcd says so" in text
    assert "the pool worker is paused" in text
    assert "dns" not in text


def test_an_upgrade_that_is_on_its_way_is_taken_up() -> None:
    live = version(RELEASE)
    live["spec"]["desiredUpdate"] = {"version": "4.22.1-okd-scos.2"}
    world = running("okd", to("4.22.1-okd-scos.2"), version=live)
    assert refusals(world) == ""
    assert step(world.plan(), "advance", "okd").action.name == "okd.upgrade"


# What is refused


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ((RELEASE, "4.21.0"), ("version", "write the whole release, as in 4.21.0-okd-scos.1")),
        ((RELEASE, "4.12.0-okd-scos.1"), ("version", "is not served")),
        (("[c1, c2, c3]", "[c1, c2]"), ("nodeGroups", "not 2")),
        (("  baseDomain: example.org\n", ""), ("platformConfig.baseDomain", "an OKD cluster needs it")),
        (("baseDomain: example.org", "baseDomain: example.org\n  x: 1"), ("platformConfig.x", "no such setting")),
        (
            ("baseDomain: example.org", "baseDomain: example.org\n  pullSecret: '{}'"),
            ("platformConfig.pullSecret", "reference"),
        ),
        (("version:", "network: {cni: {name: CALICO}}\nversion:"), ("network.cni.name", "OVN_KUBERNETES")),
        (
            ("version:", "network: {virtualIp: {address: 192.0.2.70}}\nversion:"),
            ("network.virtualIp.provider", "no kube-vip"),
        ),
        (("[192.0.2.0/24]", "[10.128.0.0/16]"), ("network.podCidr", "overlaps platformConfig.machineNetworks")),
        (("version:", "kubernetes: {apiServerPort: 7443}\nversion:"), ("kubernetes.apiServerPort", "6443")),
        (("version:", "backup: {schedule: '0 2 * * *'}\nversion:"), ("backup.schedule", "no timer")),
    ],
)
def test_what_a_definition_may_say_and_okd_cannot_do(change: tuple[str, str], part: tuple[str, str]) -> None:
    definition = okd_world("okd").edited("okd", change).definition
    found = dict(unsupported(definition.cluster()))
    assert part[1] in found[part[0]]


def test_a_restoration_is_refused_by_name() -> None:
    with pytest.raises(Unsupported, match="Raijin does not restore it"):
        applied("okd").plan("restore")


def test_the_world_knows_what_is_remembered_of_a_cluster() -> None:
    assert not Seen().silent
    assert Seen(complete=True, api="gone").silent

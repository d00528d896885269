"""etcd outside a kubeadm cluster. Law: no member of etcd is Raijin's business, and no data is taken for another's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.plans.reading import stages, step

from raijin.app.unsupported import unsupported
from raijin.errors import NotFound, PlanRefused
from raijin.lifecycle import backup, restore
from raijin.lifecycle.preflight import preflight
from raijin.operations.file import File
from raijin.platforms import platform_of
from raijin.platforms.kubeadm import external
from raijin.platforms.kubeadm.config import init_documents


@pytest.fixture
def fresh(world):
    return world("external-etcd")


@pytest.fixture
def running(fresh):
    return fresh.carry_out(fresh.plan())


def test_from_nothing_to_nothing(fresh, running) -> None:
    assert preflight(fresh.context()) == []
    assert running.voters == {}
    assert running.plan().empty
    assert preflight(running.context()) == []
    gone = running.carry_out(running.plan("destroy"))
    assert gone.plan("destroy").empty


def test_api_servers_know_it_and_nothing_of_a_member(fresh) -> None:
    context = fresh.context()
    cluster = init_documents(context)[1]
    assert cluster["etcd"] == {
        "external": {
            "endpoints": ["https://192.0.2.31:2379", "https://192.0.2.32:2379", "https://192.0.2.33:2379"],
            "caFile": "/etc/kubernetes/pki/external-etcd/ca.crt",
            "certFile": "/etc/kubernetes/pki/external-etcd/client.crt",
            "keyFile": "/etc/kubernetes/pki/external-etcd/client.key",
        }
    }
    platform = platform_of(context.cluster)
    assert platform.etcd(context.cluster) is None
    assert not {2379, 2380} & set(platform.ports(context, context.first))
    needs = platform.needs(context.cluster, context.cluster.version, ["amd64"], None)
    assert [need.optional for need in needs if getattr(need, "name", "") == "etcd"] == [False]


@pytest.mark.parametrize("host", ["n1", "n2"])
def test_every_control_plane_has_the_keys_before_it_starts(fresh, host: str) -> None:
    plan = fresh.plan()
    program = step(plan, "start" if host == "n1" else "join", host).action
    titles = [operation.title for operation in program.operations]
    verb = "start the cluster" if host == "n1" else "join the control plane"
    files = [operation for operation in program.operations if isinstance(operation, File)]
    for path in external.FILES.values():
        assert titles.index(f"file {path}") < titles.index(verb)
        assert {str(file.mode) for file in files if file.path == path} == {"600"}
    assert not any("external-etcd" in o.title for o in step(plan, "join", "w1").action.operations)


def test_a_second_cluster_does_not_take_the_data_of_the_first(fresh) -> None:
    """Asked before the start, and not again when a start that was interrupted goes on."""
    operations = step(fresh.plan(), "start", "n1").action.operations
    (asked,) = (o for o in operations if o.title == "see that etcd outside is empty")
    assert asked.marker
    assert operations.index(asked) < [o.title for o in operations].index("start the cluster")


def test_data_is_not_moved_between_inside_and_outside(world, running, examples: Path) -> None:
    text = (examples / "external-etcd.yaml").read_text()
    head, _, rest = text.partition("kubernetes:\n")
    inside = head + rest[rest.index("nodeGroups") :]
    (reason,) = preflight(running.defined(inside).context())
    assert reason.startswith("n1: the cluster runs with an etcd outside, and the definition names none")
    stacked = world("minimal").defined(inside)
    stacked = stacked.carry_out(stacked.plan())
    reasons = preflight(stacked.defined(text).context())
    assert [reason.partition(":")[0] for reason in reasons] == ["n1", "n2"]
    assert all("the data of a cluster is not moved" in reason for reason in reasons)


def test_its_data_is_neither_backed_up_nor_restored(running, examples: Path) -> None:
    context = running.context()
    with pytest.raises(PlanRefused, match="in a database outside"):
        backup.drafts(context)
    assert any("in a database outside" in reason for reason in restore.reasons(context))
    newer = running.defined((examples / "external-etcd.yaml").read_text().replace("v1.34.2", "v1.35.9")).plan()
    assert any(s.stage.startswith("upgrade@") for s in newer.steps)
    assert {"pack", "keep"}.isdisjoint(s.stage for s in newer.steps)


def test_a_control_plane_leaves_and_another_comes(running, examples: Path) -> None:
    """Nothing of etcd is asked or done for it."""
    text = (examples / "external-etcd.yaml").read_text().replace("hosts: [n1, n2]", "hosts: [n1]")
    smaller = running.defined(text)
    plan = smaller.plan()
    assert "leave" in stages(plan, "n2")
    assert not any("etcd" in s.title for s in plan.steps)
    smaller = smaller.carry_out(plan)
    assert smaller.plan().empty
    again = smaller.defined((examples / "external-etcd.yaml").read_text())
    assert again.carry_out(again.plan()).plan().empty


def test_what_kubeadm_is_told_behind_our_back_is_refused(world, examples: Path) -> None:
    text = (examples / "external-etcd.yaml").read_text()
    head, _, rest = text.partition("kubernetes:\n")
    raw = (
        "kubernetes: {kubeadm: {clusterConfiguration: {etcd: {external: {endpoints: ['https://192.0.2.31:2379']}}}}}\n"
    )
    cluster = world("minimal").defined(head + raw + rest[rest.index("nodeGroups") :]).definition.cluster()
    assert [place for place, _ in unsupported(cluster)] == ["kubernetes.kubeadm.clusterConfiguration.etcd.external"]


def test_secrets_come_from_where_the_definition_says(fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cluster = fresh.definition.cluster()
    with pytest.raises(NotFound, match=r"etcd/ca\.crt does not exist"):
        external.given(cluster)
    (tmp_path / "etcd").mkdir()
    for name in ("ca.crt", "client.crt", "client.key"):
        (tmp_path / "etcd" / name).write_text(f"-----BEGIN {name}-----\n")
    given = external.given(cluster)
    assert sorted(given) == sorted(external.secrets("campus"))
    assert given["cluster/campus/external-etcd/key"] == "-----BEGIN client.key-----\n"

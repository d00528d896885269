"""Plans that were shown, and what becomes of them when somebody agrees."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from raijin.app.changes import Change, as_asked, rotating, session_with
from raijin.app.roles import Role
from raijin.plan.codec import plan_to_json
from raijin.plan.model import Plan
from raijin.platforms.turns import Asked
from raijin.state.plans import Plans


@pytest.fixture
async def lab(server, cluster) -> Any:
    server.put_file("lab", "# ours\n" + yaml.safe_dump({"kind": "Cluster", **cluster}, sort_keys=False))
    return server


def shown(server: Any, change: Change) -> str:
    """The digest of a plan as it would have been kept, without the steps that only hosts could tell."""
    session = session_with(server.service, "lab", change)
    plan = Plan(change.of_plan, "lab", (), definition=session.fingerprint())
    document = plan_to_json(plan) | {"change": change.to_json()}
    Plans(server.service.database).keep("lab", plan.digest, document)
    return plan.digest


def text_of(server: Any) -> str:
    return (server.service.folder / "lab.yaml").read_text()


async def test_an_upgrade_is_written_when_its_plan_stands_again(lab) -> None:
    before = text_of(lab)
    digest = shown(lab, Change("upgrade", version="v1.35.4", drain_timeout="3m", force=True))
    assert text_of(lab) == before
    run = await lab.post(f"/clusters/lab/plans/{digest}/run")
    assert run.status_code == 202, run.text
    assert run.headers["location"] == f"/api/v1/runs/{run.json()['id']}"
    assert text_of(lab) == before
    assert lab.keep(run.json()["id"]) == before.replace("v1.34.2", "v1.35.4")
    asked = run.json()["request"]
    assert (run.json()["verb"], asked["plan"], asked["drain_timeout"], asked["force"]) == ("apply", digest, "3m", True)
    assert lab.queue.runs == [run.json()["id"]]


async def test_named_hosts_come_and_go_with_their_plan(lab) -> None:
    digest = shown(lab, Change("scale", group="workers", hosts=("n3", "n4")))
    run = await lab.post(f"/clusters/lab/plans/{digest}/run")
    assert run.status_code == 202
    text = lab.keep(run.json()["id"])
    assert yaml.safe_load(text)["nodeGroups"][1]["hosts"] == ["n3", "n4"]
    assert text.startswith("# ours\n")


async def test_a_plan_of_another_definition_is_stale_and_writes_nothing(lab, problem) -> None:
    digest = shown(lab, Change("upgrade", version="v1.35.4"))
    lab.put_file("lab", text_of(lab).replace("- n2", "- n3"))
    before = text_of(lab)
    problem(await lab.post(f"/clusters/lab/plans/{digest}/run"), 409, "stale-plan")
    assert text_of(lab) == before
    assert lab.queue.runs == []


async def test_while_a_run_waits_nobody_agrees_to_another(lab, problem) -> None:
    digest, before = shown(lab, Change("upgrade", version="v1.35.4")), text_of(lab)
    await lab.post("/clusters/lab/backup")
    problem(await lab.post(f"/clusters/lab/plans/{digest}/run"), 423, "locked")
    assert text_of(lab) == before


async def test_a_plan_that_nobody_was_shown(lab, problem) -> None:
    problem(await lab.post(f"/clusters/lab/plans/{'a' * 64}/run"), 404, "not-found")
    digest = shown(lab, Change("destroy"))
    problem(await lab.post(f"/clusters/other/plans/{digest}/run"), 404, "not-found")


async def test_agreeing_again_with_the_same_key_is_the_same_run(lab) -> None:
    digest = shown(lab, Change("destroy", force=True))
    first, again = [
        await lab.post(f"/clusters/lab/plans/{digest}/run", headers={"Idempotency-Key": "once"}) for _ in range(2)
    ]
    assert first.json()["id"] == again.json()["id"]
    assert (first.json()["verb"], first.json()["request"]["force"]) == ("destroy", True)
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_restoration_keeps_its_backup_and_its_name(lab) -> None:
    """Else the plan that is made afresh would keep the old data under another name, and be another plan."""
    digest = shown(lab, Change("restore", backup="lab-20261127T100000Z", restoration="20261127-110000"))
    asked = (await lab.post(f"/clusters/lab/plans/{digest}/run")).json()["request"]
    assert (asked["backup"], asked["restoration"], asked["plan"]) == (
        "lab-20261127T100000Z", "20261127-110000", digest,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"verb": "upgrade"}, "needs a version"),
        ({"verb": "apply", "version": "v1.35.4"}, "version says nothing about apply"),
        ({"verb": "scale", "nodeGroup": "workers"}, "needs a node group and its new size"),
        ({"verb": "scale", "targetCount": 3}, "needs a node group and its new size"),
        ({"verb": "scale", "nodeGroup": "workers", "targetCount": "3"}, "valid integer"),
        ({"verb": "apply", "force": "yes"}, "valid boolean"),
        ({"verb": "scale", "nodeGroup": "workers", "targetCount": 3, "hosts": ["n3"]}, "its new size"),
        ({"verb": "restore", "backup": "latest", "at": 1}, "both name a backup"),
        ({"verb": "restore", "backup": "../x"}, "pattern"),
        ({"verb": "scale", "nodeGroup": "workers", "hosts": ["-x"]}, "pattern"),
        ({"verb": "reboot"}, "verb"),
        ({"verb": "worker-add"}, "about one host"),
        ({"verb": "worker-remove", "hosts": ["n2", "n3"]}, "about one host"),
        ({"verb": "replace", "hosts": []}, "about one host"),
        ({"verb": "worker-remove", "hosts": ["n2"], "address": "192.0.2.9"}, "address says nothing about"),
        ({"verb": "worker-add", "hosts": ["n5"], "address": "n5; reboot"}, "pattern"),
        ({"verb": "upgrade", "version": "v1.35.4", "maxUnavailable": "all"}, "pattern"),
        ({"verb": "reset", "drain": False}, "drain says nothing about"),
    ],
)
async def test_requests_for_plans_that_are_wrong(lab, asked: dict[str, Any], text: str) -> None:
    response = await lab.post("/clusters/lab/plan", asked)
    assert response.status_code == 422, response.text
    assert text in response.text


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        (Change("scale", group="workers", hosts=("n9",)), 404, "the Site has no host n9"),
        (Change("scale", group="workers", hosts=("n1",)), 409, "n1 belongs to control-plane already"),
        (Change("scale", group="none", hosts=("n3",)), 404, "has no node group none"),
        (Change("scale", group="control-plane", hosts=()), 409, "cannot be without a control plane"),
    ],
)
async def test_hosts_that_a_group_cannot_have(lab, change: Change, status: int, text: str) -> None:
    body = {"verb": "scale", "nodeGroup": change.group, "hosts": list(change.hosts or ())}
    response = await lab.post("/clusters/lab/plan", body)
    assert response.status_code == status, response.text
    assert text in response.json()["detail"]


async def test_a_worker_comes_and_goes_with_its_plan(lab) -> None:
    """A host that the Site does not know comes into the file of the Site, which is shared."""
    digest = shown(lab, Change("worker-add", hosts=("n5",), address="192.0.2.15"))
    run = (await lab.post(f"/clusters/lab/plans/{digest}/run")).json()["id"]
    assert "n5" not in text_of(lab)
    for _ in range(2):  # the second time as by whoever goes on for a runner that died after it had written
        assert yaml.safe_load(lab.keep(run))["nodeGroups"][1]["hosts"] == ["n2", "n5"]
    site = (lab.service.folder / "site.yaml").read_text()
    assert yaml.safe_load(site)["hosts"][-1] == {"name": "n5", "address": "192.0.2.15"}
    assert site.startswith("# our machines\n")
    lab.service.cancel(run)
    digest = shown(lab, Change("worker-remove", hosts=("n2",), drain=False))
    run = await lab.post(f"/clusters/lab/plans/{digest}/run")
    assert (run.json()["verb"], run.json()["request"]["drain"]) == ("apply", False)
    for _ in range(2):
        assert yaml.safe_load(lab.keep(run.json()["id"]))["nodeGroups"][1]["hosts"] == ["n5"]


async def test_a_run_knows_which_hosts_it_is_about(lab) -> None:
    digest = shown(lab, Change("reset", hosts=("n2",), force=True))
    run = (await lab.post(f"/clusters/lab/plans/{digest}/run")).json()
    assert (run["verb"], run["request"]["hosts"], run["request"]["force"]) == ("reset", ["n2"], True)
    session = lab.service.session("lab")
    as_asked(session, "reset", run["request"])
    assert session.hosts == ("n2",)
    as_asked(session, "apply", {"max_unavailable": "50%", "drain": False})
    assert (str(session.cluster.policy.max_unavailable), session.drain) == ("50%", False)
    as_asked(session, "prepare", {"hosts": ["n3"]})
    assert (session.only_host, session.drain) == ("n3", True)


@pytest.mark.parametrize(
    ("asked", "status", "text"),
    [
        ({"verb": "worker-add", "hosts": ["n9"]}, 404, "the Site has no host n9"),
        ({"verb": "worker-add", "hosts": ["n2"]}, 400, "already in group workers"),
        ({"verb": "worker-add", "hosts": ["n3"], "address": "192.0.2.99"}, 400, "defined with the address"),
        ({"verb": "worker-remove", "hosts": ["n1"]}, 409, "is a control plane host"),
        ({"verb": "worker-remove", "hosts": ["n4"]}, 404, "no worker of lab"),
        ({"verb": "reset", "hosts": ["n4"]}, 404, "no host of lab"),
        ({"verb": "replace", "hosts": ["n2"]}, 404, "has no etcd member"),
    ],
)
async def test_hosts_that_something_cannot_be_about(lab, asked: dict[str, Any], status: int, text: str) -> None:
    response = await lab.post("/clusters/lab/plan", asked)
    assert response.status_code == status, response.text
    assert text in response.json()["detail"]


async def test_a_worker_of_another_cluster_does_not_come(lab, cluster) -> None:
    other = {**cluster, "name": "other", "nodeGroups": [{**cluster["nodeGroups"][0], "hosts": ["n3"]}]}
    lab.put_file("other", yaml.safe_dump({"kind": "Cluster", **other}))
    response = await lab.post("/clusters/lab/plan", {"verb": "worker-add", "hosts": ["n3"]})
    assert (response.status_code, "n3 belongs to other already" in response.text) == (409, True), response.text


async def test_a_host_of_its_own_site_is_free_whatever_others_call_theirs(lab, cluster) -> None:
    other = {**cluster, "name": "other"}
    site = {"kind": "Site", "name": "there", "hosts": [{"name": n, "address": "198.51.100.1"} for n in ("n1", "n3")]}
    other["nodeGroups"] = [{"name": "control-plane", "role": "CONTROL_PLANE", "hosts": ["n1"]}]
    store = lab.service.store
    assert store.taken("lab") == {}
    (lab.service.folder / "other.yaml").write_text(yaml.safe_dump_all([site, {"kind": "Cluster", **other}]))
    assert store.taken("other") == {"n2": "lab"}
    assert store.taken("lab") == {"n1": "other"}


async def test_authorities_are_replaced_as_it_is_asked(lab) -> None:
    body = {"authorities": ["etcd"], "restartWorkloads": True}
    run = await lab.post("/clusters/lab/certificates/rotate-ca", body)
    assert (run.status_code, run.json()["verb"]) == (202, "rotate-ca")
    asked = lab.service.runs.get(run.json()["id"]).request
    assert (asked["authorities"], asked["workloads"], asked["step"]) == (["etcd"], True, False)
    session = lab.service.session("lab")
    rotating(session, "rotate-ca", asked)
    assert session.rotation == Asked(("etcd",), workloads=True)
    wrong = await lab.post("/clusters/lab/plan", {"verb": "renew", "step": True})
    assert wrong.status_code == 422
    assert "step says nothing about renew" in wrong.text


def test_a_change_with_authorities_survives_being_kept() -> None:
    change = Change("rotate-ca", authorities=("etcd",), step=True)
    assert Change.from_json(json.loads(json.dumps(change.to_json()))) == change
    assert change.role is Role.ADMIN
    assert change.request() == {"force": False, "authorities": ["etcd"], "workloads": False, "step": True}


async def test_certificates_are_renewed_and_versions_listed(lab) -> None:
    run = await lab.post("/clusters/lab/certificates/renew")
    assert (run.status_code, run.json()["verb"]) == (202, "renew")
    assert (await lab.get("/clusters/lab/versions")).json() == {"version": "v1.34.2", "held": []}

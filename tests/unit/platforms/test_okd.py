"""OKD: what openshift-install is given and what is made of it, what machines are taken for, and what is never done."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.platforms.openshift import CONFIG, Openshift

from raijin.errors import HostUnreachable, KubernetesUnavailable, OperationFailed, PlanRefused, StateError
from raijin.plan.handlers import CallContext
from raijin.platforms.okd import approval, assets, calls, etcd, install, look, upgrade
from raijin.platforms.okd.assets import GOOD_SECONDS, Assets
from raijin.platforms.okd.ignition import boot_line, digest, named
from raijin.platforms.okd.operators import operator_faults, pool_faults, releases, version_fault
from raijin.platforms.okd.settings import pull_secret_fault
from raijin.state.secrets import SecretStore
from raijin.transport import local, okd
from raijin.transport.okd import OkdAccess, OkdTarget
from raijin.transport.pool import Pool

HOSTS = {"bootstrap": "192.0.2.60", "c1": "192.0.2.61", "c2": "192.0.2.62", "c3": "192.0.2.63", "w1": "192.0.2.91"}
FOUND = {"config": CONFIG, "manifests": {}, "schedulable": True, "release_image": "", "planes": ["c1", "c2", "c3"]}
SERVER = {"host": "192.0.2.5", "port": 18080, "clients": []}
OFFER = {"server": SERVER, "disk": "/dev/sda", "expected": {"w1": ["192.0.2.91"]}, "planes": ["c1", "c2", "c3"]}


def waiting(name: str, role: str) -> dict[str, str]:
    return {"name": name, "address": HOSTS[name], "role": role}


class Site:
    """Machines without a wire, an openshift-install and an API that stand in for the real ones."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tool, self.ports = folder, Openshift(), dict[str, frozenset[int]]()
        self.secrets, self.said = SecretStore(folder / "home"), list[str]()

        async def tool(name: str) -> Path:
            return folder / name

        access = OkdAccess("demo", tool, self.kubeconfig, self.kept, lambda: {"api": "api.demo.example.org"})
        ssh: Any = None
        self.access = access
        self.pool = Pool({name: OkdTarget(name, at, access, ssh) for name, at in HOSTS.items()})

    def kubeconfig(self) -> str:
        found = assets.kept(self.secrets, "demo")
        return found.kubeconfig if found else ""

    def kept(self, name: str) -> str:
        return self.secrets.get(name) if self.secrets.has(name) else ""

    @property
    def assets(self) -> Assets:
        return assets.required(self.secrets, "demo")

    def aged(self, seconds: float) -> None:
        assets.keep(self.secrets, "demo", replace(self.assets, made=self.assets.made - seconds))

    async def open_ports(self, address: str, ports: Any, **_: object) -> frozenset[int]:
        return self.ports.get(address, frozenset()) & frozenset(ports)

    def context(self, target: str, timeout: float = 5.0, **arguments: Any) -> CallContext:
        async def locate(sha256: str) -> Path:
            return self.folder / sha256

        return CallContext(
            "demo",
            target,
            arguments,
            self.pool,
            self.secrets,
            None,
            timeout,
            self.said.append,
            locate,  # type: ignore[arg-type]
        )


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    site = Site(tmp_path)
    monkeypatch.setattr(local, "run", site.tool.run)
    monkeypatch.setattr(okd, "open_ports", site.open_ports)

    @asynccontextmanager
    async def open_api(_: CallContext):
        yield site.tool

    for module in (calls, etcd, upgrade):
        monkeypatch.setattr(module, "open_api", open_api)
    monkeypatch.setattr(calls, "INTERVAL", 0.01)
    monkeypatch.setattr(upgrade, "INTERVAL", 0.01)

    @asynccontextmanager
    async def offering_nothing(port: int, offers: Any, **_: object):
        site.tool.offers = dict(offers)
        yield port

    monkeypatch.setattr(okd, "offering", offering_nothing)
    return site


# The installer


async def test_the_installer_gets_the_config_and_its_manifests_are_changed_between_its_commands(site: Site) -> None:
    more = {"99_raijin_00_machineconfig.yaml": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}}
    await install.make_assets(site.context("c1", **{**FOUND, "schedulable": False, "manifests": more}))
    assert site.tool.commands == ["create manifests", "create ignition-configs"]
    written = yaml.safe_load(site.tool.seen["install-config.yaml"])
    assert {**written, "pullSecret": CONFIG["pullSecret"]} == CONFIG
    assert json.loads(written["pullSecret"]) == {"auths": {"fake": {"auth": "aWQ6cGFzcwo="}}}
    assert yaml.safe_load(site.tool.seen[install.SCHEDULER])["spec"]["mastersSchedulable"] is False
    assert "openshift/99_raijin_00_machineconfig.yaml" in site.tool.seen
    assert set(site.assets.files) == set(assets.FILES)
    assert not Path(site.tool.folder).exists(), "nothing stays on the disk"


async def test_the_pull_secret_is_the_kept_one_and_is_checked_before_it_is_used(site: Site) -> None:
    site.secrets.put(assets.pull_secret_name("demo"), '{"auths": {"mirror.example.org": {"auth": "YTpi"}}}')
    await install.make_assets(site.context("c1", **FOUND))
    assert "mirror.example.org" in yaml.safe_load(site.tool.seen["install-config.yaml"])["pullSecret"]
    site.secrets.put(assets.pull_secret_name("demo"), "a password")
    site.secrets.delete(assets.secret_name("demo"))
    with pytest.raises(PlanRefused, match="it is not JSON"):
        await install.make_assets(site.context("c1", **FOUND))


async def test_a_release_by_digest_reaches_the_installer(site: Site) -> None:
    await install.make_assets(site.context("c1", **{**FOUND, "release_image": "mirror.example.org/r@sha256:0"}))
    assert site.tool.environment == {install.RELEASE_VARIABLE: "mirror.example.org/r@sha256:0"}


async def test_what_the_installer_says_is_told_in_its_words(site: Site) -> None:
    site.tool.fails = 'time="now" level=error msg="failed to load asset: invalid \\"install-config.yaml\\" file"'
    with pytest.raises(OperationFailed, match='create manifests failed: failed to load asset: invalid "install-config'):
        await install.make_assets(site.context("c1", **FOUND))
    assert not site.secrets.has(assets.secret_name("demo"))


async def test_files_are_made_once_and_anew_when_their_certificates_are_too_old(site: Site) -> None:
    await install.make_assets(site.context("c1", **FOUND))
    first = site.assets
    await install.make_assets(site.context("c1", **FOUND))
    assert site.assets == first
    site.aged(13 * 3600)
    await install.make_assets(site.context("c1", **FOUND))
    assert site.assets.made >= first.made
    assert len(site.tool.commands) == 4


@pytest.mark.parametrize("port", [2380, 6443, 10250, 22623])
async def test_nothing_is_made_anew_beside_what_runs(site: Site, port: int) -> None:
    await install.make_assets(site.context("c1", **FOUND))
    site.aged(13 * 3600)
    site.ports[HOSTS["c2"]] = frozenset({port})
    with pytest.raises(PlanRefused, match=rf"c2 runs .* \(port {port}\).* a second cluster is never begun beside it"):
        await install.make_assets(site.context("c1", **FOUND))
    assert len(site.tool.commands) == 2


async def test_a_first_installation_never_begins_on_machines_that_run_a_cluster(site: Site) -> None:
    site.ports[HOSTS["c3"]] = frozenset({22, 6443})
    with pytest.raises(PlanRefused, match="c3 runs an API server"):
        await install.make_assets(site.context("c1", **FOUND))
    assert site.tool.commands == []


async def test_nothing_is_made_anew_once_the_cluster_stands(site: Site) -> None:
    await install.make_assets(site.context("c1", **FOUND))
    assets.keep(site.secrets, "demo", assets.completed(site.assets))
    site.aged(90 * 24 * 3600)
    await install.make_assets(site.context("c1", **{**FOUND, "config": {**CONFIG, "baseDomain": "other.org"}}))
    assert len(site.tool.commands) == 2
    assert "bootstrap.ign" not in site.assets.files


# The start


START = {**OFFER, "machines": [waiting("bootstrap", "bootstrap"), waiting("c1", "master"), waiting("w1", "worker")]}


async def begun(site: Site) -> None:
    await install.make_assets(site.context("c1", **FOUND))


async def test_a_start_offers_each_machine_its_file_with_its_name_and_ends_with_the_bootstrap(site: Site) -> None:
    await begun(site)
    site.tool.answers = [KubernetesUnavailable("not yet"), KubernetesUnavailable("not yet")]
    site.tool.objects["ConfigMap kube-system/bootstrap"] = {"data": {"status": "complete"}}
    await calls.start(site.context("c1", **START))
    assert set(site.tool.offers) == {"bootstrap", "c1", "w1"}
    content = json.loads(site.tool.offers["c1"].content)
    assert content["storage"]["files"][-1]["contents"]["source"] == "data:,c1%0A"
    assert site.tool.offers["c1"].clients == ("192.0.2.61",)
    assert site.assets.complete
    assert any("boot c1 into the live system" in line and "http://192.0.2.5:18080/c1.ign" in line for line in site.said)
    assert any("bootstrap, c1, w1 did not fetch its configuration yet" in line for line in site.said)
    closed = "nobody takes connections at api.demo.example.org, port 6443 and 22623: look at the load balancer"
    assert any(closed in line for line in site.said)


async def test_a_start_that_has_ended_offers_nothing_again(site: Site) -> None:
    await begun(site)
    site.tool.objects["ConfigMap kube-system/bootstrap"] = {"data": {"status": "complete"}}
    await calls.start(site.context("c1", **START))
    site.tool.offers, site.tool.asked = {}, 0
    await calls.start(site.context("c1", **START))
    assert (site.tool.offers, site.tool.asked) == ({}, 0)


async def test_a_killed_start_whose_bootstrap_ended_meanwhile_offers_nothing(site: Site) -> None:
    await begun(site)
    site.aged(GOOD_SECONDS + 1)
    site.tool.objects["ConfigMap kube-system/bootstrap"] = {"data": {"status": "complete"}}
    await calls.start(site.context("c1", **START))
    assert site.tool.offers == {}
    assert site.assets.complete


async def test_expired_certificates_end_a_start_that_never_began(site: Site) -> None:
    await begun(site)
    site.aged(GOOD_SECONDS + 1)
    site.tool.answers = [KubernetesUnavailable("not yet")]
    with pytest.raises(PlanRefused, match="have expired"):
        await calls.start(site.context("c1", **START))
    assert site.tool.offers == {}


# Joining


JOIN = {**OFFER, "machines": [waiting("w1", "worker")]}
READY = {"metadata": {"name": "w1"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}


async def test_a_worker_is_offered_what_the_cluster_gives_out_now_until_it_is_ready(site: Site) -> None:
    await begun(site)
    pointer = '{"ignition":{"version":"3.2.0","config":{"merge":[{"source":"https://api-int:22623/config/worker"}]}}}'
    site.tool.secret("worker-user-data-managed", pointer)
    site.tool.patience, site.tool.then = 5, lambda: site.tool.objects.update({"Node w1": READY})
    await calls.join(site.context("w1", **JOIN))
    assert "api-int:22623/config/worker" in site.tool.offers["w1"].content.decode()
    assert any("it did not fetch its configuration yet" in line for line in site.said)


async def test_a_node_that_is_ready_is_left_alone(site: Site) -> None:
    await begun(site)
    site.tool.objects["Node w1"] = READY
    await calls.join(site.context("w1", **JOIN))
    assert site.tool.offers == {}


async def test_what_becomes_of_a_request_is_said_once_however_often_it_is_looked_at(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begun(site)
    left = approval.Verdict("csr-9", "w9", serving=False, fault="w9 is no node that is expected now")
    signed = approval.Verdict("csr-1", "w1", serving=True)
    looks = [[left], [left, signed], [left, signed]]

    async def approve(*_: object) -> list[approval.Verdict]:
        found = looks.pop(0)
        if not looks:
            site.tool.objects["Node w1"] = READY
        return found

    monkeypatch.setattr(approval, "approve", approve)
    await calls.join(site.context("w1", **JOIN))
    assert looks == []
    assert [line for line in site.said if "csr-" in line] == [
        "the request csr-9 (client) is not signed: w9 is no node that is expected now",
        "the serving certificate of w1 is signed (csr-1)",
    ]


# Machines


async def test_a_machine_that_waits_for_its_configuration_is_no_fault(site: Site) -> None:
    view = await look.look(site.pool, "w1")
    assert view.own.ports == frozenset()  # type: ignore[union-attr, attr-defined]


async def test_dns_names_are_looked_up_until_the_bootstrap_has_ended(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def resolved(name: str) -> tuple[tuple[str, ...], str]:
        asked.append(name)
        return ("192.0.2.6",), ""

    async def silent(_: object, seen: look.Seen, __: str) -> look.Seen:
        return seen

    monkeypatch.setattr(okd, "resolved", resolved)
    monkeypatch.setattr(look, "_ask", silent)
    monkeypatch.setattr(look, "REMEMBERED_SECONDS", -1.0)
    found = {"api": (("192.0.2.6",), "")}
    assert (await look.seen_by(site.access)).names == found
    await begun(site)
    assert (await look.seen_by(site.access)).names == found
    assets.keep(site.secrets, "demo", assets.completed(site.assets))
    seen = await look.seen_by(site.access)
    assert (seen.complete, seen.names) == (True, {})
    assert asked == ["api.demo.example.org"] * 2


async def test_a_node_that_is_not_ready_and_answers_nowhere_is_dead(site: Site) -> None:
    gone = look.node_state({"metadata": {"name": "w1"}, "status": {}})
    site.access.seen = (look.time.monotonic(), look.Seen("demo", begun=True, complete=True, nodes={"w1": gone}))
    with pytest.raises(HostUnreachable, match=r"nothing answers at 192.0.2.91"):
        await look.look(site.pool, "w1")


async def test_where_the_api_is_silent_nobody_is_taken_for_a_machine_that_waits(site: Site) -> None:
    site.access.seen = (look.time.monotonic(), look.Seen("demo", begun=True, complete=True, api="it does not answer"))
    with pytest.raises(HostUnreachable):
        await look.look(site.pool, "c1")


# etcd


MEMBERS = {"c1": "192.0.2.61", "c2": "192.0.2.62", "c3": "192.0.2.63"}
MEMBER = {"hosts": ["c1", "c2", "c3"], "address": "192.0.2.63", "access": {"calls": "okd"}}


async def test_a_dead_member_is_taken_out_with_its_node_and_secrets(site: Site) -> None:
    await begun(site)
    site.tool.etcd(MEMBERS, dead={"c3"})
    await etcd.remove_member(site.context("c3", **MEMBER))
    assert "etcdctl member remove 3" in site.tool.commands[-1]
    assert site.tool.deleted == ["Node c3", *(f"Secret openshift-etcd/{name}-c3" for name in etcd.SECRETS)]
    assert site.tool.patched == [("Etcd cluster", {"spec": {"unsupportedConfigOverrides": {etcd.GUARD: True}}})]


async def test_a_member_that_runs_or_that_the_majority_needs_stays(site: Site) -> None:
    await begun(site)
    site.tool.etcd(MEMBERS)
    with pytest.raises(PlanRefused, match="c3 still runs"):
        await etcd.remove_member(site.context("c3", **MEMBER))
    site.tool.etcd(MEMBERS, dead={"c3"})
    site.ports[HOSTS["c3"]] = frozenset({10250})
    with pytest.raises(PlanRefused, match="c3 still runs"):
        await etcd.remove_member(site.context("c3", **MEMBER))
    site.tool.etcd(MEMBERS, dead={"c2", "c3"})
    with pytest.raises(PlanRefused, match="cannot be taken out"):
        await etcd.remove_member(site.context("c3", **MEMBER))
    assert (site.tool.patched, site.tool.deleted) == ([], [])


async def test_the_quorum_guard_is_on_again_when_the_new_member_votes(site: Site) -> None:
    await begun(site)
    site.tool.etcd(MEMBERS)
    site.tool.objects["Etcd cluster"] = {"spec": {"unsupportedConfigOverrides": {etcd.GUARD: True}}}
    await etcd.wait_for_member(site.context("c3", **MEMBER))
    assert site.tool.patched == [("Etcd cluster", {"spec": {"unsupportedConfigOverrides": None}})]


# The end of an installation, and upgrades


def operator(name: str, **told: str) -> dict[str, Any]:
    conditions = {"Available": "True", "Progressing": "False", "Degraded": "False", **told}
    listed = [{"type": kind, "status": status, "message": f"{name}: why"} for kind, status in conditions.items()]
    return {"metadata": {"name": name}, "status": {"conditions": listed}}


def cluster_version(release: str, state: str = "Completed", *offered: str) -> dict[str, Any]:
    status = {
        "history": [{"version": release, "state": state}],
        "conditions": [{"type": "Available", "status": "True"}],
    }
    return {"status": {**status, "availableUpdates": [{"version": one, "image": f"image-{one}"} for one in offered]}}


async def test_an_installation_has_ended_when_every_operator_says_so(site: Site) -> None:
    await begun(site)
    site.tool.objects["ClusterVersion version"] = cluster_version("4.22.0-okd-scos.7", "Partial")
    site.tool.operators = [operator("ingress", Available="False"), operator("dns", Degraded="True"), operator("etcd")]

    def better() -> None:
        site.tool.objects["ClusterVersion version"] = cluster_version("4.22.0-okd-scos.7")
        site.tool.operators = [operator("ingress"), operator("dns"), operator("etcd")]

    site.tool.then = better
    await calls.complete(site.context("demo", expected={}))
    line = site.said[-1]
    assert "goes to 4.22.0-okd-scos.7; ingress is not available: ingress: why; dns is degraded: dns: why" in line


async def test_an_upgrade_is_told_once_and_waited_for(site: Site) -> None:
    await begun(site)
    site.tool.objects["ClusterVersion version"] = cluster_version("4.22.0-okd-scos.7", "Completed", "4.22.1-okd-scos.2")
    site.tool.operators = [operator("etcd")]
    site.tool.then = lambda: site.tool.objects.update({"ClusterVersion version": cluster_version("4.22.1-okd-scos.2")})
    wanted = {"version": "4.22.1-okd-scos.2", "image": "", "accept_risks": False}
    await upgrade.upgrade(site.context("demo", **wanted))
    update = {"version": "4.22.1-okd-scos.2", "image": "image-4.22.1-okd-scos.2", "force": False}
    assert site.tool.patched == [("ClusterVersion version", {"spec": {"desiredUpdate": update}})]


async def test_a_version_that_the_cluster_is_not_offered_is_refused_before_it_is_told(site: Site) -> None:
    await begun(site)
    site.tool.objects["ClusterVersion version"] = cluster_version("4.22.0-okd-scos.7")
    wanted = {"version": "4.22.1-okd-scos.2", "image": "", "accept_risks": False}
    with pytest.raises(PlanRefused, match="is not among the updates"):
        await upgrade.upgrade(site.context("demo", **wanted))
    assert site.tool.patched == []


def test_a_risk_is_taken_only_when_the_definition_says_so() -> None:
    risk = {"type": "Recommended", "status": "False", "message": "it may burn"}
    document = cluster_version("4.22.0-okd-scos.7")
    document["status"]["conditionalUpdates"] = [{"release": {"version": "4.22.1-okd-scos.2"}, "conditions": [risk]}]
    told, goal = releases(document), upgrade.Version.parse("4.22.1-okd-scos.2")
    assert goal
    assert "it may burn" in upgrade.path_fault(told, goal, explicit=False, accept_risks=False)
    assert upgrade.path_fault(told, goal, explicit=False, accept_risks=True) == ""


# Words


def test_what_operators_versions_and_pools_say() -> None:
    assert operator_faults([]) == ["no cluster operator has reported yet"]
    assert operator_faults([operator("a"), operator("b", Progressing="True")]) == ["b is progressing: b: why"]
    assert version_fault(None) == "there is no ClusterVersion yet"
    assert version_fault(cluster_version("4.22.0-okd-scos.7"), "4.22.1-okd-scos.2").startswith("the cluster still is")
    pool = {"metadata": {"name": "worker"}, "status": {"machineCount": 3, "updatedMachineCount": 1, "conditions": []}}
    assert pool_faults([pool]) == ["the pool worker has 1 of 3 machines up to date"]


def test_the_name_of_a_machine_is_put_into_its_configuration_once() -> None:
    pointer = json.dumps({"ignition": {"version": "3.2.0"}, "storage": {"files": [{"path": "/etc/other"}]}})
    text = named(named(pointer, "c1"), "c1")
    files = json.loads(text)["storage"]["files"]
    assert [file["path"] for file in files] == ["/etc/other", "/etc/hostname"]
    assert files[1] == {
        "path": "/etc/hostname",
        "mode": 420,
        "overwrite": True,
        "contents": {"source": "data:,c1%0A"},
    }
    with pytest.raises(StateError):
        named("{}", "c1")
    assert boot_line("http://192.0.2.5:8080/c1.ign", text, "/dev/sda") == (
        f"coreos-installer install /dev/sda --ignition-url=http://192.0.2.5:8080/c1.ign --ignition-hash={digest(text)}"
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"auths":{"a":{"auth":"x"}}}', ""),
        ("{", "it is not JSON"),
        ("[]", "it has no `auths`"),
        ('{"auths":{}}', "it has no `auths`"),
        ('{"auths":{"a":{}}}', "a has no `auth`"),
    ],
)
def test_pull_secrets(text: str, fault: str) -> None:
    assert pull_secret_fault(text) == fault

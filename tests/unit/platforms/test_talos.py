"""Talos: the command lines that steps become, what machines are taken for, and what is never done to one."""

from __future__ import annotations

import tarfile
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from tests.unit.platforms.talosctl import Talosctl

from raijin.errors import AuthenticationFailed, HostUnreachable, OperationFailed, PlanRefused, StateError
from raijin.facts.etcd import EtcdByCalls
from raijin.plan.handlers import CallContext
from raijin.platforms.talos import calls, etcd
from raijin.platforms.talos.bundle import bundle_secret, filled, marked
from raijin.platforms.talos.look import connection_to, live_config, look, server_version
from raijin.platforms.talos.merge import changes, patched
from raijin.platforms.talos.platform import PLATFORM
from raijin.state.secrets import SecretStore
from raijin.transport import local
from raijin.transport.pool import Pool
from raijin.transport.talos import KUBECONFIG, TalosAccess, TalosTarget

HOSTS = {"c1": "192.0.2.41", "c2": "192.0.2.42", "c3": "192.0.2.43"}
WAITING = {"stage": "maintenance", "version": "v1.12.0"}
MACHINE = {"type": "controlplane", "kubelet": {"image": "ghcr.io/siderolabs/kubelet:v1.35.0"}}
CONFIG = [marked({"machine": MACHINE, "cluster": {"clusterName": "demo"}}, control_plane=True)]
HOSTNAME = {"apiVersion": "v1alpha1", "kind": "HostnameConfig", "hostname": "c1"}


class Site:
    """Machines behind a talosctl that stands in for the real one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.talosctl = folder, Talosctl()
        self.secrets = SecretStore(folder / "home")

        async def tool() -> Path:
            return folder / "talosctl"

        access = TalosAccess("demo", tool, self.bundle)
        self.pool = Pool({name: TalosTarget(name, at, access) for name, at in HOSTS.items()})

    def bundle(self) -> str:
        name = bundle_secret("demo")
        return self.secrets.get(name) if self.secrets.has(name) else ""

    def machines(self, **given: dict[str, Any]) -> None:
        self.talosctl.site = {HOSTS[name]: state for name, state in given.items()}

    def machine(self, name: str) -> dict[str, Any]:
        return self.talosctl.site[HOSTS[name]]

    def log(self, *kinds: str) -> list[str]:
        """The command lines that change something, without what says which machine and by which keys."""
        short = [line.partition(" --endpoints")[0] for line in self.talosctl.lines]
        return [line for line in short if line.split()[0] in kinds or (not kinds and line.split()[0] not in ASKING)]

    def context(self, target: str, **arguments: Any) -> CallContext:
        async def locate(sha256: str) -> Path:
            return self.folder / sha256

        return CallContext("demo", target, arguments, self.pool, self.secrets, None, 5.0, lambda _: None, locate)  # type: ignore[arg-type]


WIPE = "--system-labels-to-wipe"
ASKING = {"version", "get", "list"}
START = {"config": [*CONFIG, HOSTNAME], "planes": ["c2"], "talos": "v1.12.0", "port": 6443, "kubeconfig": "k"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    @asynccontextmanager
    async def answering(*_: object, **__: object):
        async def probe() -> None:
            return

        yield SimpleNamespace(probe=probe)

    site = Site(tmp_path)
    monkeypatch.setattr(calls, "open_cluster", answering)
    monkeypatch.setattr(local, "run", site.talosctl.run)
    return site


async def test_a_start_makes_secrets_configures_and_bootstraps_once(site: Site) -> None:
    site.machines(c1=dict(WAITING), c2=dict(WAITING))
    await calls.start(site.context("c1", **START))
    expected = [
        "gen secrets --talos-version v1.12.0 --output-file -",
        "apply-config --file FILE --nodes 192.0.2.41 --insecure",
        "gen config demo https://127.0.0.1:6443 --with-secrets /dev/stdin --output-types talosconfig --output -",
        "bootstrap --nodes 192.0.2.41",
    ]
    assert site.log() == [expected[0], expected[2], expected[1], expected[3]]
    await calls.start(site.context("c1", **START))
    assert site.log() == [expected[0], expected[2], expected[1], expected[3]], "a second start changes nothing"


async def test_the_machine_gets_the_secrets_that_the_plan_only_names(site: Site) -> None:
    site.machines(c1=dict(WAITING), c2=dict(WAITING))
    await calls.start(site.context("c1", **START))
    config, hostname = yaml.safe_load_all(site.machine("c1")["config"])
    assert config["cluster"]["etcd"]["ca"]["key"] == "key-of-etcd-0123456789"
    assert config["machine"]["token"] == "abcdef.fedcba9876543210"
    assert hostname["hostname"] == "c1"
    assert "(kept)" not in site.machine("c1")["config"]


async def test_no_second_cluster_is_bootstrapped_beside_a_first(site: Site) -> None:
    there = {"stage": "running", "version": "v1.12.0", "config": "machine: {type: controlplane}", "data": True}
    site.machines(c1=dict(WAITING), c2=there)
    with pytest.raises(PlanRefused, match="c2 has data of etcd"):
        await calls.start(site.context("c1", **START))
    assert site.log("bootstrap") == []


async def test_nothing_is_bootstrapped_while_a_control_plane_cannot_be_asked(site: Site) -> None:
    site.machines(c1=dict(WAITING))
    with pytest.raises(HostUnreachable):
        await calls.start(site.context("c1", **START))
    assert site.log("bootstrap") == []


async def test_a_restoration_bootstraps_from_the_snapshot_with_the_keys_of_the_backup(site: Site) -> None:
    site.machines(c1=dict(WAITING), c2=dict(WAITING))
    await calls.start(site.context("c1", **START))
    site.secrets.put("restore/secrets", site.bundle())
    site.machines(c1={**site.machine("c1"), "data": False}, c2=dict(WAITING))
    await calls.start(site.context("c1", **START, snapshot="abc", bundle="restore/secrets"))
    assert site.log("bootstrap")[-1] == f"bootstrap --recover-from {site.folder}/abc --nodes 192.0.2.41"
    site.secrets.put("restore/secrets", site.bundle().replace("an-id-of-a-cluster", "another-id"))
    with pytest.raises(PlanRefused, match="other keys"):
        await calls.start(site.context("c1", **START, snapshot="abc", bundle="restore/secrets"))


async def test_a_machine_of_somebody_else_is_neither_configured_nor_wiped(site: Site) -> None:
    site.machines(c1={"stage": "running", "version": "v1.12.0", "foreign": True})
    site.secrets.put(bundle_secret("demo"), "certs: {}")
    for call in (calls.join, calls.reset):
        with pytest.raises(PlanRefused, match="somebody else"):
            await call(site.context("c1", config=CONFIG))
    assert site.log("apply-config", "reset") == []


@pytest.fixture
async def running(site: Site) -> Site:
    """c1 to c3 are members; c1 leads."""
    site.machines(c1=dict(WAITING), c2=dict(WAITING), c3=dict(WAITING))
    await calls.start(site.context("c1", **START))
    whole = {**site.machine("c1"), "stage": "running"}
    site.machines(**{name: {**whole, "member": f"{n:016x}"} for n, name in enumerate(HOSTS, 1)})
    site.talosctl.lines.clear()
    return site


@pytest.mark.parametrize(
    ("call", "arguments", "lines"),
    [
        (calls.configure, {"config": CONFIG, "mode": "no-reboot"}, ["apply-config --file FILE --mode no-reboot"]),
        (calls.register, {}, ["service kubelet restart"]),
        (calls.halt, {}, ["reset --graceful=false --reboot --system-labels-to-wipe EPHEMERAL --wait=false"]),
        (
            calls.reset,
            {},
            [
                f"reset --graceful=false --reboot {WIPE} STATE {WIPE} EPHEMERAL --wait=false",
            ],
        ),
        (
            calls.upgrade,
            {"image": "ghcr.io/siderolabs/installer:v1.13.9", "version": "v1.13.9"},
            ["upgrade --image ghcr.io/siderolabs/installer:v1.13.9 --wait=false"],
        ),
        (calls.upgrade, {"image": "x:v1.12.0", "version": "v1.12.0"}, []),
    ],
)
async def test_command_lines(running: Site, call: Any, arguments: dict[str, Any], lines: list[str]) -> None:
    await call(running.context("c2", **arguments))
    assert running.log() == [f"{line} --nodes 192.0.2.42" for line in lines]


async def test_a_leader_gives_up_the_lead_before_it_leaves(running: Site) -> None:
    members = {"hosts": ["c2", "c3", "c1"], "address": "192.0.2.41"}
    await etcd.remove_member(running.context("c1", **members))
    changed = [line for line in running.log("etcd") if "members" not in line and "status" not in line]
    assert changed == ["etcd forfeit-leadership --nodes 192.0.2.41", "etcd leave --nodes 192.0.2.41"]


async def test_a_dead_member_is_taken_out_by_another_and_never_the_majority(running: Site) -> None:
    machines = {name: running.machine(name) for name in HOSTS}
    running.machines(**{**machines, "c3": {**machines["c3"], "dead": True}})
    call = {"hosts": ["c1", "c2", "c3"], "address": "192.0.2.42"}
    with pytest.raises(PlanRefused, match="cannot be taken out"):
        await etcd.remove_member(running.context("c2", **call))
    await etcd.remove_member(running.context("c3", hosts=["c1", "c2", "c3"], address="192.0.2.43"))
    assert running.log("etcd")[-1] == f"etcd remove-member {3:016x} --nodes 192.0.2.41"


async def test_a_backup_holds_the_snapshot_and_the_keys(running: Site) -> None:
    target = running.folder / "backup.tar"
    await PLATFORM.fetch_pack(running.context("demo"), "c1", target)
    with tarfile.open(target) as tar:
        assert tar.getnames() == ["etcd.db", "talos/secrets.yaml"]
    assert target.stat().st_mode & 0o777 == 0o600


async def test_without_kept_secrets_a_machine_is_not_asked_with_credentials(site: Site) -> None:
    site.machines(c1=dict(WAITING))
    connection = await connection_to(site.pool, "c1")
    with pytest.raises(AuthenticationFailed, match="no secrets of demo are kept here"):
        await connection.read(KUBECONFIG)
    assert site.talosctl.lines == []


async def test_the_members_are_told_whoever_asks(running: Site) -> None:
    state = await PLATFORM.etcd_state(running.pool, ["c2", "c1"], EtcdByCalls("talos"))
    assert state is not None
    # Nobody asked c3; of those that were, c1 leads.
    assert [(m.id, m.healthy, m.leader) for m in state.members] == [
        (f"{1:016x}", True, True),
        (f"{2:016x}", True, False),
        (f"{3:016x}", False, False),
    ]
    assert await PLATFORM.etcd_state(running.pool, [], EtcdByCalls("talos")) is None


async def test_what_grpc_wraps_is_said_without_its_wrapping(site: Site) -> None:
    connection = await connection_to(site.pool, "c1")
    with pytest.raises(HostUnreachable, match=r"not answer: connection error: dial tcp: connect: no route to host$"):
        await connection.talosctl("version", maintenance=True)


async def test_no_program_runs_on_a_machine(site: Site) -> None:
    connection = await connection_to(site.pool, "c1")
    with pytest.raises(OperationFailed, match="no program can run on it"):
        await connection.run("true")


async def test_what_a_machine_is_taken_for(running: Site) -> None:
    machines = {name: running.machine(name) for name in HOSTS}
    running.machines(c1=machines["c1"], c2=dict(WAITING), c3={**machines["c3"], "foreign": True})
    seen = {name: PLATFORM.parts(await look(running.pool, name)) for name in HOSTS}
    assert (seen["c1"].owner, seen["c1"].started) == ("demo", True)
    assert (seen["c2"].owner, seen["c2"].joined, seen["c2"].foreign) == ("", False, "")
    assert seen["c3"].foreign


def test_versions_and_configurations_are_read_as_talosctl_prints_them() -> None:
    text = "Client:\n\tTag:         v1.12.0\nServer:\n\tNODE:        192.0.2.41\n\tTag:         v1.13.9\n"
    assert server_version(text) == "v1.13.9"
    raw = "machine: {type: worker, ca: {crt: abc, key: ''}}\ncluster: {ca: {crt: d}}\n---\nkind: HostnameConfig\n"
    told = [{"metadata": {"id": "v1alpha1"}, "spec": "machine: {}"}, {"metadata": {"id": "persistent"}, "spec": raw}]
    config, hostname = live_config(told)
    assert config["machine"]["ca"] == {"crt": "(kept) certs.os.crt"}
    assert hostname == {"kind": "HostnameConfig"}


def test_patches_merge_as_talos_merges() -> None:
    base = [{"machine": {"a": 1, "certSANs": ["x"]}, "cluster": {"network": {"podSubnets": ["10.0.0.0/8"]}}}]
    more = {"machine": {"b": 2, "certSANs": ["y"]}, "cluster": {"network": {"podSubnets": ["192.0.2.0/24"]}}}
    volume = {"kind": "VolumeConfig", "name": "EPHEMERAL"}
    first, second = patched(base, [more, volume])
    assert first["machine"] == {"a": 1, "b": 2, "certSANs": ["x", "y"]}
    assert first["cluster"]["network"]["podSubnets"] == ["192.0.2.0/24"]
    assert second == volume


def test_differences_are_told_in_both_directions_and_never_a_secret() -> None:
    live = [marked({"machine": {"token": "a-real-token", "x": 1}, "cluster": {}}, control_plane=False)]
    wanted = [marked({"machine": {"y": 2}, "cluster": {}}, control_plane=False), {"kind": "A", "name": "b"}]
    found = [(change.field, change.before, change.after) for change in changes("c1", live, wanted)]
    assert found == [
        ("machine.y", "absent", "2"),
        ("machine.x", "1", "absent"),
        ("A b", "absent", "{'kind': 'A', 'name': 'b'}"),
    ]


def test_a_bundle_that_lacks_something_is_no_bundle() -> None:
    with pytest.raises(StateError, match=r"cluster\.id"):
        filled([{"cluster": {"id": "(kept) cluster.id"}}], "cluster: {secret: x}")

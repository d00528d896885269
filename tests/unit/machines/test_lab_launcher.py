"""What the lab writes and runs, built without running it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from raijin.machines.lab import guest, keys, network
from raijin.machines.lab.box import Box, Hierarchy
from raijin.machines.lab.launcher import Launch, nspawn, script, starter
from raijin.machines.lab.spec import LabUser
from raijin.machines.lab.state import LabPaths, MachineRecord

SHELL = shutil.which("sh") or "/bin/sh"
BOX = Box(
    hierarchies=(Hierarchy(Path("/sys/fs/cgroup/memory"), 1, ("memory",)),),
    delegated=False,
    lowers_oom_score=False,
    mtu=1400,
    networks=(),
    nameservers=("192.0.2.53",),
    kernel="6.1.0",
    module_folder=None,
    kernel_config=frozenset({"OVERLAY_FS"}),
)
ORDINARY = replace(BOX, delegated=True, lowers_oom_score=True, module_folder=Path("/lib/modules/6.1.0"))
PATHS = LabPaths(Path("/srv/raijin"))
LAUNCH = Launch("node1", Path("/srv/m 1"), Path("/cache/base/x"), PATHS.tag("node1"), PATHS.label, ("/dev/kmsg",))
IDENTITY = guest.Identity("node1", "198.51.100.11", "0" * 32, "private", "ssh-ed25519 AAAA", "ssh-ed25519 BBBB lab")
SUBNET = IPv4Network("198.51.100.0/24")


def test_names_on_the_box_fit_a_link_and_differ_between_homes() -> None:
    assert len(PATHS.label) <= 15
    assert PATHS.label != LabPaths(Path("/srv/other")).label
    assert PATHS.tag("node1") == f"{PATHS.label}-node1"


def test_nspawn_may_not_touch_clock_or_swap() -> None:
    argv = nspawn(LAUNCH)
    assert argv[0] == "systemd-nspawn"
    assert {"--boot", "--register=no", "--keep-unit", "--drop-capability=CAP_SYS_TIME"} <= set(argv)
    assert f"--machine={LAUNCH.tag}" in argv
    assert "--system-call-filter=~@swap" in argv
    assert "--bind=/srv/m 1/var:/var" in argv
    assert "--bind=/dev/kmsg" in argv


def test_nspawn_lets_programs_in_the_kernel_be_loaded_and_heard() -> None:
    allowed = next(argument for argument in nspawn(LAUNCH) if argument.startswith("--system-call-filter=@"))
    assert {"bpf", "perf_event_open"} <= set(allowed.split())  # Cilium's agent needs both


def test_without_systemd_the_program_enters_its_cgroups_and_boots_again() -> None:
    text = script(LAUNCH, BOX, PATHS)
    assert f"echo 0 >/sys/fs/cgroup/memory/{PATHS.label}/node1/cgroup.procs" in text
    assert "'--bind=/srv/m 1/var:/var'" in text
    assert '[ "$status" = 133 ] || exit "$status"' in text


def test_with_systemd_the_unit_is_the_cgroup() -> None:
    text = script(LAUNCH, ORDINARY, PATHS)
    assert "cgroup.procs" not in text
    argv = starter(LAUNCH, Path("/srv/m 1/launch"), unit=LAUNCH.tag, memory=1 << 30)
    assert argv[0] == "systemd-run"
    assert {"--property=Delegate=yes", "--property=MemoryMax=1073741824"} <= set(argv)
    assert argv[-1] == f"--machine={LAUNCH.tag}"


def test_a_daemon_is_found_by_its_tag() -> None:
    argv = starter(LAUNCH, Path("/srv/m 1/launch"), unit=None, memory=None)
    assert argv[:2] == ["sh", "-c"]
    assert "'/srv/m 1/console.log'" in argv[2]
    assert argv[-1] == f"--machine={LAUNCH.tag}"


def test_workarounds_are_only_where_the_box_needs_them() -> None:
    locked = guest.guest_files(IDENTITY, SUBNET, BOX)
    assert f"{guest.HERE}/bin/runc" in locked
    assert locked["usr/lib/modules/6.1.0/modules.builtin"].content == "kernel/fs/overlayfs/overlay.ko\n"
    ordinary = guest.guest_files(IDENTITY, SUBNET, ORDINARY)
    assert not [path for path in ordinary if "runc" in path or "modules" in path or "system.conf.d" in path]


def test_a_machine_has_its_own_identity() -> None:
    files = guest.guest_files(IDENTITY, SUBNET, BOX, [LabUser("ann", "password", "pw")])
    assert files["etc/hostname"].content == "node1\n"
    assert "address 198.51.100.11/24" in files["etc/network/interfaces"].content
    assert "gateway 198.51.100.1\n" in files["etc/network/interfaces"].content
    assert files["etc/resolv.conf"].content == "nameserver 192.0.2.53\n"
    assert files[f"{guest.HERE}/users"] == guest.GuestFile("ann password pw\n", 0o600)
    private = {path for path, file in files.items() if file.mode & 0o077 == 0}
    assert {"etc/ssh/ssh_host_ed25519_key", "root/.ssh/authorized_keys"} <= private


def test_links_do_not_replace_files() -> None:
    assert not set(guest.guest_links()) & set(guest.guest_files(IDENTITY, SUBNET, BOX))


def test_ssh_trusts_exactly_the_machines_of_the_lab() -> None:
    record = MachineRecord("node1", "198.51.100.11", "base", "ssh-ed25519 AAAA")
    assert keys.known_hosts([record]) == "node1,198.51.100.11 ssh-ed25519 AAAA\n"
    config = keys.ssh_config(PATHS, [record])
    assert "StrictHostKeyChecking yes" in config
    assert "Host node1\n    HostName 198.51.100.11\n" in config


def test_nat_is_in_a_table_of_its_own() -> None:
    text = network.ruleset(PATHS.label, "198.51.100.0/24")
    assert f'ip saddr 198.51.100.0/24 ip daddr != 198.51.100.0/24 oifname != "{PATHS.label}" masquerade' in text
    assert f"delete table ip {PATHS.label}" in text


def test_the_table_of_a_lab_whose_bridge_is_gone_is_an_orphan() -> None:
    listed = [{"metainfo": {"version": "1.0.6"}}, *({"table": {"family": "ip", "name": name}} for name in (
        PATHS.label, "raijin-0123ab", "raijin-firewall", "filter"
    ))]  # fmt: skip
    assert network.orphans(listed, {PATHS.label, "eth0"}) == ["raijin-0123ab"]


@pytest.mark.parametrize("name", ["prepare", "runc"])
def test_guest_programs_are_posix_sh(name: str) -> None:
    checked = subprocess.run([SHELL, "-n", str(guest.FILES / name)], capture_output=True, check=False)
    assert checked.stderr == b""


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        (["--log", "run", "create", "--bundle", "{here}", "id"], "config.json"),
        (["create", "--bundle={here}", "id"], "config.json"),
        (["exec", "--process", "{here}/process.json", "id", "true"], "process.json"),
    ],
)
def test_the_runc_wrapper_makes_a_negative_score_zero(tmp_path: Path, arguments: list[str], file: str) -> None:
    (tmp_path / file).write_text('{"process":{"oomScoreAdj":-997,"cwd":"/"}}')
    (tmp_path / "runc").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "runc").chmod(0o755)
    words = [word.format(here=tmp_path) for word in arguments]
    ran = subprocess.run(
        [SHELL, str(guest.FILES / "runc"), *words],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == words
    assert (tmp_path / file).read_text() == '{"process":{"oomScoreAdj":0,"cwd":"/"}}'


def test_the_runc_wrapper_leaves_other_commands_alone(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"oomScoreAdj":-997}')
    (tmp_path / "runc").symlink_to(shutil.which("true") or "/bin/true")
    subprocess.run(
        [SHELL, str(guest.FILES / "runc"), "delete", "id"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        cwd=tmp_path,
        check=True,
    )
    assert "-997" in (tmp_path / "config.json").read_text()

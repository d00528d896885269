"""Operations on what a whole machine has one of: host name, kernel settings, accounts, mounts, swap, packages.

Each test has a machine of its own, made of namespaces over an overlay of this one: the files, the host name and the
network are real, and thrown away. Packages are installed by the real dpkg and apt from packages made here.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from raijin.operations.absent import Absent
from raijin.operations.base import Operation
from raijin.operations.chains import ChainsAbsent
from raijin.operations.directory import Directory
from raijin.operations.file import File
from raijin.operations.group import Group
from raijin.operations.hostname import Hostname
from raijin.operations.kernelmodule import KernelModule
from raijin.operations.mount import Mount
from raijin.operations.package import Package
from raijin.operations.reboot import Reboot
from raijin.operations.repository import Repository
from raijin.operations.restore import Restore
from raijin.operations.routes import RoutesAbsent
from raijin.operations.swap import Swap
from raijin.operations.sysctl import Sysctl
from raijin.operations.user import User

if TYPE_CHECKING:
    from tests.operations.conftest import Machine


def settle(machine: Machine, *operations: Operation) -> None:
    """The laws: a check changes nothing, an apply changes it, the next ones find nothing to do."""
    before = machine.written()
    assert set(machine.check(*operations).states) == {"would-change"}
    assert machine.written() == before
    done = machine.run(*operations)
    assert set(done.states) == {"changed"}, done.reports
    assert set(machine.run(*operations).states) == {"ok"}
    assert set(machine.check(*operations).states) == {"ok"}


def test_the_name_of_the_host(machine: Machine) -> None:
    settle(machine, Hostname("w1.example.org"))
    assert machine.sh("hostname; cat /etc/hostname") == "w1.example.org\n" * 2
    assert machine.restore().state == "changed"
    assert machine.sh("hostname; cat /etc/hostname") == "before\n" * 2


def test_routes_that_a_container_network_left(machine: Machine) -> None:
    machine.sh(
        "ip link set lo up\n"
        "ip route add blackhole 198.51.100.64/26 proto 80\n"
        "ip route add 198.51.100.7/32 dev lo proto 80 table 7\n"
        "ip route add 203.0.113.0/24 dev lo proto static\n"
        "ip -6 route add blackhole 2001:db8:7::/64 proto 80\n"
    )
    wanted = RoutesAbsent(("80",))
    (change,) = machine.check(wanted).one().changes
    assert (change.before, change.after) == ("2 by 80", "absent")
    settle(machine, wanted)
    left = machine.sh("ip route show table all; ip -6 route show table all")
    assert "proto 80" not in left
    assert "203.0.113.0/24" in left, "what others made stays"


def test_routes_into_the_network_of_pods(machine: Machine) -> None:
    """flannel's direct routes lead over the interface of the host, which stays; they bear no mark."""
    machine.sh(
        "ip link set lo up\n"
        "ip route add 198.51.100.64/26 dev lo\n"
        "ip route add 198.51.0.0/16 dev lo\n"
        "ip -6 route add 2001:db8:1:7::/64 dev lo\n"
    )
    settle(machine, RoutesAbsent(("80",), ("198.51.100.0/24", "2001:db8:1::/48")))
    assert machine.sh("ip -4 route show") == "198.51.0.0/16 dev lo scope link \n", "it is wider than the pods' network"
    assert "2001:db8:1:7" not in machine.sh("ip -6 route show")


def test_rules_that_calico_added_to_chains_of_others(machine: Machine) -> None:
    machine.sh(
        "iptables-nft -A FORWARD -m comment --comment cali:S93hcgKJrXEqnTfs -m mark --mark 0x10000/0x10000 -j ACCEPT\n"
        "iptables-nft -A FORWARD -m comment --comment 'not cali:x' -j ACCEPT\n"
    )
    settle(machine, ChainsAbsent(("cali-",)))
    rules = machine.sh("iptables-nft -S FORWARD")
    assert "S93hcgKJrXEqnTfs" not in rules
    assert "not cali:x" in rules, "what others made stays"


def test_a_table_of_calico_goes_as_a_whole(machine: Machine) -> None:
    machine.sh("nft add table ip calico; nft add chain ip calico x; nft add table ip mine")
    settle(machine, ChainsAbsent(("cali-", "CILIUM_")))
    assert machine.sh("nft list tables") == "table ip mine\n"


def test_kernel_settings(machine: Machine) -> None:
    machine.sh("echo 0 >/proc/sys/net/ipv4/ip_forward")
    old = machine.sh("cd /proc/sys/net/ipv4; cat ip_forward ip_local_port_range")
    wanted = Sysctl((("net.ipv4.ip_forward", "1"), ("net/ipv4/ip_local_port_range", "20000 30000")))
    settle(machine, wanted)
    assert machine.sh("cd /proc/sys/net/ipv4; cat ip_forward ip_local_port_range") == "1\n20000\t30000\n"
    assert machine.at("/etc/sysctl.d/90-raijin.conf").read_text() == (
        "net.ipv4.ip_forward = 1\nnet/ipv4/ip_local_port_range = 20000 30000\n"
    )
    machine.sh("echo 0 >/proc/sys/net/ipv4/ip_forward")
    report = machine.check(wanted).one()
    assert [(c.field, c.before, c.after) for c in report.changes] == [("net/ipv4/ip_forward", "0", "1")]
    assert machine.restore().state == "changed"
    assert machine.sh("cd /proc/sys/net/ipv4; cat ip_forward ip_local_port_range") == old
    assert not machine.at("/etc/sysctl.d/90-raijin.conf").exists()


def test_a_kernel_setting_that_does_not_exist(machine: Machine) -> None:
    done = machine.run(Sysctl((("net.ipv4.no_such", "1"),))).one()
    assert (done.state, done.reason) == (
        "failed",
        "this kernel has no setting net/ipv4/no_such (is a kernel module missing?)",
    )


def test_a_kernel_setting_that_the_kernel_refuses(machine: Machine) -> None:
    done = machine.run(Sysctl((("net.ipv4.ip_local_port_range", "9 5"),))).one()
    assert (done.state, done.reason) == ("failed", "the kernel refused 9 5 for net/ipv4/ip_local_port_range")


def test_a_kernel_module_that_is_there(machine: Machine) -> None:
    """overlay is in /proc/filesystems: this machine's own root is one."""
    settle(machine, KernelModule(("overlay",)))
    assert machine.at("/etc/modules-load.d/raijin.conf").read_text() == "overlay\n"
    assert machine.restore().state == "changed"
    assert not machine.at("/etc/modules-load.d/raijin.conf").exists()


def test_a_kernel_module_that_this_kernel_cannot_have(machine: Machine) -> None:
    machine.sh("rm -rf /lib/modules/$(uname -r)")
    done = machine.run(KernelModule(("no-such",))).one()
    assert done.state == "refused"
    assert "has no no_such built in, and there are no modules for it" in done.reason


def test_kernel_modules_by_other_ways(machine: Machine) -> None:
    """A module with a hyphen that is built in, one that modprobe loads, one that it cannot load."""
    machine.sh(
        """
        dir=/lib/modules/$(uname -r); mkdir -p "$dir"
        echo kernel/drivers/x/odd-name.ko >"$dir/modules.builtin"
        """
    )
    machine.tool("modprobe", 'echo "$*" >>"$0.calls"; [ "$2" != cannot ] || { echo "modprobe: FATAL"; exit 1; }\n')
    assert machine.run(KernelModule(("odd-name",), path="/etc/m.conf")).states == ["changed"]
    assert not (machine.tools / "modprobe.calls").exists()
    failed = machine.run(KernelModule(("cannot",), path="/etc/n.conf")).one()
    assert failed.state == "failed"
    assert failed.reason.startswith("the kernel module cannot cannot be loaded into kernel")
    assert "FATAL" in failed.stderr
    assert machine.restore().state == "changed"
    assert (machine.tools / "modprobe.calls").read_text() == "-- cannot\n-r -- cannot\n"


def accounts(machine: Machine) -> str:
    return machine.sh("cd /etc; cat passwd group; ls -l passwd group | cut -d' ' -f1,3,4")


def test_users_and_groups(machine: Machine) -> None:
    before = accounts(machine)
    settle(
        machine,
        Group("etcd", gid=977),
        User("etcd", uid=977, group="etcd", home="/var/lib/etcd", groups=("adm",)),
        User("ops", system=False, shell="/bin/sh"),  # noqa: S604 # not that shell
    )
    assert "etcd:x:977:977::/var/lib/etcd:/usr/sbin/nologin" in accounts(machine)
    assert "ops" in machine.sh("id ops; ls /home")
    assert machine.restore().state == "changed"
    assert accounts(machine) == before


def test_a_user_that_is_another_one(machine: Machine) -> None:
    refused = machine.run(User("daemon", uid=4711)).one()
    assert (refused.state, refused.reason) == ("refused", "user daemon has id 1, not 4711: files may belong to it")
    refused = machine.run(Group("daemon", gid=4711)).one()
    assert (refused.state, refused.reason) == ("refused", "group daemon has id 1, not 4711: files may belong to it")


def test_a_user_that_is_changed_and_changed_back(machine: Machine) -> None:
    machine.sh("useradd -r -s /bin/sh -d /srv/old worker")
    before = accounts(machine)
    settle(machine, User("worker", home="/srv/new", groups=("adm", "tty")))
    assert {"adm", "tty"} <= set(machine.sh("id -nG worker").split())
    assert machine.restore().state == "changed"
    assert accounts(machine) == before


def test_a_mount(machine: Machine) -> None:
    machine.sh("echo '/dev/x / ext4 defaults 0 1' >/etc/fstab")
    settle(machine, Directory("/srv/my data"), Mount("/srv/my data", "tmpfs", "tmpfs", "size=1m,mode=755"))
    assert machine.at("/etc/fstab").read_text().endswith("tmpfs /srv/my\\040data tmpfs size=1m,mode=755 0 0\n")
    assert "my\\040data tmpfs" in machine.sh("cat /proc/self/mounts")
    machine.sh("umount '/srv/my data'")
    assert machine.check(Mount("/srv/my data", "tmpfs", "tmpfs", "size=1m,mode=755")).states == ["would-change"]
    assert machine.run(Mount("/srv/my data", "tmpfs", "tmpfs", "size=2m")).states == ["changed"]
    assert "size=2048k" in machine.sh("cat /proc/self/mounts")
    assert machine.restore().state == "changed"
    assert machine.at("/etc/fstab").read_text() == "/dev/x / ext4 defaults 0 1\n"
    assert "data" not in machine.sh("cat /proc/self/mounts; ls /srv")


FSTAB = "UUID=1 / ext4 defaults 0 1\nUUID=2 none  swap sw 0 0\n#/swap none swap sw 0 0\n\n/swapfile\tswap\tswap sw"


def swapping(machine: Machine, *devices: str) -> None:
    """A /proc/swaps of our own, and programs that change it."""
    table = machine.folder / "swaps"
    lines = "".join(f"{name} file\t\t1024\t\t0\t\t{-2 - at}\n" for at, name in enumerate(devices))
    table.write_text("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n" + lines)
    machine.sh(f"mount --bind {table} /proc/swaps")
    machine.tool(
        "swapoff", f'echo "swapoff $*" >>"$0.calls"; grep -v "^$1 " {table} >{table}.n; cat {table}.n >{table}\n'
    )
    machine.tool("swapon", f'echo "swapon $*" >>"{machine.tools}/swapoff.calls"; echo "$1 file 1024 0 -2" >>{table}\n')


def test_swap_goes_off_and_comes_back(machine: Machine) -> None:
    machine.write("swapfile")
    device = machine.path("swapfile")
    swapping(machine, device)
    machine.at("/etc/fstab").write_text(FSTAB)
    report = machine.check(Swap()).one()
    assert [change.field for change in report.changes] == ["swap in use", "swap in /etc/fstab"]
    settle(machine, Swap())
    text = machine.at("/etc/fstab").read_text()
    assert text == FSTAB.replace("UUID=2", "# off for Kubernetes (raijin): UUID=2").replace(
        "\n/swapfile", "\n# off for Kubernetes (raijin): /swapfile"
    )
    assert machine.restore().state == "changed"
    assert machine.at("/etc/fstab").read_text() == FSTAB
    calls = (machine.tools / "swapoff.calls").read_text()
    assert calls == f"swapoff {device}\nswapon {device}\n"


def test_swap_of_the_machine_below(machine: Machine) -> None:
    swapping(machine, "/dev/no-such-disk")
    refused = machine.run(Swap()).one()
    assert refused.state == "refused"
    assert "swap is on (/dev/no-such-disk), but on no device of this machine" in refused.reason


def test_no_swap(machine: Machine) -> None:
    swapping(machine)
    machine.at("/etc/fstab").write_text("# /swap none swap sw 0 0\n")
    assert machine.run(Swap()).states == ["ok"]
    assert machine.run(Swap(enabled=True)).states == ["ok"]


def test_swap_that_is_too_full(machine: Machine) -> None:
    machine.write("swapfile")
    swapping(machine, machine.path("swapfile"))
    machine.tool("swapoff", "echo Cannot allocate memory >&2; exit 1\n")
    failed = machine.run(Swap()).one()
    assert failed.reason == "swap cannot be switched off (is there enough free memory?)"
    assert "Cannot allocate" in failed.stderr


def test_a_full_disk(machine: Machine) -> None:
    machine.sh("mkdir /full; mount -t tmpfs -o size=64k tmpfs /full; echo old >/full/conf; chmod 600 /full/conf")
    failed = machine.run(File("/full/conf", "x" * 100_000)).one()
    assert failed.state == "failed"
    assert failed.reason == "/full/conf cannot be written (is the disk full or read-only?)"
    assert machine.sh("cat /full/conf; ls -A /full") == "old\nconf\n"


def test_a_full_state_folder(machine: Machine) -> None:
    machine.sh(f"mkdir {machine.base}; mount -t tmpfs -o nr_inodes=1 tmpfs {machine.base}")
    machine.sh("mount -t tmpfs -o nr_inodes=1 tmpfs /run; mount -t tmpfs -o nr_inodes=1 tmpfs /tmp || :")
    done = machine.run(File("/etc/x", "x"))
    assert "failed" in done.states
    assert not machine.at("/etc/x").exists()


def test_removal_never_passes_a_mount(machine: Machine) -> None:
    machine.sh(
        """
        mkdir -p /srv/data /var/lib/kubelet/pods/1/vol /var/lib/kubelet/plain; echo precious >/srv/data/file
        mount --bind /srv/data /var/lib/kubelet/pods/1/vol
        """
    )
    refused = machine.run(Absent("/var/lib/kubelet", recursive=True)).one()
    assert (refused.state, refused.reason) == (
        "refused",
        "/var/lib/kubelet/pods/1/vol is mounted below /var/lib/kubelet",
    )
    settle(machine, Absent("/var/lib/kubelet", recursive=True, unmount=True))
    assert machine.sh("cat /srv/data/file; ls -d /var/lib/kubelet 2>&1 || :").startswith("precious\nls: cannot")


def test_a_mount_that_is_busy_stops_a_removal(machine: Machine) -> None:
    machine.sh(
        "mkdir -p /var/lib/kubelet/vol; mount -t tmpfs tmpfs /var/lib/kubelet/vol; echo x >/var/lib/kubelet/vol/f"
    )
    machine.tool("umount", "echo target is busy >&2; exit 32\n")
    failed = machine.run(Absent("/var/lib/kubelet", recursive=True, unmount=True)).one()
    assert failed.reason == "/var/lib/kubelet/vol is still mounted"
    assert machine.sh("cat /var/lib/kubelet/vol/f") == "x\n"


def test_a_mount_point_is_emptied_and_stays(machine: Machine) -> None:
    machine.sh(
        """
        mkdir -p '/var/lib/et cd'; mount -t tmpfs tmpfs '/var/lib/et cd'; cd '/var/lib/et cd'
        mkdir -p lost+found member/a .hidden; mkdir -p 'in/my vol'; mount -t tmpfs tmpfs 'in/my vol'
        """
    )
    settle(machine, Absent("/var/lib/et cd", recursive=True, unmount=True))
    assert machine.sh("ls -A '/var/lib/et cd'") == "lost+found\n"


def test_a_reboot_ends_the_program(machine: Machine, eventually: object) -> None:
    machine.tool("systemctl", 'echo "$*" >>"$0.calls"\n')
    machine.sh("touch /run/reboot-required")
    done = machine.run(Reboot(), File("/etc/after", "x"))
    assert done.states == ["rebooting", "skipped"]
    calls = machine.tools / "systemctl.calls"
    eventually(lambda: calls.exists() and calls.read_text() == "--no-block reboot\n")  # type: ignore[operator]
    assert not machine.at("/etc/after").exists()
    # The host has started again, and still asks for it.
    (stamp,) = (machine.base / "stamps").iterdir()
    stamp.write_text("another-boot\n")
    refused = machine.run(Reboot()).one()
    assert (refused.state, refused.reason) == (
        "refused",
        "the host was started again for this, and still /run/reboot-required exists",
    )
    machine.sh("rm /run/reboot-required")
    assert machine.run(Reboot()).states == ["ok"]
    assert not stamp.exists()


def package(machine: Machine, name: str, depends: str = "") -> None:
    """A real package in a repository of this machine."""
    folder = machine.folder / "build" / name
    (folder / "DEBIAN").mkdir(parents=True)
    (folder / "opt").mkdir()
    (folder / f"opt/{name}").write_text(name)
    control = f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: lab\nDescription: {name}\n"
    (folder / "DEBIAN/control").write_text(control + (f"Depends: {depends}\n" if depends else ""))
    machine.sh(
        f"""
        mkdir -p /repo; cd /repo; dpkg-deb -b {folder} {name}.deb >/dev/null
        {{ dpkg-deb -f {name}.deb; echo "Filename: ./{name}.deb"; echo "Size: $(stat -c %s {name}.deb)"
          echo "SHA256: $(sha256sum {name}.deb | cut -d' ' -f1)"; echo; }} >>Packages
        """
    )


@pytest.fixture
def repository(machine: Machine) -> Machine:
    if shutil.which("dpkg-deb") is None:
        pytest.skip("needs dpkg")
    machine.sh("rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*; mkdir /repo")
    for name, depends in (("lab-lib", ""), ("lab-tool", "lab-lib"), ("lab-user", "lab-lib")):
        package(machine, name, depends)
    machine.sh("echo 'deb [trusted=yes] file:/repo ./' >/etc/apt/sources.list.d/lab.list")
    return machine


def installed(machine: Machine) -> str:
    return machine.sh("dpkg-query -W -f '${Package} ${db:Status-Status}\\n' | grep -v not-installed")


def test_packages_come_with_what_they_need_and_go_with_it(repository: Machine) -> None:
    machine = repository
    before = installed(machine)
    settle(machine, Package(("lab-tool",)))
    assert machine.sh("cat /opt/lab-tool /opt/lab-lib") == "lab-toollab-lib"
    assert machine.restore().state == "changed"
    assert installed(machine) == before


def test_a_package_that_somebody_needs_by_now_stays(repository: Machine) -> None:
    machine = repository
    assert machine.run(Package(("lab-tool",))).states == ["changed"]
    machine.sh("apt-get -qq -y install lab-user >/dev/null 2>&1")
    assert machine.restore().state == "changed"
    left = installed(machine)
    assert "lab-lib installed" in left
    assert "lab-user installed" in left
    assert "lab-tool" not in left


def test_a_package_that_does_not_exist(repository: Machine) -> None:
    failed = repository.run(Package(("dpkg", "lab-none"))).one()
    assert [change.field for change in failed.changes] == ["lab-none"]
    assert (failed.state, failed.reason) == ("failed", "apt: Unable to locate package lab-none")
    assert repository.restore().state == "changed"


def test_an_interrupted_installation_is_finished(repository: Machine) -> None:
    machine = repository
    machine.sh(
        "apt-get -qq update; apt-get -qq -y download lab-lib >/dev/null 2>&1; dpkg --unpack lab-lib*.deb >/dev/null"
    )
    machine.sh("touch /var/lib/dpkg/updates/0001")
    settle(machine, Package(("lab-tool",)))


def test_packages_that_must_be_absent(repository: Machine) -> None:
    machine = repository
    machine.sh("apt-get -qq update; apt-get -qq -y install lab-tool >/dev/null 2>&1")
    settle(machine, Package(("lab-tool", "lab-none"), present=False))
    assert "lab-tool" not in installed(machine)
    assert machine.restore().state == "changed"
    assert "lab-tool installed" in installed(machine)


def test_a_repository_is_asked_before_the_next_installation(repository: Machine) -> None:
    machine = repository
    machine.sh("apt-get -qq update; touch -d 2001-01-01 /etc/apt/sources.list.d; rm /etc/apt/sources.list.d/lab.list")
    key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n-----END PGP PUBLIC KEY BLOCK-----\n"
    source = Repository("lab", "http://192.0.2.1/debian", key, "bookworm", ("main", "extra"))
    settle(machine, source)
    assert machine.at("/etc/apt/sources.list.d/lab.sources").read_text() == (
        "Types: deb\nURIs: http://192.0.2.1/debian\nSuites: bookworm\nComponents: main extra\n"
        "Signed-By: /etc/apt/keyrings/lab.asc\n"
    )
    assert machine.at("/etc/apt/keyrings/lab.asc").read_text() == key
    assert machine.run(Restore()).states == ["changed"]
    assert not machine.at("/etc/apt/sources.list.d/lab.sources").exists()
    assert not machine.at("/etc/apt/keyrings/lab.asc").exists()


RPM = r"""
db="${0%/*}/db"
case "$0 $*" in
  *"/rpm -q "*)
    shift 4
    for n; do grep -qx "$n" "$db" && echo "$n|installed" || echo "package $n is not installed"; done;;
  *"/rpm -qa"*) cat "$db";;
  *"/rpm -e"*) shift 2; for n; do grep -vx "$n" "$db" >"$db.n"; cat "$db.n" >"$db"; done;;
  *install*) for n; do :; done; printf '%s\n%s-libs\n' "$n" "$n" >>"$db";;
esac
"""
APK = r"""
db="${0%/*}/db"
case "$*" in
  "info -e "*) shift 2; for n; do grep -x "$n" "$db"; done; :;;
  "info -q") cat "$db";;
  *" add "*) for n; do :; done; printf '%s\n%s-libs\n' "$n" "$n" >>"$db";;
  *" del "*)
    while [ "$1" != del ]; do shift; done; shift
    for n; do grep -vx "$n" "$db" >"$db.n"; cat "$db.n" >"$db"; done;;
esac
"""


OTHERS = [{"dnf": RPM, "rpm": RPM}, {"zypper": RPM, "rpm": RPM}, {"apk": APK}]


@pytest.mark.parametrize("tools", OTHERS, ids=lambda tools: next(iter(tools)))
def test_other_package_managers(machine: Machine, tools: dict[str, str]) -> None:
    """The order of their calls, with programs that play dnf, zypper and apk; the real ones need their distributions."""
    (machine.tools / "db").write_text("bash\n")
    for name, script in tools.items():
        machine.tool(name, script)
    machine.sh("rm /usr/bin/apt-get")
    settle(machine, Package(("socat",)))
    assert (machine.tools / "db").read_text() == "bash\nsocat\nsocat-libs\n"
    assert machine.restore().state == "changed"
    assert (machine.tools / "db").read_text() == "bash\n"


def test_no_package_manager(machine: Machine) -> None:
    machine.sh("rm /usr/bin/apt-get")
    refused = machine.run(Package(("socat",))).one()
    assert (refused.state, refused.reason) == (
        "refused",
        "no package manager that Raijin knows (apt, dnf, zypper, apk)",
    )


@pytest.mark.parametrize(
    ("tool", "source"), [("dnf", "/etc/yum.repos.d/k8s.repo"), ("zypper", "/etc/zypp/repos.d/k8s.repo")]
)
def test_a_repository_of_rpm(machine: Machine, tool: str, source: str) -> None:
    machine.sh("rm /usr/bin/apt-get")
    machine.tool(tool, "exit 0\n")
    settle(machine, Repository("k8s", "https://192.0.2.1/rpm/", "KEY"))
    text = machine.at(source).read_text()
    assert "baseurl=https://192.0.2.1/rpm/\nenabled=1\ngpgcheck=1\n" in text
    assert "gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-k8s\n" in text
    assert machine.at("/etc/pki/rpm-gpg/RPM-GPG-KEY-k8s").read_text() == "KEY\n"
    assert machine.restore().state == "changed"
    assert not machine.at(source).exists()


def test_the_folder_of_a_machine_is_the_same_inside(machine: Machine) -> None:
    """What these tests stand on."""
    assert machine.sh("hostname; ip link show up 2>/dev/null | grep -c eth || :") == "before\n0\n"
    machine.sh(f"echo x >{machine.root}/x")
    assert (machine.root / "x").read_text() == "x\n"
    assert Path("/etc/hostname").read_text() != "before\n"

"""Each fact, read from what real hosts print."""

from __future__ import annotations

import pytest

from raijin.facts import (
    board,
    cgroup,
    clock,
    cpu,
    disks,
    gpu,
    hardware,
    identity,
    kernel,
    kubernetes,
    memory,
    network,
    os,
    ports,
    raijin,
    resolver,
    swap,
    system,
    units,
)
from raijin.facts.base import Unknown, known


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian"\nVERSION_ID="12"\nID=debian\n',
            ("debian", "12", "Debian GNU/Linux 12 (bookworm)", "debian"),
        ),
        (
            'NAME="Ubuntu"\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\nID=ubuntu\nID_LIKE=debian\n',
            ("ubuntu", "24.04", "Ubuntu 24.04.1 LTS", "debian"),
        ),
        (
            'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n',
            ("rocky", "9.4", "rocky", "rhel"),
        ),
        (
            'ID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"\n',
            ("opensuse-leap", "15.6", "opensuse-leap", "suse"),
        ),
        ("ID=alpine\nVERSION_ID=3.20.3\n", ("alpine", "3.20.3", "alpine", "alpine")),
        ("ID=void\n", ("void", "", "void", "void")),
    ],
)
def test_the_distribution(text: str, expected: tuple[str, str, str, str]) -> None:
    here = "".join(f"/etc/os-release:{line}\n" for line in text.splitlines())
    there = "".join(f"/usr/lib/os-release:{line}\n" for line in text.splitlines())
    assert os.parse(there) == os.OperatingSystem(*expected)
    assert os.parse("/usr/lib/os-release:ID=other\n" + here) == os.OperatingSystem(*expected)


def test_a_distribution_that_quotes_what_nobody_asks_for_badly() -> None:
    assert os.parse('/etc/os-release:ID=x\n/etc/os-release:HOME_URL="half\n').id == "x"


def test_the_kernel() -> None:
    text = "6.1.0-26-arm64 aarch64\nmodule overlay\nmodule br_netfilter\nloadable\n"
    text += "/proc/filesystems:nodev\tsysfs\n/proc/filesystems:\text4\n"
    found = kernel.parse(text)
    assert found == kernel.Kernel("6.1.0-26-arm64", "arm64", ("overlay", "br_netfilter"), ("sysfs", "ext4"), True)
    assert kernel.parse("5.15.0 x86_64\n").arch == "amd64"
    assert kernel.parse("5.15.0 armv7l\n").arch == "arm"
    assert kernel.parse("5.15.0 riscv64\n").arch == "riscv64"


def test_processors() -> None:
    places = "".join(
        f"/sys/devices/system/cpu/cpu{n}/topology/core_id:{n // 2 % 2}\n"
        f"/sys/devices/system/cpu/cpu{n}/topology/physical_package_id:{n // 4}\n"
        for n in range(8)
    )
    found = cpu.parse("name:Intel(R) Xeon(R)  CPU E5-2630 v4 @ 2.20GHz\n" + places)
    assert found == cpu.Cpu("Intel(R) Xeon(R) CPU E5-2630 v4 @ 2.20GHz", sockets=2, cores=4, threads=8)


def test_processors_without_a_name() -> None:
    """ARM: cores count from zero in every cluster of them, sockets are -1 or missing."""
    found = cpu.parse("name:\n" + "".join(f"/sys/devices/system/cpu/cpu{n}/topology/core_id:{n}\n" for n in range(4)))
    assert found == cpu.Cpu("", 1, 4, 4)


def test_memory() -> None:
    assert memory.parse("total: 16384256\navailable: 12000000\n") == memory.Memory(16384256 * 1024, 12000000 * 1024)


def test_swap() -> None:
    found = swap.parse("/dev/sda2 partition 8388604 1024 here\n/dev/zram0 partition 4096 0 \n")
    assert found == (
        swap.SwapDevice("/dev/sda2", "partition", 8388604 * 1024, 1024 * 1024, True),
        swap.SwapDevice("/dev/zram0", "partition", 4096 * 1024, 0, False),
    )
    assert swap.parse("") == ()


DISKS = """\
/sys/block/loop0/size:0
/sys/block/nvme0n1/size:1953525168
/sys/block/nvme0n1/queue/rotational:0
/sys/block/nvme0n1/device/model:Samsung SSD 980 PRO 1TB
/sys/block/nvme0n1/removable:0
/sys/block/sda/size:7814037168
/sys/block/sda/queue/rotational:1
/sys/block/sda/device/model:WDC WD40EFRX
/sys/block/sda/removable:0
/sys/block/sdaa/size:2048
/sys/block/sdaa/queue/rotational:0
/sys/block/sdaa/removable:1
/proc/self/mounts:/dev/nvme0n1p2 / ext4 rw,relatime 0 0
/proc/self/mounts://nas/share /mnt cifs rw 0 0
/proc/self/mounts:/dev/sda1 /srv/my\\040data ext4 rw 0 0
free / 4096 1000 500 100 50
free /var 4096 1000 500 100 50
"""


def test_disks() -> None:
    found = disks.parse(DISKS)
    assert [(disk.name, disk.kind, disk.size, disk.mounts) for disk in found.disks] == [
        ("nvme0n1", "nvme", 1953525168 * 512, (("/dev/nvme0n1p2", "/"),)),
        ("sda", "hdd", 7814037168 * 512, (("/dev/sda1", "/srv/my data"),)),
        ("sdaa", "ssd", 2048 * 512, ()),
    ]
    assert found.disks[0].model == "Samsung SSD 980 PRO 1TB"
    assert found.disks[2].removable
    assert found.space[0] == disks.Space("/", 4096 * 1000, 4096 * 500, 100, 50)


def test_which_disk_holds_a_path_and_whether_it_takes_writes() -> None:
    text = DISKS.replace("sda1 /srv/my\\040data ext4 rw", "sda1 /var ext4 ro,noatime")
    found = disks.parse(text + "/proc/self/mounts:/dev/sda2 /var/library ext4 rw 0 0\n")
    assert (found.place("/var/lib"), found.place("/etc"), found.place("/var")) == ("/var", "/", "/var")
    holders = (found.holder("/var/lib"), found.holder("/etc"))
    assert [holder.name for holder in holders if holder] == ["sda", "nvme0n1"]
    assert found.read_only == ("/var",)
    nothing = disks.Disks((), ())
    assert nothing.holder("/var/lib") is None
    assert nothing.place("/var/lib") == ""


PI = "memory=no\ncmdline=/boot/firmware/cmdline.txt\nheat=48312\nSD=mmcblk0\nthrottled=0\n"
TOLD = "memory=yes\ntold=yes\ncmdline=/boot/cmdline.txt\nheat=40000\nheat=82500\nMMC=mmcblk0\nthrottled=0x50005\n"
BOARDS = {
    "as it is installed": (PI, board.Board(False, False, "/boot/firmware/cmdline.txt", 48.312, 0, ("mmcblk0",))),
    "told, hot, short of voltage": (TOLD, board.Board(True, True, "/boot/cmdline.txt", 82.5, 0x50005, ())),
    "its file has the number bare": (
        "memory=yes\nthrottled=50000\n",
        board.Board(True, False, "", None, 0x50000, ()),
    ),
    "a server": ("memory=yes\n", board.Board(True, False, "", None, None, ())),
}


@pytest.mark.parametrize(("text", "expected"), BOARDS.values(), ids=BOARDS)
def test_boards(text: str, expected: board.Board) -> None:
    assert board.parse(text) == expected


def test_a_host_that_does_not_tell_how_it_boots() -> None:
    with pytest.raises(LookupError):
        board.parse("vcgencmd: not found\n")


FILES = """\
/sys/class/net/eth0/address:52:54:00:12:34:56
/sys/class/net/lo/address:00:00:00:00:00:00
/sys/class/net/veth1/address:aa:bb:cc:00:00:01
/sys/class/net/wg0/address:
/sys/class/net/eth0/mtu:9000
/sys/class/net/wg0/mtu:1420
/sys/class/net/eth0/operstate:up
/sys/class/net/wg0/operstate:unknown
/sys/class/net/eth0/speed:10000
/sys/class/net/veth1/speed:10000
/sys/class/net/wg0/speed:-1
/sys/class/net/eth0/device/uevent:DRIVER=virtio_net
/proc/net/route:Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
/proc/net/route:eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
/proc/net/route:eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""
IF_INET6 = """\
/proc/net/if_inet6:fd000000000000000000000000000002 02 40 00 80     eth0
/proc/net/if_inet6:fe80000000000000505400fffe123456 02 40 20 80     eth0
"""
IP = """\
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
2: eth0    inet 192.0.2.7/24 brd 192.0.2.255 scope global dynamic eth0\\       valid_lft 8000sec preferred_lft 8000sec
2: eth0    inet6 fd00::2/64 scope global \\       valid_lft forever preferred_lft forever
2: eth0    inet6 fe80::5054:ff:fe12:3456/64 scope link \\       valid_lft forever preferred_lft forever
3: wg0    inet 10.9.0.1/32 scope global wg0\\       valid_lft forever preferred_lft forever
4: veth1@if2    inet6 fe80::1/64 scope link \\       valid_lft forever preferred_lft forever
"""
TRIE = """\
/proc/net/fib_trie:Main:
/proc/net/fib_trie:        |-- 192.0.2.0
/proc/net/fib_trie:           /24 link UNICAST
/proc/net/fib_trie:Local:
/proc/net/fib_trie:        |-- 127.0.0.1
/proc/net/fib_trie:           /32 host LOCAL
/proc/net/fib_trie:        |-- 192.0.2.7
/proc/net/fib_trie:           /32 host LOCAL
"""
ETH0 = network.Interface("eth0", "52:54:00:12:34:56", ("192.0.2.7/24", "fd00::2/64"), 9000, 10000, "up", True)


def test_the_network() -> None:
    found = network.parse(IP + FILES)
    wireguard = network.Interface("wg0", "", ("10.9.0.1/32",), 1420, None, "unknown", False)
    assert found == network.Network((ETH0, wireguard), "eth0", "192.0.2.1")


def test_the_network_of_a_host_without_ip() -> None:
    assert network.parse(FILES + TRIE + IF_INET6) == network.Network((ETH0,), "eth0", "192.0.2.1")


def test_accelerators() -> None:
    text = (
        '0000:01:00.0 0x10de 0x2684 01:00.0 "VGA compatible controller" "NVIDIA" "AD102 [GeForce RTX 4090]" -ra1\n'
        "0000:03:00.0 0x102b 0x0534 \n"
    )
    first, second = gpu.parse(text)
    assert first == gpu.Gpu("0000:01:00.0", "nvidia", "AD102 [GeForce RTX 4090]")
    assert second == gpu.Gpu("0000:03:00.0", "0x102b", "0x0534")
    assert (first.accelerator, second.accelerator) == (True, False)


DELL = """\
/sys/class/dmi/id/sys_vendor:Dell Inc.
/sys/class/dmi/id/product_name:PowerEdge R640
/sys/class/dmi/id/product_serial:ABC1234
/sys/class/dmi/id/bios_version:2.1
virtual:none
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            DELL,
            hardware.Hardware("Dell Inc.", "PowerEdge R640", "…1234", "", "2.1", "none"),
        ),
        (
            "/sys/class/dmi/id/sys_vendor:QEMU\n/sys/class/dmi/id/product_name:Standard PC\nhypervisor:yes\n",
            hardware.Hardware("QEMU", "Standard PC", "", "", "", "kvm"),
        ),
        (
            "model:Raspberry Pi 4 Model B Rev 1.4\nproduct_serial:10000000abcd1234\nvirtual:none\n",
            hardware.Hardware("", "", "…1234", "Raspberry Pi 4 Model B Rev 1.4", "", "none"),
        ),
        ("virtual:systemd-nspawn\n", hardware.Hardware("", "", "", "", "", "systemd-nspawn")),
        ("hypervisor:yes\n", hardware.Hardware("", "", "", "", "", "vm-other")),
    ],
)
def test_the_hardware(text: str, expected: hardware.Hardware) -> None:
    found = hardware.parse(text)
    assert found == expected
    assert found.container == (expected.virtual == "systemd-nspawn")


@pytest.mark.parametrize("version", ["1", "2", "hybrid"])
def test_control_groups(version: str) -> None:
    assert cgroup.parse(f"{version}\n") == version


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "epoch:1795246643.759765100\nzone:../usr/share/zoneinfo/Europe/Zurich\nsynchronised:yes\n",
            clock.Clock(1795246643.7597651, "Europe/Zurich", True),
        ),
        ("epoch:1795246643.%N\nzone:\n", clock.Clock(1795246643.0, "UTC", None)),
        ("epoch:1795246643.5\nzone:Etc/UTC\nsynchronised:no\n", clock.Clock(1795246643.5, "Etc/UTC", False)),
    ],
)
def test_the_clock(text: str, expected: clock.Clock) -> None:
    assert clock.parse(text) == expected


ANY = "0.0.0.0"  # noqa: S104 # read, not bound


def test_ports_by_ss() -> None:
    text = (
        'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))\n'
        'tcp LISTEN 0 4096 *:10250 *:* users:(("kubelet",pid=9,fd=3),("x",pid=1,fd=1))\n'
        "udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*\n"
        "tcp LISTEN 0 128 [::1]:631 [::]:*\n"
    )
    assert ports.parse(text) == (
        ports.Port("tcp", 22, ANY, "sshd"),
        ports.Port("tcp", 631, "::1", ""),
        ports.Port("tcp", 10250, "*", "kubelet"),
        ports.Port("udp", 53, "127.0.0.53", ""),
    )


def test_ports_by_the_kernel() -> None:
    text = "tcp 0100007F:192B\ntcp6 00000000000000000000000001000000:0016\nudp 00000000:0044\n"
    assert ports.parse(text) == (
        ports.Port("tcp", 22, "::1", ""),
        ports.Port("tcp", 6443, "127.0.0.1", ""),
        ports.Port("udp", 68, ANY, ""),
    )


def test_the_identity() -> None:
    text = "machine:3d1219c7c4c5404aaa1f6d2a48adfda4\nboot:006849ac-cf74\nhostname:w1\nuid:0\n"
    assert identity.parse(text) == identity.Identity("3d1219c7c4c5404aaa1f6d2a48adfda4", "006849ac-cf74", "w1", 0)


def test_the_system() -> None:
    assert system.parse("init:systemd\npackages:apt\napparmor:Y\n") == system.System("systemd", "apt", "disabled", True)
    assert system.parse("init:systemd\npackages:dnf\nselinux:1\n") == system.System(
        "systemd", "dnf", "enforcing", False
    )
    assert system.parse("init:tini\n") == system.System("tini", "", "disabled", False)


def test_units() -> None:
    text = (
        "Id=kubelet.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n\n"
        "Id=containerd.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\n"
        "Id=ufw.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\n"
        "Id=k3s.service\nLoadState=masked\nActiveState=inactive\nUnitFileState=masked\n"
    )
    found = units.parse(text)
    assert found.states == {"containerd": "active", "ufw": "active", "k3s": "masked"}
    assert found.firewalls == ("ufw",)
    assert found.active("containerd")
    assert not found.active("kubelet")
    assert units.parse("\n").states == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "/etc/resolv.conf:nameserver 192.0.2.1\n/etc/resolv.conf:search a.lan b.lan\n",
            resolver.Resolver(("192.0.2.1",), ("a.lan", "b.lan"), False, "/etc/resolv.conf"),
        ),
        (
            "/etc/resolv.conf:# nameserver 192.0.2.9\n/etc/resolv.conf:\n/etc/resolv.conf:options edns0\n",
            resolver.Resolver((), (), False, "/etc/resolv.conf"),
        ),
        (
            "/etc/resolv.conf:nameserver 127.0.0.53\n/run/systemd/resolve/resolv.conf:nameserver 192.0.2.1\n",
            resolver.Resolver(("192.0.2.1",), (), True, "/run/systemd/resolve/resolv.conf"),
        ),
        ("/etc/resolv.conf:nameserver 127.0.0.1\n", resolver.Resolver(("127.0.0.1",), (), True, "/etc/resolv.conf")),
        ("", resolver.Resolver((), (), False, "/etc/resolv.conf")),
    ],
)
def test_the_resolver(text: str, expected: resolver.Resolver) -> None:
    assert resolver.parse(text) == expected


def test_what_raijin_left() -> None:
    text = "owner my lab\nscope 12 my lab\nscope 0 old\nmarker kubeadm-init\n"
    assert raijin.parse(text) == raijin.Ownership("my lab", {"my lab": 12, "old": 0}, ("kubeadm-init",))
    assert raijin.parse("") == raijin.Ownership("", {}, ())


def test_the_parts_of_kubernetes() -> None:
    sha256 = "ab" * 32
    text = (
        "= kubelet-v1.34.2-linux-amd64\n"
        f"{sha256} 12.34.2026-11-21 07:13:12.258022640 +0000|/usr/local/bin/kubelet\n"
        "= containerd-2.1.4-linux-amd64.tar.gz\n"
        "- 13.34.2026-11-21 07:13:12.258022640 +0000|/usr/local/bin/containerd\n"
        "part 12.34.2026-11-21 07:13:12.258022640 +0000|/usr/local/bin/kubelet\n"
        "part 13.34.2026-11-21 07:13:12.258022640 +0000|/usr/local/bin/containerd\n"
        "part 14.34.2026-11-21 07:13:12.258022640 +0000|/usr/sbin/runc\n"
        "version /usr/sbin/runc 1.1.5+ds1\n"
        "part 15.34.2026-11-21 07:13:12.258022640 +0000|/usr/local/bin/k3s\n"
        "version /usr/local/bin/k3s v1.33.4+k3s1\n"
        "part 16.34.2026-11-21 07:13:12.258022640 +0000|/opt/cni/bin/bridge\n"
        "file /etc/kubernetes/admin.conf\n"
    )
    found = kubernetes.parse(text)
    assert [(part.name, part.path, part.version, part.sha256) for part in found.parts] == [
        ("kubelet", "/usr/local/bin/kubelet", "1.34.2", sha256),
        ("containerd", "/usr/local/bin/containerd", "2.1.4", ""),
        ("runc", "/usr/sbin/runc", "1.1.5+ds1", ""),
        ("k3s", "/usr/local/bin/k3s", "1.33.4+k3s1", ""),
        ("bridge", "/opt/cni/bin/bridge", "", ""),
    ]
    assert found.files == ("/etc/kubernetes/admin.conf",)
    assert found.present
    part = found.part("kubelet")
    assert part is not None
    assert part.version == "1.34.2"
    assert found.part("helm") is None
    assert not kubernetes.parse("").present


def test_a_value_or_another() -> None:
    assert known("2", "1") == "2"
    assert known(Unknown("it is dark"), "1") == "1"

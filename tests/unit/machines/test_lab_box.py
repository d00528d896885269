"""Reading the box: what its tools and files say, as data."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from raijin.machines.lab import apt
from raijin.machines.lab.box import (
    Hierarchy,
    bounding_set,
    nameservers,
    parse_hierarchies,
    parse_kernel_config,
    parse_networks,
    uplink_mtu,
)
from raijin.machines.lab.modules import builtin_list
from raijin.machines.lab.prerequisites import filesystem

ROUTES = """[
 {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0"},
 {"dst": "0.0.0.0/1", "dev": "tun0"},
 {"dst": "192.0.2.0/24", "dev": "eth0"},
 {"type": "local", "dst": "192.0.2.2", "dev": "eth0"},
 {"type": "broadcast", "dst": "192.0.2.255", "dev": "eth0"}]"""


def test_networks_are_what_is_routed_without_default_routes() -> None:
    assert parse_networks(ROUTES) == (IPv4Network("192.0.2.0/24"), IPv4Network("192.0.2.2/32"))
    assert parse_networks("") == ()


def test_the_mtu_is_that_of_the_way_out_and_never_larger_than_ethernet() -> None:
    assert uplink_mtu(ROUTES, '[{"ifname": "lo", "mtu": 65536}, {"ifname": "eth0", "mtu": 1400}]') == 1400
    assert uplink_mtu(ROUTES, '[{"ifname": "eth0", "mtu": 9000}]') == 1500
    assert uplink_mtu("[]", "[]") == 1500


def test_cgroup_v1_hierarchies() -> None:
    mounts = """\
tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,relatime,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,xattr,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime,nsdelegate 0 0
cgroup /elsewhere/cpu cgroup rw,cpu 0 0
"""
    assert parse_hierarchies(mounts) == (
        Hierarchy(Path("/sys/fs/cgroup/cpu,cpuacct"), 1, ("cpu", "cpuacct")),
        Hierarchy(Path("/sys/fs/cgroup/systemd"), 1, ("name=systemd",)),
        Hierarchy(Path("/sys/fs/cgroup/unified"), 2),
    )


def test_cgroup_v2_is_one_hierarchy() -> None:
    mounts = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate 0 0\n"
    assert parse_hierarchies(mounts) == (Hierarchy(Path("/sys/fs/cgroup"), 2),)


def test_the_filesystem_of_a_folder_is_that_of_the_nearest_mount() -> None:
    mounts = "overlay / overlay rw 0 0\n/dev/sda1 /srv/data ext4 rw 0 0\n/dev/sdb1 /srv xfs rw 0 0\n"
    found = {place: filesystem(Path(place), mounts) for place in ("/home", "/srv/x", "/srv/data/lab", "/srv/database")}
    assert found == {"/home": "overlay", "/srv/x": "xfs", "/srv/data/lab": "ext4", "/srv/database": "xfs"}


def test_the_bounding_set() -> None:
    assert bounding_set("Name:\tx\nCapBnd:\t000001fffeffffff\n") >> 24 & 1 == 0
    assert bounding_set("CapBnd:\t000001ffffffffff\n") >> 24 & 1 == 1


def test_name_servers_on_the_loopback_are_of_no_use_to_a_machine() -> None:
    stub = "# stub\nnameserver 127.0.0.53\noptions edns0\n"
    real = "nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch example.org\n"
    assert nameservers([stub, real]) == ("192.0.2.53",)
    assert nameservers([stub]) == ()


def test_builtin_modules_follow_the_kernel_configuration() -> None:
    options = parse_kernel_config("CONFIG_OVERLAY_FS=y\n# CONFIG_IP_VS is not set\nCONFIG_VXLAN=m\n")
    assert builtin_list(options) == "kernel/fs/overlayfs/overlay.ko\n"


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["URIs: http://mirror.example.org/debian/\nSuites: bookworm\n"], "http://mirror.example.org/debian"),
        (["deb [signed-by=/x] https://m.example.org/debian bookworm main\n"], "https://m.example.org/debian"),
        (["# http://old.example.org/debian\nURIs: http://archive.example.org/ubuntu/\n"], apt.DEBIAN),
        ([], apt.DEBIAN),
    ],
)
def test_the_mirror_of_the_box_is_used(sources: list[str], expected: str) -> None:
    assert apt.mirror(sources, "/debian", apt.DEBIAN) == expected


def test_only_how_to_reach_a_mirror_is_carried_over() -> None:
    dump = """\
APT::Architecture "amd64";
Acquire::http "";
Acquire::http::Proxy "http://proxy.example.org:3128";
Acquire::Check-Date "false";
Acquire::Languages:: "none";
"""
    options = apt.carried(dump)
    assert options == ('Acquire::http::Proxy "http://proxy.example.org:3128";', 'Acquire::Check-Date "false";')
    access = apt.AptAccess(apt.DEBIAN, apt.SECURITY, options, {})
    assert access.proxy == {"http_proxy": "http://proxy.example.org:3128"}

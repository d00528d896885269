"""K3s and RKE2 on the RHEL family, with SELinux. Law: the policy comes before the program, or a refusal."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from tests.plans.conftest import World, filled

from raijin.definition.load import load
from raijin.facts.os import OperatingSystem
from raijin.facts.system import System
from raijin.lifecycle.preflight import preflight
from raijin.operations.file import File
from raijin.operations.package import Package
from raijin.operations.repository import Repository
from raijin.platforms import platform_of

KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBF\n-----END PGP PUBLIC KEY BLOCK-----"
ROCKY9 = OperatingSystem("rocky", "9.4", "Rocky Linux 9.4", "rhel")
RHEL10 = OperatingSystem("rhel", "10.0", "Red Hat Enterprise Linux 10.0", "rhel")
ALMA8 = OperatingSystem("almalinux", "8.10", "AlmaLinux 8.10", "rhel")
FEDORA = OperatingSystem("fedora", "42", "Fedora 42", "rhel")
LEAP = OperatingSystem("opensuse-leap", "15.6", "openSUSE Leap 15.6", "suse")
DEBIAN = OperatingSystem("debian", "12", "Debian 12", "debian")
RUNNING = filled(System, init="systemd", packages="dnf", selinux="enforcing")


def world_of(examples, example: str, system: OperatingSystem, programs: System = RUNNING, more: str = "") -> World:
    text = (examples / f"{example}.yaml").read_text()
    if example == "k3s":
        text = text.replace(
            "disable: [traefik, servicelb]\n", f"disable: [traefik, servicelb]\n    selinux: true\n{more}"
        )
    else:
        text = text.replace("    selinux: true\n", f"    selinux: true\n{more}")
    return World(load(io.StringIO(text), {}), told={"os": system, "system": programs})


def with_repository(uri: str = "") -> str:
    key = KEY.replace("\n", "\n        ")
    return f"    selinuxRepository:\n      key: |\n        {key}\n" + (f"      uri: {uri}\n" if uri else "")


def prepared(world: World) -> list[object]:
    context = world.context()
    return list(platform_of(context.cluster).prepare(context, context.first).operations)


@pytest.mark.parametrize(("example", "product"), [("k3s", "k3s"), ("rke2", "rke2")])
@pytest.mark.parametrize("system", [ROCKY9, RHEL10, ALMA8, FEDORA, LEAP])
def test_the_policy_is_installed_in_the_first_phase(examples, example: str, product: str, system) -> None:
    """A phase before the binaries, so that these get their labels; what is installed already is no change."""
    world = world_of(examples, example, system)
    assert preflight(world.context()) == []
    packages = [o.names for o in prepared(world) if isinstance(o, Package)]
    assert ("container-selinux", f"{product}-selinux") in packages
    assert (("kernel-modules-extra",) in packages) is (system is RHEL10)
    assert not any(isinstance(o, Repository) for o in prepared(world)), "hosts keep to the repositories that they have"


@pytest.mark.parametrize(
    ("example", "system", "uri"),
    [
        ("rke2", ROCKY9, "https://rpm.rancher.io/rke2/latest/common/centos/9/noarch"),
        ("rke2", RHEL10, "https://rpm.rancher.io/rke2/latest/common/centos/10/noarch"),
        ("k3s", ROCKY9, "https://rpm.rancher.io/k3s/stable/common/centos/9/noarch"),
        ("k3s", RHEL10, "https://rpm.rancher.io/k3s/stable/common/centos/9/noarch"),
        ("k3s", ALMA8, "https://rpm.rancher.io/k3s/stable/common/centos/8/noarch"),
        ("k3s", FEDORA, "https://rpm.rancher.io/k3s/stable/common/centos/8/noarch"),
    ],
)
def test_ranchers_repository_with_its_key(examples, example: str, system: OperatingSystem, uri: str) -> None:
    world = world_of(examples, example, system, more=with_repository())
    assert preflight(world.context()) == []
    operations = prepared(world)
    (repository,) = (o for o in operations if isinstance(o, Repository))
    assert repository.uri == uri
    assert repository.key.strip() == KEY
    (package,) = (o for o in operations if isinstance(o, Package) and "container-selinux" in o.names)
    assert operations.index(repository) < operations.index(package)


def test_a_mirror_stands_in_for_it(examples) -> None:
    mirror = "https://mirror.example.org/rke2/noarch"
    for system in (ROCKY9, LEAP):
        world = world_of(examples, "rke2", system, more=with_repository(mirror))
        assert preflight(world.context()) == []
        assert [o.uri for o in prepared(world) if isinstance(o, Repository)] == [mirror]


@pytest.mark.parametrize(
    ("system", "programs", "more", "reason"),
    [
        (ROCKY9, replace(RUNNING, selinux="disabled"), "", "SELinux is off there"),
        (DEBIAN, replace(RUNNING, packages="apt"), "", "no package rke2-selinux for Debian 12"),
        (ROCKY9, replace(RUNNING, packages=""), "", "not managed by dnf or zypper"),
        (LEAP, RUNNING, with_repository(), "repository for openSUSE Leap 15.6 is not known"),
    ],
)
def test_where_it_cannot_be_done_that_is_said_first(examples, system, programs, more: str, reason: str) -> None:
    (found,) = preflight(world_of(examples, "rke2", system, programs, more).context())
    assert reason in found
    assert found.startswith("homelab: ")


def test_a_repository_that_nothing_needs_is_refused(examples) -> None:
    text = (examples / "rke2.yaml").read_text().replace("    selinux: true\n", with_repository())
    cluster = load(io.StringIO(text), {}).cluster()
    assert "kubernetes.rke2.selinuxRepository" in dict(platform_of(cluster).refused(cluster))


def test_network_manager_keeps_away_from_the_interfaces_of_pods(examples) -> None:
    """Known Issues of docs.rke2.io; K3s asks for no such thing."""
    files = {o.path: str(o.content) for o in prepared(world_of(examples, "rke2", ROCKY9)) if isinstance(o, File)}
    text = files["/etc/NetworkManager/conf.d/rke2-canal.conf"]
    assert text.startswith("[keyfile]\nunmanaged-devices=interface-name:flannel*;interface-name:cali*;")
    assert not [o for o in prepared(world_of(examples, "k3s", ROCKY9)) if isinstance(o, File) and "Network" in o.path]


def test_the_cis_profile_finds_what_it_asks_for(examples) -> None:
    """The kernel settings of rke2-cis-sysctl.conf, and on servers the user and group etcd before the program starts."""
    operations = prepared(world_of(examples, "rke2", ROCKY9))
    (sysctl,) = (o for o in operations if o.kind == "sysctl")
    wanted = {"vm.panic_on_oom": "0", "vm.overcommit_memory": "1", "kernel.panic": "10", "kernel.panic_on_oops": "1"}
    assert wanted.items() <= dict(sysctl.settings).items()
    assert {"group", "user"} <= {o.kind for o in operations}


def test_other_systems_are_left_alone(examples, world) -> None:
    context = world("rke2").context()
    kinds = {o.kind for o in platform_of(context.cluster).prepare(context, context.first).operations}
    assert not kinds & {"package", "repository", "file"}

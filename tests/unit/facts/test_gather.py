"""All facts of a host: one script, one answer, one value."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace

import pytest

from raijin.errors import HostError
from raijin.facts import ABILITIES, LEFT_OUT
from raijin.facts.base import Unknown
from raijin.facts.cpu import Cpu
from raijin.facts.disks import Disk, Disks
from raijin.facts.gather import OTHER_MOUNTS, HostFacts, from_json, parse, script
from raijin.facts.gpu import Gpu
from raijin.facts.hardware import Hardware
from raijin.facts.kubernetes import Kubernetes, Part
from raijin.facts.labels import label_value, labels_from
from raijin.facts.memory import Memory
from raijin.facts.network import Interface, Network
from raijin.facts.raijin import Ownership
from raijin.facts.units import Units

NOTHING = HostFacts(**{ability.name: Unknown("not asked") for ability in ABILITIES})  # type: ignore[arg-type]


def answer(mark: str = "raijin-facts-1234", **sections: str) -> str:
    """What a host prints; sections that are not given are empty."""
    names = [ability.name for ability in ABILITIES]
    return "".join(f"\n{mark} {name}\n{sections.get(name, '')}" for name in names) + f"\n{mark} end\n"


def test_every_ability_has_its_field_in_the_same_order() -> None:
    assert [ability.name for ability in ABILITIES] == [field.name for field in fields(HostFacts)]


def test_a_host_that_tells_little_is_read_in_part() -> None:
    facts = parse("Welcome to the lab!\n" + answer(cgroup="2\n", memory="total: 1024\navailable: 512\n"))
    assert facts.cgroup == "2"
    assert facts.memory == Memory(1024 * 1024, 512 * 1024)
    assert isinstance(facts.os, Unknown)
    assert facts.os.unknown == "KeyError: 'ID' (the host said: nothing)"


def test_no_name_on_the_host_passes_for_a_section() -> None:
    """A program may call itself what it likes."""
    facts = parse(answer(identity="boot:1\nhostname:w1\nuid:1000\nraijin-facts-9 identity\nuid:0\n", cgroup="2\n"))
    assert not isinstance(facts.identity, Unknown)
    assert facts.cgroup == "2"
    marks = {re.findall(r"raijin-facts-\w+", script())[0] for _ in range(3)}
    assert len(marks) == 3


@pytest.mark.parametrize("output", ["", "This account is not available.\n", answer()[:-20]])
def test_an_answer_that_is_not_whole(output: str) -> None:
    with pytest.raises(HostError, match="did not arrive whole"):
        parse(output)


def test_the_state_folder_is_quoted() -> None:
    assert "BASE='/srv/it'\\''s'" in script("/srv/it's")


FULL = replace(
    NOTHING,
    cpu=Cpu("AMD Ryzen 7 5800X 8-Core Processor", 1, 8, 16),
    memory=Memory(33_000_000_000, 1),
    disks=Disks(
        (Disk("nvme0n1", 1, False, False, "", ()), Disk("sda", 1, True, False, "", (("/dev/sda1", "/srv"),))), ()
    ),
    network=Network((Interface("eth0", "", ("192.0.2.7/24",), 1500, 2500, "up", True),), "eth0", "192.0.2.1"),
    gpus=(Gpu("1", "0x102b", "G200"), Gpu("2", "nvidia", "AD102 [GeForce RTX 4090]")),
    hardware=Hardware("", "", "", "Raspberry Pi 4 Model B Rev 1.4", "", "none"),
    units=Units({"containerd": "active"}),
    kubernetes=Kubernetes((Part("kubelet", "/usr/bin/kubelet", "1.34.2", ""),), ("/etc/kubernetes/admin.conf",)),
    raijin=Ownership("lab", {"lab": 3}, ()),
    cgroup="2",
)


@pytest.mark.parametrize("facts", [NOTHING, FULL])
def test_there_and_back(facts: HostFacts) -> None:
    assert from_json(json.loads(json.dumps(facts.to_json()))) == facts


def test_labels() -> None:
    assert labels_from(FULL) == {
        "raijin.dev/cpu": "16",
        "raijin.dev/cpu-model": "AMD-Ryzen-7-5800X-8-Core-Processor",
        "raijin.dev/memory-gib": "31",
        "raijin.dev/disk": "nvme",
        "raijin.dev/network-mbit": "2500",
        "raijin.dev/gpu": "nvidia",
        "raijin.dev/gpu-count": "1",
        "raijin.dev/gpu-model": "AD102-GeForce-RTX-4090",
        "raijin.dev/board": "Raspberry-Pi-4-Model-B-Rev-1.4",
    }
    assert labels_from(NOTHING) == {}
    assert labels_from(replace(NOTHING, hardware=Hardware("QEMU", "", "", "", "", "kvm"))) == {
        "raijin.dev/virtual": "kvm"
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Intel(R) Xeon(R) Processor @ 2.80GHz", "Intel-Xeon-Processor-2.80GHz"),
        ("-._", ""),
        ("é" * 10 + "x", "x"),
        ("x" * 62 + "..yy", "x" * 62),
    ],
)
def test_a_value_that_kubernetes_takes(text: str, value: str) -> None:
    assert label_value(text) == value
    assert re.fullmatch(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", value)


def test_the_lines_of_files_go_to_the_facts_that_want_them() -> None:
    """One process reads the files of all facts; a name that begins like another one's is not taken for it."""
    files = "/etc/os-release:ID=x\n/etc/resolv.conf:nameserver 192.0.2.1\n/etc/resolv.confused:nameserver 192.0.2.2\n"
    end = "\nraijin-facts-1234 end"
    facts = parse(answer().replace(end, f"\nraijin-facts-1234 files\n{files}{end}"))
    assert not isinstance(facts.os, Unknown)
    assert facts.os.id == "x"
    assert not isinstance(facts.resolver, Unknown)
    assert facts.resolver.nameservers == ("192.0.2.1",)


def test_every_pattern_is_told_by_what_is_fixed_in_it() -> None:
    """No line of one fact's files may be taken for one of another's."""
    fixed = {(ability.name, pattern.split("*")[0].split("[")[0]) for ability in ABILITIES for pattern in ability.files}
    for name, start in fixed:
        assert not [(other, more) for other, more in fixed if other != name and more.startswith(start)]


@pytest.mark.parametrize("line", ["overlay /run/pods/1 overlay rw,lowerdir=/a:/b 0 0", "tmpfs /dev/shm tmpfs rw 0 0"])
def test_mounts_without_a_device_stay_on_the_host(line: str) -> None:
    assert re.search(OTHER_MOUNTS, line)


@pytest.mark.parametrize("line", ["/dev/sda1 / ext4 rw 0 0", "ID=debian", "nodev\tsysfs", "eth0\t0000\t01", ""])
def test_other_lines_of_files_do_not(line: str) -> None:
    assert not re.search(OTHER_MOUNTS, line)


def test_what_a_plan_leaves_out_is_unknown() -> None:
    text = script(for_plan=True)
    assert "systemctl" not in text
    assert LEFT_OUT["ports"] in text
    facts = parse("\nraijin-facts-1 cgroup\n2\n\nraijin-facts-1 end\n")
    assert facts.units == Unknown("it was not asked for")
    assert facts.cgroup == "2"

"""Names, addresses, subnets and sizes of a lab."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raijin.errors import MachineError
from raijin.machines.lab.spec import (
    SUBNETS,
    LabSpec,
    LabUser,
    check_users,
    choose_subnet,
    free_addresses,
    gateway,
    parse_size,
    wanted_names,
)


def test_hosts_are_numbered_from_one() -> None:
    assert wanted_names(LabSpec(hosts=3)) == ("node1", "node2", "node3")


def test_names_win_over_a_number() -> None:
    assert wanted_names(LabSpec(hosts=5, names=("cp1", "w1"))) == ("cp1", "w1")


@pytest.mark.parametrize("name", ["", "1a", "A", "a_b", "a-", "a.b", "../x", "a" * 41])
def test_a_name_that_is_no_host_name_is_refused(name: str) -> None:
    with pytest.raises(MachineError, match="cannot be the name"):
        wanted_names(LabSpec(names=(name,)))


@pytest.mark.parametrize("spec", [LabSpec(names=("a", "a")), LabSpec(hosts=0)])
def test_twice_or_none_is_refused(spec: LabSpec) -> None:
    with pytest.raises(MachineError):
        wanted_names(spec)


@pytest.mark.parametrize(
    ("text", "size"),
    [("512M", 512 << 20), ("2g", 2 << 30), ("2GiB", 2 << 30), ("1073741824", 1 << 30), ("64 kB", 65536)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "two", "-1G", "1X"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(MachineError, match="amount of memory"):
        parse_size(text)


def test_the_first_free_subnet_is_chosen() -> None:
    assert choose_subnet(None, []) == SUBNETS[0]
    assert choose_subnet(None, [IPv4Network("198.51.100.64/26")]) == SUBNETS[1]
    assert choose_subnet(None, [IPv4Network("198.51.100.7/32"), SUBNETS[1]]) == SUBNETS[2]


def test_a_full_box_needs_a_choice() -> None:
    with pytest.raises(MachineError) as caught:
        choose_subnet(None, [IPv4Network("198.0.0.0/8")])
    assert "--subnet" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("192.0.2.0/25", "overlaps 192.0.2.0/24"),
        ("192.0.0.0/16", "overlaps 192.0.2.0/24"),
        ("10.0.0.1/24", "is not an IPv4 subnet"),
        ("10.0.0.0/27", "too small"),
    ],
)
def test_a_wanted_subnet_must_be_usable(wanted: str, message: str) -> None:
    with pytest.raises(MachineError, match=message):
        choose_subnet(wanted, [IPv4Network("192.0.2.0/24")])


def test_addresses_fill_gaps_and_keep_room_for_virtual_ones() -> None:
    subnet = IPv4Network("198.51.100.0/24")
    assert str(gateway(subnet)) == "198.51.100.1"
    assert free_addresses(subnet, ["198.51.100.12"], 3) == ["198.51.100.11", "198.51.100.13", "198.51.100.14"]


@given(st.integers(min_value=0, max_value=60), st.sets(st.integers(min_value=11, max_value=62)))
def test_addresses_are_new_and_inside_or_refused(count: int, taken: set[int]) -> None:
    subnet = IPv4Network("198.51.100.0/26")
    used = {f"198.51.100.{octet}" for octet in taken}
    if count > 52 - len(taken):
        with pytest.raises(MachineError, match="no address left"):
            free_addresses(subnet, used, count)
    else:
        found = free_addresses(subnet, used, count)
        assert len(set(found)) == count
        assert not used.intersection(found)
        assert all(11 <= int(address.rsplit(".", 1)[1]) <= 62 for address in found)


@pytest.mark.parametrize(
    "user", [LabUser("root"), LabUser("Ann"), LabUser("ann", sudo="password"), LabUser("ann", password="a b")]
)
def test_users_that_cannot_be_made_are_refused(user: LabUser) -> None:
    with pytest.raises(MachineError):
        check_users([user])

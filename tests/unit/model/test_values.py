"""The small types: names, addresses, networks, durations, versions, labels, portions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from raijin.model.cidr import Cidr, DualStackCidr
from raijin.model.duration import Duration, format_duration, parse_duration
from raijin.model.host import split_jump
from raijin.model.labels import Taint
from raijin.model.names import Address, Endpoint, HostName, MacAddress, split_endpoint
from raijin.model.policy import Policy
from raijin.model.version import Version


@pytest.mark.parametrize(
    ("type_", "given_", "read"),
    [
        (Address, "192.0.2.11", "192.0.2.11"),
        (Address, "2001:db8::1", "2001:db8::1"),
        (Address, "n1.example.org", "n1.example.org"),
        (Address, "N1", "N1"),
        (HostName, "n1.example.org", "n1.example.org"),
        (HostName, "3com", "3com"),
        (MacAddress, "02-00-5E-10-00-01", "02:00:5e:10:00:01"),
        (MacAddress, "0200.5e10.0001", "02:00:5e:10:00:01"),
        (Cidr, "2001:db8::/64", "2001:db8::/64"),
        (DualStackCidr, "10.244.0.0/16, 2001:db8::/56", "10.244.0.0/16,2001:db8::/56"),
        (Endpoint, "[2001:db8::1]:6443", "[2001:db8::1]:6443"),
        (Endpoint, "2001:db8::1", "2001:db8::1"),
        (Endpoint, "api.example.org", "api.example.org"),
    ],
)
def test_accepted(type_: object, given_: str, read: str) -> None:
    assert TypeAdapter(type_).validate_python(given_) == read


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (HostName, "N1"),
        (HostName, "a" * 64),
        (HostName, "-n1"),
        (HostName, "n1\n"),
        (Address, ""),
        (Address, "1.2.3"),
        (Address, "n_1"),
        (MacAddress, "02:00:5e:10:00:0g"),
        (Cidr, "192.0.2.0"),
        (DualStackCidr, "10.0.0.0/8,172.16.0.0/12"),
        (Endpoint, "api.example.org:0"),
        (Endpoint, "[2001:db8::1]:x"),
        (Endpoint, "api example"),
    ],
)
def test_refused(type_: object, value: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(type_).validate_python(value)


def test_endpoints_split() -> None:
    assert split_endpoint("api.example.org:8443", 6443) == ("api.example.org", 8443)
    assert split_endpoint("api.example.org", 6443) == ("api.example.org", 6443)
    assert split_endpoint("2001:db8::1", 6443) == ("2001:db8::1", 6443)
    assert split_endpoint("[2001:db8::1]:1", 6443) == ("2001:db8::1", 1)
    assert split_endpoint("[2001:db8::1]", 6443) == ("2001:db8::1", 6443)


def test_jumps_split() -> None:
    assert split_jump("bastion") == (None, "bastion", None)
    assert split_jump("me@198.51.100.1:2222") == ("me", "198.51.100.1", 2222)
    assert split_jump("me@[2001:db8::1]:22") == ("me", "2001:db8::1", 22)
    assert split_jump("me@") is None
    assert split_jump("a:99999") is None


@given(st.integers(min_value=0, max_value=10**7))
def test_durations_read_back(seconds: int) -> None:
    span = timedelta(seconds=seconds)
    assert parse_duration(format_duration(span)) == span


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5400), ("1d", 86400)])
def test_durations(text: str, seconds: int) -> None:
    assert TypeAdapter(Duration).validate_python(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", ["", "10", 10, "m", "1m1h", "-5s", True, None, "1.5h"])
def test_no_durations(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(value)


def test_versions_follow_each_other() -> None:
    texts = ["v1.9.9", "v1.31.0-rc.9", "1.31.0-rc.10", "v1.31.0", "v1.31.0+k3s1", "v1.31.0+k3s2", "1.31.1", "v1.31.10"]
    versions = [Version.parse(text) for text in texts]
    assert sorted(versions, key=lambda version: version or Version(0, 0, 0)) == versions
    assert str(Version.parse("1.34.2")) == "v1.34.2"
    assert str(Version.parse("v1.32.0+rke2r1")) == "v1.32.0+rke2r1"
    assert Version.parse("1.34") is None
    assert Version.parse("v1.34.2 ") is None


@pytest.mark.parametrize("text", ["dedicated=storage:NoSchedule", "example.org/gone:NoExecute", "a:PreferNoSchedule"])
def test_taints_read_back(text: str) -> None:
    taint = Taint.model_validate(text)
    assert str(taint) == text
    assert taint.model_dump() == text
    as_mapping = {"key": taint.key, "value": taint.value, "effect": taint.effect.value.lower()}
    assert Taint.model_validate(as_mapping) == taint


@pytest.mark.parametrize(("portion", "hosts", "count"), [(1, 9, 1), ("3", 9, 3), ("25%", 9, 2), ("10%", 3, 1)])
def test_portions(portion: object, hosts: int, count: int) -> None:
    assert Policy.model_validate({"maxUnavailable": portion}).unavailable_of(hosts) == count


@pytest.mark.parametrize("portion", ["0", "101%", "half", True, 1.5, None])
def test_no_portions(portion: object) -> None:
    with pytest.raises(ValidationError):
        Policy.model_validate({"maxUnavailable": portion})

"""Machines that are counted, and the hosts that they become."""

from __future__ import annotations

import io

import pytest

from raijin.definition.counted import with_machines
from raijin.definition.definition import Definition
from raijin.definition.load import load
from raijin.errors import DefinitionError, PlanRefused

TEXT = """
kind: Site
hosts: [{name: n1, address: 192.0.2.1}]
ssh: {user: raijin, jump: 198.51.100.1}
---
kind: Cluster
name: lab
type: VANILLA
version: v1.34.2
nodeGroups:
  - {name: cp, role: CONTROL_PLANE, hosts: [n1]}
  - {name: workers, role: WORKER, count: 2, labels: {pool: made}}
"""
ONE_MADE = {"name": "lab-workers-1", "address": "192.0.2.91", "ssh": {"user": "root", "jump": None}}
ONE = {("lab", "lab-workers-1"): ONE_MADE}


def defined() -> Definition:
    return load(io.StringIO(TEXT), {})


def test_what_was_made_is_a_host_like_any_other() -> None:
    definition = with_machines(defined(), ONE)
    placed = {p.name: p for p in definition.hosts_of(definition.cluster())}
    assert list(placed) == ["n1", "lab-workers-1"]
    made = placed["lab-workers-1"]
    assert (made.host.ssh.user, made.host.ssh.jump, made.labels) == ("root", None, {"pool": "made"})
    assert placed["n1"].host.ssh.jump == "198.51.100.1"
    assert [(one.name, one.number) for one in definition.to_make] == [("lab-workers-2", 2)]


def test_looked_at_again_nothing_is_there_twice() -> None:
    once = with_machines(defined(), ONE)
    twice = with_machines(once, ONE)
    assert twice.site().hosts == once.site().hosts
    assert [one.name for one in twice.to_make] == [one.name for one in once.to_make] == ["lab-workers-2"]
    two = with_machines(twice, {**ONE, ("lab", "lab-workers-2"): {"name": "lab-workers-2", "address": "192.0.2.92"}})
    assert [p.name for p in two.hosts_of(two.cluster())] == ["n1", "lab-workers-1", "lab-workers-2"]
    assert two.to_make == ()


def test_what_was_needed_once_is_neither_there_nor_made_again() -> None:
    definition = with_machines(defined(), {**ONE, ("lab", "lab-workers-2"): {}})
    assert [p.name for p in definition.hosts_of(definition.cluster())] == ["n1", "lab-workers-1"]
    assert definition.to_make == ()


def test_what_is_only_being_made_is_made_again() -> None:
    definition = with_machines(defined(), {**ONE, ("lab", "lab-workers-2"): {"name": "lab-workers-2"}})
    assert [one.name for one in definition.to_make] == ["lab-workers-2"]


def test_a_machine_of_another_cluster_is_no_host_of_this_one() -> None:
    assert [one.name for one in with_machines(defined(), {("other", "lab-workers-1"): ONE_MADE}).to_make] == [
        "lab-workers-1",
        "lab-workers-2",
    ]


def test_a_host_of_the_site_never_takes_the_place_of_a_machine() -> None:
    text = TEXT.replace("hosts: [{name: n1", "hosts: [{name: lab-workers-1, address: 192.0.2.9}, {name: n1")
    for made in ({}, ONE):
        with pytest.raises(PlanRefused, match="lab-workers-1"):
            with_machines(load(io.StringIO(text), {}), made)


def test_as_written_it_names_no_machine() -> None:
    plain, made = defined(), with_machines(defined(), ONE)
    assert made.as_written(made.cluster()) == plain.cluster()
    assert made.as_written(made.cluster()).model_dump(exclude_unset=True) == plain.cluster().model_dump(
        exclude_unset=True
    )


def test_none_is_a_count_too() -> None:
    definition = load(io.StringIO(TEXT.replace("count: 2", "count: 0")), {})
    assert definition.is_counted(definition.cluster().node_groups[1])
    assert with_machines(definition, ONE).to_make == ()


def test_names_are_labels_of_dns() -> None:
    long = "w" * 60
    with pytest.raises(DefinitionError, match="more than 63 letters"):
        load(io.StringIO(TEXT.replace("name: workers", f"name: {long}")), {})


def test_only_groups_that_name_nobody_are_counted() -> None:
    definition = defined()
    named, counted = definition.cluster().node_groups
    assert definition.counts
    assert not definition.is_counted(named)
    assert definition.is_counted(counted)
    assert with_machines(definition, ONE).is_counted(with_machines(definition, ONE).cluster().node_groups[1])


def test_without_a_site_there_is_one_when_something_was_made() -> None:
    text = TEXT.partition("---")[2].replace("hosts: [n1]", "count: 1")
    definition = load(io.StringIO(text), {})
    assert with_machines(definition, {}).sites == ()
    assert [host.name for host in with_machines(definition, ONE).site().hosts] == ["lab-workers-1"]

"""Edits change the lines that they must, and no other byte."""

from __future__ import annotations

import difflib
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from raijin.definition.edit import Edits
from raijin.errors import DefinitionError, NotFound, StalePlan, UsageError

SITE = """\
# my lab
kind: Site
name: lab   # name
hosts:   # all of them
- name:    n1      # first
  address: 192.0.2.11
  # w1 is the old laptop
- {name: w1,   address: 192.0.2.21}  # flow

# trailing comment

---
"""
CLUSTER = """\
kind: Cluster
name: prod
type: vanilla
version: "v1.34.1"  # pinned
nodeGroups:
    -   name: cp
        role: control-plane
        hosts: [n1]   # quorum
    -   name: workers
        role: worker
        count: 1
        hosts:
        - w1    # the laptop
        # end of hosts
# bye
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "d.yaml"
    path.write_text(SITE + CLUSTER)
    return path


def _diff(path: Path, change: Callable[[Edits], object]) -> list[str]:
    before = path.read_bytes().decode()
    edits = Edits([path], {})
    change(edits)
    edits.save()
    lines = difflib.unified_diff(before.splitlines(), path.read_bytes().decode().splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def test_add_a_host_and_put_it_in_a_group(path: Path) -> None:
    def change(edits: Edits) -> None:
        edits.add_host({"name": "w2", "address": "192.0.2.22", "labels": {"zone": "no"}})
        edits.add_to_group("w2", group="workers")

    assert _diff(path, change) == [
        '+- {name: w2, address: 192.0.2.22, labels: {zone: "no"}}',
        "-        count: 1",
        "+        count: 2",
        "+        - w2",
    ]


def test_remove_a_host_everywhere(path: Path) -> None:
    assert _diff(path, lambda edits: edits.remove_host("w1")) == [
        "-- {name: w1,   address: 192.0.2.21}  # flow",
        "-        count: 1",
        "-        hosts:",
        "-        - w1    # the laptop",
        "+        count: 0",
        "+        hosts: []",
    ]


def test_a_group_in_brackets(path: Path) -> None:
    def change(edits: Edits) -> None:
        edits.remove_from_group("w1", group="workers")
        edits.add_to_group("w1", group="cp")

    assert "+        hosts: [n1, w1]   # quorum" in _diff(path, change)
    assert "+        hosts: [n1]   # quorum" in _diff(path, lambda edits: edits.remove_from_group("w1", group="cp"))


def test_a_new_group(path: Path) -> None:
    def change(edits: Edits) -> None:
        edits.add_host({"name": "s1"})
        edits.add_group({"name": "storage", "role": "STORAGE", "hosts": []})
        edits.add_to_group("s1", group="storage")

    assert _diff(path, change) == [
        "+- {name: s1}",
        "+    -   name: storage",
        "+        role: STORAGE",
        "+        hosts: [s1]",
    ]


def test_set_values_that_are_there_and_that_are_not(path: Path) -> None:
    def change(edits: Edits) -> None:
        edits.set_value("Cluster", "prod", ("version",), "v1.34.2")
        edits.set_value("Cluster", None, ("network", "cni", "name"), "CALICO")
        edits.set_value("Cluster", None, ("kubernetes", "certSans"), ["k8s.example.org"])
        edits.set_value("Site", None, ("hosts", 1, "mac"), "02:00:5e:10:00:01")
        edits.set_value("Site", None, ("name",), "lab")

    assert _diff(path, change) == [
        "-- {name: w1,   address: 192.0.2.21}  # flow",
        "+- {name: w1,   address: 192.0.2.21, mac: 02:00:5e:10:00:01}  # flow",
        '-version: "v1.34.1"  # pinned',
        '+version: "v1.34.2"  # pinned',
        "+network:",
        "+  cni:",
        "+    name: CALICO",
        "+kubernetes:",
        "+  certSans:",
        "+    - k8s.example.org",
    ]


def test_a_host_in_block_style_follows_its_siblings(tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    path.write_bytes(b"kind: Site\r\nhosts:\r\n    -   name: n1\r\n        ssh:\r\n            port: 22")
    edits = Edits([path], {})
    edits.add_host({"name": "n2", "ssh": {"port": 2222}, "taints": ["a:NoSchedule"]})
    edits.save()
    added = (
        b"\r\n    -   name: n2\r\n        ssh:\r\n          port: 2222\r\n        taints:\r\n          - a:NoSchedule"
    )
    assert (
        path.read_bytes() == b"kind: Site\r\nhosts:\r\n    -   name: n1\r\n        ssh:\r\n            port: 22" + added
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("kind: Site\n", "kind: Site\nhosts:\n  - name: n1\n    address: 192.0.2.1\n"),
        ("kind: Site", "kind: Site\nhosts:\n  - name: n1\n    address: 192.0.2.1"),
        ("hosts: []  # all\nkind: Site\n", "hosts:  # all\n  - name: n1\n    address: 192.0.2.1\nkind: Site\n"),
        ("{kind: Site}\n", "{kind: Site, hosts: [{name: n1, address: 192.0.2.1}]}\n"),
        (
            "kind: Site\nhosts: [\n  {name: a},  # a\n  {name: b}  # b\n]\n",
            "kind: Site\nhosts: [\n  {name: a},  # a\n  {name: b},  # b\n  {name: n1, address: 192.0.2.1}\n]\n",
        ),
        (
            "kind: Site\nhosts: [{name: a}, ]\n",
            "kind: Site\nhosts: [{name: a}, {name: n1, address: 192.0.2.1}, ]\n",
        ),
        ("\ufeffkind: Site\nhosts: []\n", "\ufeffkind: Site\nhosts:\n  - name: n1\n    address: 192.0.2.1\n"),
    ],
)
def test_a_first_host(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(before)
    edits = Edits([path], {})
    edits.add_host({"name": "n1", "address": "192.0.2.1"})
    edits.save()
    assert path.read_text() == after


def test_json_stays_json(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    path.write_text('{\n  "kind": "Site",\n  "hosts": [\n    {\n      "name": "a"\n    }\n  ]\n}\n')
    edits = Edits([path], {})
    edits.add_host({"name": "b"})
    edits.save()
    two = '{\n  "kind": "Site",\n  "hosts": [\n    {\n      "name": "a"\n    },\n    {"name": "b"}\n  ]\n}\n'
    assert path.read_text() == two
    edits.remove_host("a")
    edits.save()
    assert path.read_text() == '{\n  "kind": "Site",\n  "hosts": [\n    {"name": "b"}\n  ]\n}\n'
    edits.remove_host("b")
    edits.save()
    assert path.read_text() == '{\n  "kind": "Site",\n  "hosts": [\n  ]\n}\n'


def test_several_files_are_saved_together(tmp_path: Path) -> None:
    site, cluster = tmp_path / "site.yaml", tmp_path / "cluster.yaml"
    site.write_text(SITE)
    cluster.write_text(CLUSTER)
    site.chmod(0o640)
    edits = Edits([tmp_path], {})
    edits.remove_host("w1")
    assert set(edits.texts) == {site, cluster}
    assert site.read_text() == SITE
    definition = edits.save()
    assert [host.name for host in definition.site().hosts] == ["n1"]
    assert stat.S_IMODE(site.stat().st_mode) == 0o640
    assert edits.texts == {}
    assert sorted(item.name for item in tmp_path.iterdir()) == ["cluster.yaml", "site.yaml"]


def test_a_change_that_makes_the_definition_wrong_is_not_saved(path: Path) -> None:
    edits = Edits([path], {})
    edits.remove_host("n1")
    with pytest.raises(DefinitionError, match="leaves the control plane empty"):
        edits.save()
    assert path.read_text() == SITE + CLUSTER


def test_a_file_that_somebody_else_changed_is_not_overwritten(path: Path) -> None:
    edits = Edits([path], {})
    edits.remove_host("w1")
    path.write_text(SITE + CLUSTER + "# mine\n")
    with pytest.raises(StalePlan):
        edits.save()
    assert path.read_text().endswith("# mine\n")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda e: e.add_host({"name": "w1"}), UsageError, "host w1 is already defined"),
        (lambda e: e.add_to_group("w1", group="workers"), UsageError, "host w1 is already in group workers"),
        (lambda e: e.add_group({"name": "cp"}), UsageError, "the cluster already has a node group cp"),
        (lambda e: e.add_to_group("w1", group="worker"), NotFound, "the cluster has no node group worker"),
        (lambda e: e.add_to_group("w1", group="cp", cluster="x"), NotFound, "no Cluster x is defined"),
        (lambda e: e.remove_from_group("w2", group="cp"), NotFound, "host w2 is not in group cp"),
        (lambda e: e.remove_host("w2"), NotFound, "no host w2 is defined"),
        (lambda e: e.set_value("Cluster", None, ("nodeGroups",), 1), UsageError, "has parts"),
        (lambda e: e.set_value("Cluster", None, (), 1), UsageError, "a value needs a path"),
        (lambda e: e.set_value("Cluster", None, ("nodeGroups", 7, "count"), 1), UsageError, "has no such item"),
    ],
)
def test_what_cannot_be_done(
    path: Path, change: Callable[[Edits], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        change(Edits([path], {}))
    assert path.read_text() == SITE + CLUSTER


ALIASES = """\
kind: Site
hosts:
  - {name: n1}
  - {name: w1}
---
name: a
type: VANILLA
version: v1.34.2
nodeGroups:
  - name: cp
    role: CONTROL_PLANE
    hosts: &all
      - n1
    metadata: &m {team: &t x}
  - name: workers
    role: WORKER
    hosts: []
    metadata: *m
    labels:
      team: *t
"""


def test_what_an_alias_shares_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(ALIASES)
    edits = Edits([path], {})
    for loc in (
        ("nodeGroups", 1, "metadata", "team"),
        ("nodeGroups", 1, "labels", "team"),
        ("nodeGroups", 0, "metadata", "team"),
    ):
        with pytest.raises(UsageError):
            edits.set_value("Cluster", None, loc, "y")
    edits.add_to_group("w1", group="workers")
    edits.set_value("Cluster", None, ("nodeGroups", 1, "labels", "zone"), "r1")
    edits.save()
    assert path.read_text() == ALIASES.replace("hosts: []", "hosts: [w1]") + "      zone: r1\n"

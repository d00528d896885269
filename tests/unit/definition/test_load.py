"""What the rest of Raijin asks a definition."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from raijin.definition.load import Definition, load
from raijin.errors import NotFound, UsageError
from raijin.model.cluster import NodeRole

TEXT = """\
kind: Site
name: a
ssh: {user: raijin, port: 2222, jump: bastion}
become: {password: env:PW}
power: {method: redfish, user: root}
artifacts: {delivery: pull}
hosts:
  - name: bastion
    address: 203.0.113.7
    ssh: {user: root}
  - name: n1
    address: 192.0.2.11
  - name: w1
    address: 192.0.2.21
    ssh: {port: 22, jump: root@198.51.100.1}
    labels: {zone: host}
    taints: ["a=host:NoSchedule"]
    power: {address: 198.51.100.21}
    delivery: push
---
kind: site
name: b
hosts:
  - {name: w2, address: 192.0.2.22}
nas: [{ip: 192.0.2.200}]
---
kind: cluster
name: prod
type: vanilla
version: v1.34.2
nodeGroups:
  - name: workers
    role: worker
    hosts: [w1, w2]
    labels: {zone: group, disk: ssd}
    taints: ["a=group:NoSchedule", "b:NoExecute"]
  - {name: control-plane, role: control-plane, hosts: [n1]}
"""


def _load(text: str = TEXT) -> Definition:
    return load(io.StringIO(text), {})


def test_hosts_of_a_cluster_have_everything_merged() -> None:
    definition = _load()
    placed = definition.hosts_of(definition.cluster("prod"))
    assert [(item.name, item.role, item.group.name) for item in placed] == [
        ("n1", NodeRole.CONTROL_PLANE, "control-plane"),
        ("w1", NodeRole.WORKER, "workers"),
        ("w2", NodeRole.WORKER, "workers"),
    ]
    _, w1, w2 = placed
    assert w1.labels == {"zone": "host", "disk": "ssd"}
    assert [str(taint) for taint in w1.taints] == ["a=host:NoSchedule", "b:NoExecute"]
    assert w2.labels == {"zone": "group", "disk": "ssd"}
    assert (w1.host.ssh.user, w1.host.ssh.port, w1.host.ssh.jump) == ("raijin", 22, "root@198.51.100.1")
    assert (w2.host.ssh.user, w2.host.ssh.port, w2.host.ssh.jump) == ("root", 22, None)


def test_a_host_has_the_settings_of_its_site() -> None:
    n1 = _load().host("n1")
    assert (n1.ssh.user, n1.ssh.port, n1.ssh.jump) == ("raijin", 2222, "bastion")
    assert str(n1.become.password) == "env:PW"
    assert n1.power is not None
    assert (n1.power.user, str(n1.delivery)) == ("root", "PULL")
    w1 = _load().host("w1")
    assert w1.power is not None
    assert (w1.power.user, w1.power.address, str(w1.delivery)) == ("root", "198.51.100.21", "PUSH")


def test_the_jump_host_of_a_site_is_reached_directly() -> None:
    assert _load().host("bastion").ssh.jump is None


def test_sites_are_one_site() -> None:
    site = _load().site()
    assert site.name == "a"
    assert [host.name for host in site.hosts] == ["bastion", "n1", "w1", "w2"]
    assert [nas.ip for nas in site.nas] == ["192.0.2.200"]
    assert site.hosts[1].ssh.user == "raijin"


def test_a_cluster_is_found_by_name_or_as_the_only_one() -> None:
    definition = _load()
    assert definition.cluster().name == "prod"
    with pytest.raises(NotFound) as caught:
        definition.cluster("prd")
    assert caught.value.remedy == "did you mean prod?"
    with pytest.raises(NotFound) as caught:
        definition.host("x9")
    assert caught.value.remedy == "the definition has bastion, n1, w1 or w2"
    again = TEXT.replace("name: prod", "name: test").split("---\n")[-1].replace("hosts: [w1, w2]", "count: 0")
    two = _load(TEXT + "---\n" + again.replace("hosts: [n1]", "count: 1"))
    with pytest.raises(UsageError) as usage:
        two.cluster()
    assert usage.value.remedy == "name one: prod or test"
    with pytest.raises(NotFound, match="has no cluster"):
        _load("kind: Site").cluster()


def test_no_site_is_an_empty_site() -> None:
    text = "name: c\ntype: VANILLA\nversion: v1.34.2\nnodeGroups: [{name: cp, role: CONTROL_PLANE, count: 1}]\n"
    assert _load(text).site().hosts == ()
    assert _load(text).hosts_of(_load(text).cluster()) == ()


def test_files_and_folders(tmp_path: Path) -> None:
    site, second, cluster = TEXT.split("---\n")
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "a.yaml").write_text(site)
    (tmp_path / "sites" / "b.yml").write_text("\ufeff" + second.replace("\n", "\r\n"))
    (tmp_path / "sites" / "notes.txt").write_text("not: read")
    (tmp_path / "sites" / "comment.yaml").write_text("# nothing yet\n")
    (tmp_path / "cluster.yaml").write_text(cluster)
    definition = load([tmp_path / "sites", tmp_path / "cluster.yaml"], {})
    assert definition.site() == _load().site()
    assert [(Path(source.file).name, source.kind, source.name) for source in definition.sources] == [
        ("a.yaml", "Site", "a"),
        ("b.yml", "Site", "b"),
        ("cluster.yaml", "Cluster", "prod"),
    ]


def test_warnings_stop_nothing() -> None:
    text = """\
name: prod
type: VANILLA
version: v1.34.2
nodeGroups:
  - {name: cp, role: CONTROL_PLANE, count: 2}
"""
    door, quorum = (str(warning) for warning in _load(text).warnings)
    assert door == (
        "<stream>:1:1: network.controlPlaneEndpoint: is not set, so the API server is reached through one "
        "control plane node only; give `network.virtualIp`, or set it to the name or address of a load balancer of "
        "your own"
    )
    assert quorum == (
        "<stream>:5:5: nodeGroups[0]: makes 2 control plane nodes: an even number stands no more failures than 1; "
        "use one, three or five"
    )


def test_reading_needs_only_what_it_needs() -> None:
    script = (
        "import sys, io; from raijin.definition.load import load; load(io.StringIO('kind: Site'), {});"
        "print([m for m in ('ruamel', 'pydantic_settings', 'asyncssh', 'click') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""Every file, unit and command of K3s and RKE2, for each topology, as golden files; and their options held against
those that the distributions document.

To write the golden files anew: UPDATE_GOLDEN=1 pytest tests/unit/platforms/rancher
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tests.plans.conftest import EXAMPLES, World, supply_of

from raijin.definition.load import load
from raijin.model.version import Version
from raijin.operations.base import unresolved
from raijin.operations.program import Program
from raijin.platforms import platform_of
from raijin.platforms.base import Context, Hop, Node, Snapshot
from raijin.platforms.rancher.platform import RancherPlatform
from raijin.platforms.renewal import Keeper

pytestmark = pytest.mark.usefixtures("secrets_of_the_definition")

HERE = Path(__file__).parent
TOPOLOGIES = ("k3s", "k3s-ha", "k3s-datastore", "rke2", "rke2-ha")
NEXT = {"K3S": "v1.35.7+k3s1", "RKE2": "v1.35.7+rke2r1"}


def world_of(example: str) -> World:
    return World(load((EXAMPLES / f"{example}.yaml",), {}))


def platform(context: Context) -> RancherPlatform:
    found = platform_of(context.cluster)
    assert isinstance(found, RancherPlatform)
    return found


def fresh(example: str) -> Iterator[tuple[str, Program]]:
    """What happens to the hosts of a new cluster, each kind of host once."""
    context = world_of(example).context()
    own = platform(context)
    for role, node in kinds(context):
        yield f"prepare: {role}", own.prepare(context, node)
        yield f"binaries: {role}", own.equip(context, node)
        yield f"services: {role}", own.services(context, node)
        images = own.images(context, node)
        assert images is not None
        yield f"images: {role}", images
        yield (
            (f"start: {role}", own.start(context))
            if node is context.first
            else (f"join: {role}", own.join(context, node))
        )


def running(example: str) -> Iterator[tuple[str, Program]]:
    """What happens to those of one that runs."""
    world = world_of(example)
    context = world.carry_out(world.plan()).context()
    own = platform(context)
    version = NEXT[context.cluster.type.value]
    hop = Hop(Version.parse(version), {"amd64": supply_of(version)})  # type: ignore[arg-type]
    for role, node in kinds(context):
        configure = own.configure(context, node, outdated=False)
        assert configure is not None
        yield f"configure: {role}", configure
        yield f"upgrade: {role}", own.upgrade(context, node, hop, leads=False)
        assert node.facts is not None
        due = [c for c in node.facts.certificates if own.certificates.keeper(c) is Keeper.RAIJIN]
        yield f"certificates: {role}", own.certificates.renew(context, node, due)
    first = context.first
    snapshot = Snapshot(
        "one-20261127T150000Z",
        "5" * 64,
        {own.distribution.server_token: "restore/token", own.distribution.agent_token_file: "restore/agent-token"},
        hop.version,
        "20261127-160000",
        own.snapshot_kind(first),
    )
    if not own.kept_outside(context.cluster):
        yield "pack", own.pack(context, first)
        timed = own.back_up(context, first)
        if timed is not None:
            yield "backups by itself", timed
        restoring = replace(context, snapshot=snapshot)
        yield "halt", own.halt(restoring, first)
        yield "seed", own.seed(restoring)
    yield "leave", own.leave(context, first)


def kinds(context: Context) -> list[tuple[str, Node]]:
    servers = [("first server", context.first), *(("server", node) for node in context.control_planes[1:2])]
    return [*servers, *(("agent", node) for node in context.workers[:1])]


def told(programs: Iterator[tuple[str, Program]]) -> Iterator[str]:
    for name, program in programs:
        yield f"=== {name}: {program.name}"
        for operation in program.operations:
            yield f"-- {operation.title}"
            words = [str(word) for word in operation.arguments(unresolved)]
            lines = operation.manual() or (" ".join(word for word in words if word),)
            yield from (f"   {line}".rstrip() for text in lines for line in text.splitlines())


def compare(name: str, text: str) -> None:
    golden = HERE / "golden" / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("example", TOPOLOGIES)
def test_a_new_cluster(example: str) -> None:
    compare(f"{example}.new", "\n".join(told(fresh(example))) + "\n")


@pytest.mark.parametrize("example", TOPOLOGIES)
def test_a_cluster_that_runs(example: str) -> None:
    compare(f"{example}.running", "\n".join(told(running(example))) + "\n")


def test_from_sqlite_to_etcd() -> None:
    text = (EXAMPLES / "k3s.yaml").read_text()
    text = text.replace("disable: [traefik, servicelb]", "disable: [traefik, servicelb]\n    embedded: ETCD")
    world = world_of("k3s")
    context = world.carry_out(world.plan()).defined(text).context()
    program = platform(context).convert(context)
    assert program is not None
    compare("k3s.convert", "\n".join(told(iter([("convert", program)]))) + "\n")


@pytest.mark.parametrize("example", TOPOLOGIES)
def test_every_option_that_is_written_is_documented(example: str) -> None:
    for name, program in (*fresh(example), *running(example)):
        own = platform(world_of(example).context())
        known = own.flags[1] if "agent" in name else own.flags[0]
        for operation in program.operations:
            path = getattr(operation, "path", "")
            content = getattr(operation, "content", None)
            if "config.yaml" in path and isinstance(content, str):
                assert set(yaml.safe_load(content)) <= known, (name, path)


def test_the_same_options_are_on_all_servers() -> None:
    """Servers that differ in them are not let in ("Critical Configuration Values" of docs.k3s.io)."""
    for example in ("k3s-ha", "rke2-ha"):
        context = world_of(example).context()
        own = platform(context)
        found = [yaml.safe_load(own.files(context, node).config) for node in context.control_planes]
        for options in found:
            del options["node-name"], options["node-ip"]
        assert found[0] == found[1] == found[2]


def test_no_secret_is_in_a_program() -> None:
    for programs in (fresh("k3s-datastore"), running("k3s-datastore")):
        assert "geheim" not in "\n".join(told(programs))


def test_secrets_of_the_definition_are_fetched_for_the_hosts() -> None:
    context = world_of("k3s-datastore").context()
    given = platform(context).given(context.cluster)
    assert yaml.safe_load(given["cluster/office/datastore"]) == {
        "datastore-endpoint": "postgres://k3s:geheim@192.0.2.9/k3s",
        "datastore-cafile": "/etc/ssl/certs/postgres-ca.pem",
    }
    registries = yaml.safe_load(given["cluster/office/registries"])
    assert registries["configs"]["registry.example.org:5000"]["auth"] == {"username": "puller", "password": "geheim"}
    assert registries["mirrors"]["docker.io"] == {"endpoint": ["https://registry.example.org:5000"]}

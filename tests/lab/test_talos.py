"""Talos with the real talosctl, built from source: what is generated is valid, and merges as Talos merges.

No Talos machine can be booted on the lab, which shares the kernel of its box: what machines answer is tested with a
stand-in (tests/unit/platforms).
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.plans.talos import talos_world

from raijin.app.session import Session
from raijin.app.tools import tool_of
from raijin.platforms.talos.bundle import filled, mask
from raijin.platforms.talos.look import connection_to
from raijin.platforms.talos.merge import patched
from raijin.platforms.talos.platform import PLATFORM
from raijin.transport.pool import Pool

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]
ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ("talos", "talos-ha")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A RAIJIN_HOME with a bundle that holds talosctl."""
    made = subprocess.run(
        [ROOT / "scripts" / "lab-bundle", "--part", "talos"], stdout=subprocess.PIPE, text=True, check=True
    )
    home = tmp_path_factory.mktemp("home")
    words = [sys.executable, "-m", "raijin", "bundle", "import", made.stdout.strip()]
    subprocess.run(words, env={"RAIJIN_HOME": str(home), "PATH": "/usr/bin:/bin"}, check=True, capture_output=True)
    return home


@pytest.fixture
async def talosctl(home: Path) -> Path:
    return await tool_of(Session(home, (ROOT / "examples" / "talos.yaml",)), "talosctl")


def run(tool: Path, *words: str, text: str | None = None) -> str:
    done = subprocess.run([tool, *words], input=text, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def secrets(talosctl: Path) -> str:
    text = run(talosctl, "gen", "secrets", "--output-file", "-")
    mask(text)
    return text


def configurations(example: str) -> dict[str, list[dict[str, Any]]]:
    steps = talos_world(example).plan().steps
    return {s.target: s.action.arguments["config"] for s in steps if "config" in getattr(s.action, "arguments", {})}


@pytest.mark.parametrize("example", EXAMPLES)
async def test_every_machine_configuration_is_valid(talosctl: Path, secrets: str, example: str) -> None:
    for host, config in configurations(example).items():
        text = yaml.safe_dump_all(filled(config, secrets), explicit_start=True, sort_keys=False)
        said = run(talosctl, "validate", "--mode", "metal", "--strict", "--config", "/dev/stdin", text=text)
        assert "is valid for metal mode" in said, host


@pytest.mark.parametrize(("host", "kind"), [("t1", "controlplane"), ("t2", "worker")])
async def test_a_configuration_is_the_one_that_talosctl_makes(
    talosctl: Path, secrets: str, host: str, kind: str
) -> None:
    words = ("gen", "config", "talos", "https://192.0.2.31:6443", "--with-secrets", "/dev/stdin", "--output", "-")
    plain = ("--with-docs=false", "--with-examples=false", "--output-types", kind)
    made, _ = yaml.safe_load_all(run(talosctl, *words, *plain, text=secrets))
    ours, hostname = filled(configurations("talos")[host], secrets)
    assert hostname == {"apiVersion": "v1alpha1", "kind": "HostnameConfig", "hostname": host}
    ours["machine"]["certSANs"] = []  # the address of the host, so that it is reached by it
    if kind == "controlplane":
        ours["cluster"]["apiServer"].pop("certSANs")
    else:
        for part in ("machine", "cluster"):
            made[part]["ca"].pop("key")  # empty
    assert ours == made


async def test_patches_are_merged_as_talosctl_merges_them(talosctl: Path, secrets: str, tmp_path: Path) -> None:
    patches: list[dict[str, Any]] = [
        {"machine": {"sysctls": {"vm.nr_hugepages": "512"}, "certSANs": ["a.example.org"]}},
        {"cluster": {"network": {"podSubnets": ["192.0.2.0/24"]}, "apiServer": {"extraArgs": {"v": "2"}}}},
        {"machine": {"certSANs": ["b.example.org"], "kubelet": {"extraArgs": {"v": "4"}}}},
        {"apiVersion": "v1alpha1", "kind": "VolumeConfig", "name": "EPHEMERAL", "provisioning": {"maxSize": "80GiB"}},
    ]
    base = filled(configurations("talos")["t1"], secrets)
    path = tmp_path / "base.yaml"
    path.write_text(yaml.safe_dump_all(base, explicit_start=True, sort_keys=False))
    words = [word for patch in patches for word in ("--patch", yaml.safe_dump(patch))]
    made = list(yaml.safe_load_all(run(talosctl, "machineconfig", "patch", str(path), *words)))
    assert sorted(patched(base, patches), key=str) == sorted(made, key=str)


async def test_credentials_are_made_of_the_kept_secrets_and_an_absent_machine_is_said_to_be(
    home: Path, secrets: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Port 50000 of this machine: nobody listens there."""
    from raijin.app import tools
    from raijin.errors import HostUnreachable

    session = Session(home, (ROOT / "examples" / "talos.yaml",))
    kept = replace(tools.outside_of(session), secret=lambda _: secrets)
    host = session.definition.host("t1").model_copy(update={"address": "127.0.0.1"})
    pool = Pool({"t1": PLATFORM.target(host, kept)})
    connection = await connection_to(pool, "t1")
    assert yaml.safe_load(await connection.access.talosconfig())["context"] == "talos"
    with pytest.raises(HostUnreachable, match="the Talos API does not answer"):
        await connection.talosctl("version")
    with pytest.raises(HostUnreachable, match="the Talos API does not answer"):
        await connection.talosctl("version", maintenance=True)

"""Lab machines and the air-gap bundle, shared by the tests that install real Kubernetes on them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PARTS = frozenset(filter(None, os.environ.get("RAIJIN_LAB_PARTS", "").split(",")))
"""Parts of the bundle, beside the default one, whose tests run: each takes minutes to build the first time."""
SNAPSHOT = Path(__file__).with_name("snapshot.sh").read_text()


def unable() -> str:
    """Why this machine cannot run the lab; empty when it can."""
    if os.geteuid() != 0:
        return "the lab makes machines, which needs root"
    if shutil.which("apt-get") is None:
        return "the lab is made with Debian's tools (apt-get is missing)"
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A machine that cannot run the lab skips its tests and says why; CI asks for a failure instead."""
    reason = unable()
    for item in items:
        if item.get_closest_marker("lab") is None or not reason:
            continue
        if os.environ.get("RAIJIN_REQUIRE_LAB"):
            raise pytest.UsageError(f"the lab tests are required here and cannot run: {reason}")
        item.add_marker(pytest.mark.skip(reason=reason))


@dataclass
class Result:
    """One call of the command line."""

    code: int
    out: str
    err: str
    seconds: float

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class LabSite:
    """A RAIJIN_HOME with machines, and the command line as a user would call it."""

    home: Path
    machines: list[dict[str, str]]
    file: Path = field(init=False)

    def __post_init__(self) -> None:
        self.file = self.home / "raijin.yaml"

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "RAIJIN_HOME": str(self.home), "COLUMNS": "120"}

    @property
    def names(self) -> list[str]:
        """Of the machines, in their order."""
        return [machine["name"] for machine in self.machines]

    def raijin(self, *arguments: str, code: int | None = 0, timeout: float = 900) -> Result:
        """Run the command; `code` is the exit code that it must have (None: any)."""
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "raijin", *arguments],
            env=self.environment, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        result = Result(done.returncode, done.stdout, done.stderr, time.monotonic() - started)
        if code is not None and result.code != code:
            pytest.fail(
                f"raijin {' '.join(arguments)}: exit code {result.code}, not {code}\n{result.out}\n{result.err}"
            )
        return result

    def apply(self, *arguments: str, code: int | None = 0) -> Result:
        return self.raijin("apply", "--yes", "--offline", "-f", str(self.file), *arguments, code=code)

    def plan(self, *arguments: str, code: int | None = 0) -> dict[str, Any]:
        done = self.raijin("plan", "--offline", "-o", "json", "-f", str(self.file), *arguments, code=code)
        return json.loads(done.out)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command in a process group of its own, to be killed."""
        return subprocess.Popen(
            [sys.executable, "-m", "raijin", *arguments],
            env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
            start_new_session=True,
        )  # fmt: skip

    def ssh(self, name: str, command: str, *, check: bool = True, stdin: str | None = None) -> str:
        argv = ["ssh", "-F", str(self.home / "lab" / "ssh_config"), "-o", "BatchMode=yes", name, command]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False, input=stdin)
        if check and done.returncode != 0:
            pytest.fail(f"{name}: {command}: status {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout.strip()

    def kubectl(self, command: str, *, stdin: str | None = None) -> str:
        return self.ssh(self.names[0], f"KUBECONFIG=/etc/kubernetes/admin.conf kubectl {command}", stdin=stdin)

    def etcd_members(self, name: str) -> list[str]:
        """A line for each member, as the one on this host tells them."""
        return self.ssh(
            name,
            "crictl exec $(crictl ps -q --name etcd) etcdctl --endpoints=127.0.0.1:2379"
            " --cacert=/etc/kubernetes/pki/etcd/ca.crt --cert=/etc/kubernetes/pki/etcd/server.crt"
            " --key=/etc/kubernetes/pki/etcd/server.key member list",
        ).splitlines()

    def snapshot(self, name: str) -> dict[str, str]:
        """What a host is like, in sections; see snapshot.sh for what is compared."""
        sections: dict[str, str] = {}
        for block in self.ssh(name, "sh -s", stdin=SNAPSHOT).split("\x1e"):
            title, _, text = block.strip().partition("\n")
            if title:
                sections[title] = text
        return sections

    def define(self, *, workers: int, version: str, change: Callable[[list[Any]], None] | None = None) -> None:
        """Write the definition: every machine in the Site, the first as control plane, the next ones as workers."""
        self.raijin("lab", "up", "--hosts", str(len(self.machines)), "--write", str(self.file))
        documents = list(yaml.safe_load_all(self.file.read_text()))
        cluster = documents[1]
        cluster["version"] = version
        cluster["nodeGroups"] = cluster["nodeGroups"][:1]
        if workers:
            cluster["nodeGroups"].append({"name": "workers", "role": "WORKER", "hosts": self.names[1 : 1 + workers]})
        if change:
            change(documents)
        self.file.write_text("# the lab's definition\n" + yaml.safe_dump_all(documents, sort_keys=False))


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The lab's air-gap bundle: real Kubernetes, built from source once and kept in the cache."""
    done = subprocess.run([ROOT / "scripts" / "lab-bundle"], stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def kubernetes(bundle: Path) -> str:
    """The Kubernetes version in the bundle."""
    import tarfile

    with tarfile.open(bundle) as tar:
        manifest = tar.extractfile("bundle.json")
        assert manifest is not None
        artifacts = json.load(manifest)["artifacts"]
    return next(str(entry["version"]) for entry in artifacts if entry["name"] == "kubelet")


def make_site(home: Path, bundle: Path, hosts: int) -> Iterator[LabSite]:
    site = LabSite(home, [])
    site.raijin("bundle", "import", str(bundle))
    try:
        site.raijin("lab", "up", "--hosts", str(hosts), timeout=1800)
        site.machines = site.raijin("lab", "status", "-o", "json").json()
        yield site
    finally:
        site.raijin("lab", "down", code=None)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[LabSite]:
    """Four machines, the bundle imported. One per test module: its tests are a story, told in their order."""
    yield from make_site(tmp_path_factory.mktemp("site"), bundle, 4)


@pytest.fixture(scope="module")
def before(site: LabSite) -> dict[str, dict[str, str]]:
    """What each host was like before Raijin saw it."""
    return {name: site.snapshot(name) for name in site.names}


@pytest.fixture
def kill() -> Callable[[subprocess.Popen[str]], None]:
    """kill -9 of a process that `start` made, and of nothing else."""

    def end(child: subprocess.Popen[str]) -> None:
        os.kill(child.pid, signal.SIGKILL)
        child.wait(timeout=30)

    return end

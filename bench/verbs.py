"""What the verbs of a cluster cost, and how much of it is Raijin's own: `make bench-verbs`, as root.

verbs.py [--hosts N] [--newer VERSION] [--keep]

Lab machines become a real cluster from the lab's air-gap bundle, and every verb runs on it, through the command line.
Each is called by way of watched.py, which tells for how long hosts and cluster were at work meanwhile. It prints a
table; nothing fails because the box is slow.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
GOAL = 5.0
"""Per cent of the wall time that may be Raijin's own (issue of the platforms)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds. hosts: in which hosts or the cluster were at work."""

    verb: str
    wall: float
    hosts: float

    @property
    def own(self) -> float:
        return max(0.0, self.wall - self.hosts)

    @property
    def share(self) -> float:
        """Per cent of the wall time."""
        return 100 * self.own / self.wall


@dataclass(frozen=True, slots=True)
class Cluster:
    """A RAIJIN_HOME with lab machines and the definition of a cluster on them."""

    home: Path

    @property
    def file(self) -> Path:
        return self.home / "raijin.yaml"

    def call(self, *arguments: str, watched: bool = False) -> tuple[str, float, float]:
        """The output, the wall time, and the time at which hosts were at work. Raises SystemExit."""
        report = self.home / "watched.json"
        way = [str(HERE / "watched.py"), str(report)] if watched else ["-m", "raijin"]
        environment = {**os.environ, "RAIJIN_HOME": str(self.home), "COLUMNS": "120"}
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, *way, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        wall = time.monotonic() - started
        if done.returncode != 0:
            raise SystemExit(f"raijin {' '.join(arguments)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout, wall, json.loads(report.read_text())["hosts"] if watched else 0.0

    def cost(self, verb: str, *arguments: str) -> Cost:
        _, wall, hosts = self.call(*arguments, "-f", str(self.file), watched=True)
        cost = Cost(verb, wall, hosts)
        print(f"{verb}: {wall:.1f} s, of which {cost.own:.1f} s are Raijin's own", file=sys.stderr)
        return cost

    def define(self, hosts: int, version: str) -> str:
        """All machines but the last are part of the cluster; the name of the last."""
        self.call("lab", "up", "--hosts", str(hosts), "--write", str(self.file))
        site, cluster = yaml.safe_load_all(self.file.read_text())
        names = [host["name"] for host in site["hosts"]]
        cluster["version"] = version
        cluster["nodeGroups"] = [
            {"name": "control-plane", "role": "CONTROL_PLANE", "hosts": names[:1]},
            {"name": "workers", "role": "WORKER", "hosts": names[1:-1]},
        ]
        self.file.write_text(yaml.safe_dump_all([site, cluster], sort_keys=False))
        return str(names[-1])


def bundle(*options: str) -> tuple[Path, str]:
    """A bundle of the lab, and its version of Kubernetes."""
    done = subprocess.run([ROOT / "scripts" / "lab-bundle", *options], stdout=subprocess.PIPE, text=True, check=True)
    path = Path(done.stdout.strip())
    with tarfile.open(path) as tar:
        told = tar.extractfile("bundle.json")
        artifacts = json.load(told)["artifacts"] if told else []
    return path, next(str(entry["version"]) for entry in artifacts if entry["name"] == "kubelet")


def measure(cluster: Cluster, hosts: int, newer: str, rounds: int) -> Iterable[Cost]:
    (first, version), (second, later) = bundle(), bundle("--kubernetes", newer)
    for path in (first, second):
        cluster.call("bundle", "import", str(path))
    added = cluster.define(hosts, version)
    yield cluster.cost("apply, the first", "apply", "--yes", "--offline")
    for _ in range(rounds):
        yield cluster.cost("apply, nothing to do", "apply", "--yes", "--offline")
    yield cluster.cost("worker add", "worker", "add", added, "--yes", "--offline")
    yield cluster.cost("backup", "cluster", "backup", "--yes")
    yield cluster.cost("restore in place", "cluster", "restore", "latest", "--yes", "--offline")
    yield cluster.cost("upgrade by a minor", "cluster", "upgrade", "--version", later, "--yes", "--offline")
    yield cluster.cost("worker remove", "worker", "remove", added, "--yes", "--offline")
    yield cluster.cost("destroy", "destroy", "--yes")


def show(costs: Iterable[Cost]) -> None:
    by_verb: dict[str, list[Cost]] = {}
    for cost in costs:
        by_verb.setdefault(cost.verb, []).append(cost)
    print("| verb | wall s | hosts s | own s | own % | goal |\n|---|---|---|---|---|---|")
    for verb, rounds in by_verb.items():
        wall, hosts = (median(getattr(cost, name) for cost in rounds) for name in ("wall", "hosts"))
        typical = Cost(verb, wall, hosts)
        met = "met" if typical.share < GOAL else "missed"
        print(f"| {verb} | {wall:.1f} | {hosts:.1f} | {typical.own:.2f} | {typical.share:.1f} | {met} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=4, help="machines; the last one is added later (default: 4)")
    parser.add_argument("--newer", default="v1.35.4", help="the Kubernetes of the upgrade (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of the apply with nothing to do (default: 3)")
    parser.add_argument("--keep", action="store_true", help="leave the machines")
    chosen = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("the lab makes machines of its own, which needs root")
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="raijin-verbs-")))
    try:
        show(list(measure(cluster, chosen.hosts, chosen.newer, chosen.rounds)))
    finally:
        if not chosen.keep:
            cluster.call("lab", "down")
            shutil.rmtree(cluster.home)


if __name__ == "__main__":
    main()

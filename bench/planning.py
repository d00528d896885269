"""What planning costs for 1,000 and 10,000 hosts: pure functions, no wire. `uv run python bench/planning.py [HOSTS...]`

Desired: a Site and a kubeadm Cluster of that many hosts. Observed: the facts of this machine as every host's answer,
and a made-up report of every operation: all as wanted (`same`), or all of them to be changed (`first`).
Each measurement is a process of its own, so that memory is its own. The goals are about `planning`: what lies between
the answers of the hosts and the plan. The rest is shown because a person waits for it too.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from raijin.cli import COLLECT_AFTER
from raijin.definition.load import read
from raijin.facts import gather
from raijin.facts.cluster import ClusterState, NodeState
from raijin.facts.gather import HostFacts
from raijin.facts.kubernetes import Kubernetes
from raijin.facts.raijin import Ownership
from raijin.lifecycle import apply
from raijin.lifecycle.desired import desired_documents, desired_labels
from raijin.operations.program import Program
from raijin.operations.report import FieldChange, Report, State
from raijin.plan.build import build
from raijin.plan.codec import plan_to_json
from raijin.plan.draft import Draft
from raijin.platforms import platform_of
from raijin.platforms.base import BinaryFile, Context, ImageFile, Node, Supply
from raijin.platforms.kubeadm.paths import ADMIN_CONF, INIT_MARKER, KUBELET_CONF
from raijin.platforms.view import HostView
from raijin.transport.kube import describe

SIZES = (1_000, 10_000)
GOALS = {1_000: 1.0, 10_000: 10.0}
"""Seconds of planning."""

LINEAR = 1.25
"""Memory of ten times the hosts, at most so many times ten times the memory."""

BINARIES = ("containerd", "runc", "cni-plugins", "crictl", "kubeadm", "kubelet", "kubectl")
IMAGES = ("registry.k8s.io/pause:3.10", "registry.k8s.io/kube-proxy:v1.34.1", "ghcr.io/flannel-io/flannel:v0.27.4")
TAGS = {"ghcr.io/flannel-io/flannel": "v0.27.4", "ghcr.io/flannel-io/flannel-cni-plugin": "v1.8.0-flannel1"}

T = TypeVar("T")


def definition_text(count: int) -> str:
    lines = ["kind: Site", "hosts:"]
    lines += [f"  - {{name: n{i}, address: 10.{i >> 16}.{(i >> 8) & 255}.{i & 255}}}" for i in range(count)]
    workers = ", ".join(f"n{i}" for i in range(1, count))
    lines += ["---", "kind: Cluster", "name: big", "type: VANILLA", "version: v1.34.1"]
    lines += ["network: {podCidr: 100.64.0.0/10}", "nodeGroups:"]
    lines += ["  - {name: control-plane, role: CONTROL_PLANE, hosts: [n0]}"]
    lines += [f"  - {{name: workers, role: WORKER, hosts: [{workers}]}}", ""]
    return "\n".join(lines)


def supply() -> Supply:
    binaries = {name: BinaryFile(name, "1.0.0", f"{name}.tar.gz", f"{n:064x}") for n, name in enumerate(BINARIES)}
    images = tuple(ImageFile(ref, f"{n}.tar", f"{n + 100:064x}") for n, ref in enumerate(IMAGES))
    return Supply(binaries, images)


def answer(draft: Draft, kind: str) -> list[Report]:
    """What a host could have said to the check of a program."""
    program = draft.action
    assert isinstance(program, Program)
    if kind == "same":
        return [Report(index, State.OK, 0) for index in range(len(program.operations))]
    return [
        Report(index, State.WOULD_CHANGE, 0, (FieldChange("state", "absent", operation.kind),))
        for index, operation in enumerate(program.operations)
    ]


def joined(facts: HostFacts) -> HostFacts:
    """The same host as a node of the cluster; the facts of a control plane do for a worker too."""
    kubernetes = Kubernetes((), (ADMIN_CONF, KUBELET_CONF))
    return replace(facts, kubernetes=kubernetes, raijin=Ownership("big", {"big": 9}, (INIT_MARKER,)))


def as_wanted(context: Context) -> ClusterState:
    """What the API shows when nothing is left to do."""
    nodes = {
        node.name: NodeState(node.name, True, "v1.34.1", desired_labels(context, node), (), False, ())
        for node in context.nodes
    }
    return ClusterState(nodes, {describe(document): document for document in desired_documents(context)})


class Clock:
    """CPU seconds by what they were spent on: this box has other work."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, what: str, work: Callable[[], T]) -> T:
        started = time.process_time()
        result = work()
        self.seconds[what] = time.process_time() - started
        return result


def resident() -> float:
    """MB that this process has in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def one(kind: str, count: int) -> dict[str, float]:
    output = subprocess.run(["/bin/sh", "-s"], input=gather.script(), capture_output=True, text=True, check=True).stdout
    gc.set_threshold(COLLECT_AFTER)  # as the command line does
    clock, text = Clock(), definition_text(count)
    gc.collect()
    before = resident()
    definition = clock("definition", lambda: read([("big.yaml", text, True)], {}))
    cluster = definition.cluster()
    placed = clock("placing", lambda: definition.hosts_of(cluster))
    facts = clock("facts", lambda: [gather.parse(output) for _ in placed])
    views = [HostView(joined(found) if kind == "same" else found) for found in facts]
    parts = platform_of(cluster).parts
    nodes = tuple(Node(p.host, p.role, view, parts=parts(view)) for p, view in zip(placed, views, strict=True))
    context = Context(definition.site(), cluster, nodes, supplies={views[0].architecture: supply()}, tags=TAGS)
    if kind == "same":
        context = replace(context, state=as_wanted(context))
    drafts = clock("drafts", lambda: apply.drafts(context))
    reports = {draft.key: answer(draft, kind) for draft in drafts if isinstance(draft.action, Program)}
    gc.collect()
    planned_from = resident()
    plan = clock("build", lambda: build("apply", cluster.name, drafts, reports))
    clock("digest", lambda: plan.digest)
    after = resident()
    clock("journal", lambda: json.dumps(plan_to_json(plan)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    planning = clock.seconds["drafts"] + clock.seconds["build"] + clock.seconds["digest"]
    memory = {"plan MB": after - planned_from, "all MB": after - before, "peak MB": peak}
    return {**clock.seconds, "planning": planning, **memory, "steps": len(plan.steps)}


def main(sizes: list[int]) -> None:
    columns = ("definition", "placing", "facts", "drafts", "build", "digest", "planning", "journal")
    print("CPU seconds\n\n| hosts | hosts are | " + " | ".join(columns) + " | steps | all MB | peak MB | goal |")
    print("|---|---|" + "---|" * (len(columns) + 4))
    memory: dict[str, list[tuple[int, float]]] = {}
    for kind in ("same", "first"):
        for count in sizes:
            command = [sys.executable, __file__, "--one", kind, str(count)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise SystemExit(done.stderr)
            found = json.loads(done.stdout)
            goal = GOALS.get(count, count / 1000)
            verdict = f"planning < {goal:g} s: {'met' if found['planning'] < goal else 'MISSED'}"
            cells = [f"{found[name]:.2f}" for name in columns]
            cells += [f"{found['steps']:.0f}", f"{found['all MB']:.0f}", f"{found['peak MB']:.0f}", verdict]
            print(f"| {count} | {'as wanted' if kind == 'same' else 'empty'} | {' | '.join(cells)} |", flush=True)
            memory.setdefault(kind, []).append((count, found["all MB"]))
    for kind, points in memory.items():
        (low, small), (high, large) = points[0], points[-1]
        if high > low:
            factor = large / small / (high / low)
            verdict = "met" if factor <= LINEAR else "MISSED"
            print(f"\nmemory, {kind}: {high / low:g} times the hosts take {large / small:.1f} times the MB: {verdict}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(sys.argv[2], int(sys.argv[3]))))
    else:
        main([int(size) for size in sys.argv[1:]] or list(SIZES))

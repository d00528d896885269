"""What a rehearsal of 1,000 hosts costs: `uv run python bench/rehearsing.py [HOSTS...]`

One control plane and workers of kubeadm, from bare hosts to Ready nodes: planned, carried out and journalled by the
real engine. Wall-clock time is that of this machine now; CPU seconds hardly depend on what else it does.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from raijin.cli.options import run_async

GOAL = {1_000: 60.0}
"""Seconds."""
SITE = """\
kind: Site
hosts: [{name: n1, address: 192.0.2.11}, {name: n2, address: 192.0.2.12}]
---
kind: Cluster
name: big
type: VANILLA
version: v1.34.2
nodeGroups:
  - {name: control-plane, role: CONTROL_PLANE, hosts: [n1]}
  - {name: workers, role: WORKER, hosts: [n2]}
"""


def one(hosts: int) -> None:
    from raijin.app.rehearsing import Wish, rehearsal  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "raijin.yaml"
        file.write_text(SITE)
        started, cpu = time.perf_counter(), time.process_time()
        with rehearsal(Wish((file,), hosts=hosts), Path(name) / "home") as stage:
            result = run_async(stage.perform(lambda _: True))
        took, used = time.perf_counter() - started, time.process_time() - cpu
        assert result.error is None, result.error
        assert sum(node.ready for node in result.nodes) == hosts
    goal = f", goal {GOAL[hosts]:.0f} s" if hosts in GOAL else ""
    each = used / result.steps * 1e3
    print(f"{hosts:>6} hosts, {result.steps:>6} steps: {took:6.1f} s{goal}; {used:6.1f} s of CPU, {each:.1f} ms a step")


def main(sizes: list[int]) -> None:
    if len(sizes) == 1:
        one(sizes[0])
        return
    for size in sizes:  # each in a process of its own: memory and caches are its own
        subprocess.run([sys.executable, __file__, str(size)], check=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [100, 1_000])

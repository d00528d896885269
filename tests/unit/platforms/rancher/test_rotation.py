"""The script of a rotation, in a real shell. Law: the program is started again in any case, and a failure told."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from raijin.platforms.rancher.certificates import ROTATE


@pytest.mark.parametrize(
    ("ends", "status", "calls"),
    [
        ((0, 0, 0), 0, ["stop k3s", "certificate rotate", "start k3s"]),
        ((0, 3, 0), 3, ["stop k3s", "certificate rotate", "start k3s"]),
        ((0, 0, 5), 5, ["stop k3s", "certificate rotate", "start k3s"]),
        ((4, 0, 0), 4, ["stop k3s"]),
    ],
)
def test_stop_rotate_start(tmp_path: Path, ends: tuple[int, int, int], status: int, calls: list[str]) -> None:
    stop, rotate, start = ends
    said = tmp_path / "said"
    scripts = {
        "systemctl": f'echo "$*" >>{said}; case $1 in stop) exit {stop};; *) exit {start};; esac',
        "k3s": f'echo "$*" >>{said}; exit {rotate}',
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", ROTATE, "k3s", str(tmp_path / "k3s")],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        check=False,
    )
    assert done.returncode == status
    assert said.read_text().splitlines() == calls

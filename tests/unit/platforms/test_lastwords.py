"""Why a control plane did not come up, as its containers said it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from raijin.platforms.kubeadm.lastwords import LAST_WORDS

ETCD = '{"level":"fatal","msg":"discovery failed","error":"cannot fetch cluster info","stacktrace":"main.main"}'


def told(folder: Path, crictl: str) -> list[str]:
    tool = folder / "crictl"
    tool.write_text(f"#!/bin/sh\n{crictl}\n")
    tool.chmod(0o755)
    done = subprocess.run(
        LAST_WORDS, env={"PATH": f"{folder}:/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("said", "words"),
    [(ETCD, "discovery failed: cannot fetch cluster info"), ("Error: no such flag", "Error: no such flag")],
)
def test_what_ended_says_why(tmp_path: Path, said: str, words: str) -> None:
    ended = f"""case "$*" in
      *Running*) ;;
      *'--name ^etcd$') echo 1234;;
      'logs --tail 1 1234') printf '%s\\n' '{said}' >&2;;
    esac"""
    assert told(tmp_path, ended) == [f"the last words of etcd: {words}"]


def test_what_runs_again_is_not_accused(tmp_path: Path) -> None:
    assert told(tmp_path, "echo 1234") == []


def test_without_a_container_runtime_nothing_is_said(tmp_path: Path) -> None:
    assert told(tmp_path, "exit 1") == []

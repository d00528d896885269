"""The command line as a person types it, in this process and in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from raijin import cli


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def raijin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path, tmp_path: Path):
    """`raijin("plan", "-f", ...)` runs it here; nothing of the user's is read or written."""
    monkeypatch.setenv("RAIJIN_HOME", str(home))
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setattr("click.core._detect_program_name", lambda *_, **__: "raijin")
    monkeypatch.delenv("RAIJIN_DEBUG", raising=False)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["raijin", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        code = ended.value.code
        assert code is None or isinstance(code, int)
        return Said(code or 0, said.out, said.err)

    return run


@pytest.fixture
def process(home: Path, tmp_path: Path) -> Callable[..., Said]:
    """The same in a process of its own."""

    def run(*arguments: str, python: str = "", **environment: str) -> Said:
        argv = [sys.executable, "-c", python] if python else [sys.executable, "-m", "raijin", *arguments]
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ}
        env = {**kept, "RAIJIN_HOME": str(home), "HOME": str(tmp_path), **environment}
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env, cwd=tmp_path)
        return Said(done.returncode, done.stdout, done.stderr)

    return run

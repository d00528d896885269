"""Logs of a host: the script in real shells, against folders and a journal of its own; and lines read back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from raijin.facts.logs import Wanted, parse_line, plain, script

LINE = "2026-11-27T10:00:00.123456789Z stderr F hello"


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host with a journal that says how it was asked, and the logs of some pods."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "journalctl").write_text('#!/bin/sh\necho "journal $*"\n')
    (tools / "systemctl").write_text('#!/bin/sh\n[ "$2" = kubelet.service ]\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    for folder, lines in (
        ("kube-system_etcd-n1_old/etcd", ["old"]),
        ("kube-system_etcd-n1_new/etcd", [LINE, "second\twith a tab"]),
        ("default_web_1/app", ["from default"]),
        ("shop_web_2/app", ["from shop"]),
    ):
        path = tmp_path / "pods" / folder
        path.mkdir(parents=True)
        (path / "0.log").write_text("".join(f"{line}\n" for line in lines))
    import os

    os.utime(tmp_path / "pods/kube-system_etcd-n1_old/etcd", (1, 1))
    return tmp_path


def ask(host: Path, text: str, shell: str = "sh") -> list[tuple[str, str]]:
    text = text.replace("/var/log/pods", str(host / "pods"))
    environment = {"PATH": f"{host / 'bin'}:/usr/bin:/bin"}
    done = subprocess.run([shell], input=text, capture_output=True, text=True, check=True, env=environment)
    assert done.stderr == ""
    return [found for line in done.stdout.splitlines() if (found := parse_line(line))]


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_units_and_containers_that_there_are(host: Path, shell: str) -> None:
    said = ask(host, script(Wanted(lines=7, since=90), ("kubelet", "k3s", "etcd", "kube-apiserver")), shell)
    assert said == [
        ("kubelet", "journal -u kubelet.service --no-pager -o short-iso -n 7 --since=-90s"),
        ("etcd", LINE),
        ("etcd", "second\twith a tab"),
    ]


def test_pods_of_one_namespace_or_of_any(host: Path) -> None:
    assert ask(host, script(Wanted(), pods=[("", "web")])) == [
        ("web/app", "from default"),
        ("web/app", "from shop"),
    ]
    assert ask(host, script(Wanted(), pods=[("shop", "web")])) == [("web/app", "from shop")]
    assert ask(host, script(Wanted(lines=1), pods=[("", "x'; touch /tmp/pwned; '")])) == []


def test_lines_of_containers() -> None:
    assert plain(LINE) == (1795773600.123456, "2026-11-27T10:00:00+0000 hello")
    assert plain("no time at all") == (None, "no time at all")
    assert plain("yesterday stdout F x") == (None, "yesterday stdout F x")
    assert parse_line("") is None
    assert parse_line("no part") is None


def test_whoever_follows_ends_when_nobody_listens() -> None:
    text = script(Wanted(follow=True), ("kubelet",))
    assert "-f" in text
    assert "echo || exit 0" in text

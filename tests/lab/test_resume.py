"""kill -9 of the engine in the middle of an apply, again and again, on real hosts; resume ends where an undisturbed run
does. And cancelling: no host is left in the middle of a change without a word."""

from __future__ import annotations

import json
import time

import pytest

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(1800)]

KILL_IN = ("prepare", "binaries", "services", "images", "start", "network", "join", "ready")


def steps(site) -> list[dict[str, object]]:
    done = site.raijin("run", "show", "-o", "json", code=None)
    return json.loads(done.out)["steps"] if done.code == 0 else []


def wait_for(site, child, stage: str, deadline: float) -> bool:
    """Until a step of the stage runs; False when the process ended or the stage was over before we looked."""
    while child.poll() is None and time.monotonic() < deadline:
        states = {str(step["state"]) for step in steps(site) if step["stage"] == stage}
        if "running" in states:
            return True
        if states == {"done"}:
            return False
        time.sleep(0.05)
    return False


def test_killed_in_every_stage_then_resumed(site, kubernetes, kill) -> None:
    """One apply, killed in each stage that was caught running; then it is finished, and nothing is left to do."""
    site.define(workers=2, version=kubernetes)
    caught = []
    arguments = ["apply", "--yes", "--offline", "-f", str(site.file)]
    for stage in KILL_IN:
        child = site.start(*arguments)
        if wait_for(site, child, stage, time.monotonic() + 300):
            kill(child)
            caught.append(stage)
            assert site.raijin("run", "list", "-o", "json").json()[0]["state"] == "interrupted"
            arguments = ["run", "resume"]
        elif child.poll() is not None:
            break
        else:
            kill(child)
            arguments = ["run", "resume"]
    record = site.raijin("run", "list", "-o", "json").json()[0]
    if record["state"] != "done":
        assert site.raijin("run", "resume", "-o", "json").json()["state"] == "done"
    assert len(caught) >= 4, f"killed only in {caught}"
    assert all(step["state"] == "done" for step in steps(site))
    assert site.plan()["steps"] == []
    assert site.raijin("status", "-f", str(site.file), "-o", "json").json()["healthy"] is True
    assert len(site.etcd_members(site.names[0])) == 1, "one etcd, with one member"
    site.raijin("destroy", "--yes", "-f", str(site.file))


def test_cancelled_in_the_middle_then_resumed(site, kubernetes) -> None:
    """`run cancel` from another process: exit code 15, the run says what was in hand, resume ends well."""
    site.define(workers=1, version=kubernetes)
    child = site.start("apply", "--yes", "--offline", "-f", str(site.file))
    assert wait_for(site, child, "prepare", time.monotonic() + 120)
    site.raijin("run", "cancel")
    assert child.wait(timeout=120) == 15
    record = site.raijin("run", "list", "-o", "json").json()[0]
    assert record["state"] == "cancelled"
    assert "middle" in record["error"]["detail"]
    assert not [step for step in steps(site) if step["state"] == "running"]
    for name in site.names[:2]:
        assert site.ssh(name, "ls /run/raijin.stop.* 2>/dev/null", check=False) == ""
    assert site.raijin("run", "resume", "-o", "json").json()["state"] == "done"
    assert site.plan()["steps"] == []
    site.raijin("destroy", "--yes", "-f", str(site.file))


def test_a_worker_that_dies_is_removed_by_deleting_it(site, kubernetes) -> None:
    """A dead host, deleted from the file: its node goes, the others stay (k0sctl#603, kubespray#8806)."""
    site.define(workers=2, version=kubernetes)
    site.apply()
    dead = site.names[2]
    site.ssh(dead, "systemctl stop kubelet; (sleep 0.2; ip link set host0 down) >/dev/null 2>&1 &")
    try:
        text = site.file.read_text().replace(f"  - {dead}\n", "", 1)
        assert text != site.file.read_text()
        site.file.write_text(text.replace("agent: false", "agent: false\n  connectTimeout: 3s"))
        plan = site.plan()
        assert [step["stage"] for step in plan["steps"]] == ["delete-node", "forget"]
        assert any("cannot be reached" in note for note in plan["notes"])
        site.apply()
        nodes = site.kubectl("get nodes -o name")
        assert dead not in nodes
        assert len(nodes.splitlines()) == 2
        assert site.plan()["steps"] == []
    finally:
        site.raijin("destroy", "--yes", "-f", str(site.file))
        site.raijin("lab", "down", dead)

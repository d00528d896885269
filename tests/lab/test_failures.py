"""What goes wrong at 2 a.m., on real hosts: each fault has its own clear error and exit code, and the other hosts are
untouched, or safely continued where the policy says so."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import yaml

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture
def define(site, kubernetes):
    """Write the definition of one control plane and two workers, changed as a test wants."""

    def write(change=None) -> None:
        site.define(workers=2, version=kubernetes, change=change)

    return write


@pytest.fixture(autouse=True)
def untouched(site):
    """No test of this module may leave anything on a host: every fault is found before the first change, or cleaned."""
    yield
    for name in site.names:
        assert site.ssh(name, "ls -d /var/lib/raijin /etc/kubernetes 2>/dev/null", check=False) == ""


def nobody(site) -> str:
    """An address of the lab's own network that no machine has."""
    return site.machines[0]["address"].rpartition(".")[0] + ".250"


def problem(result) -> dict[str, object]:
    """The problem document on standard error of a call with --output json."""
    return json.loads(result.err[result.err.index("{") :])


def test_a_host_that_is_down(site, define) -> None:
    """Exit code 7; the host is named; nothing was planned behind its back."""
    define(lambda docs: docs[0]["hosts"][2].update(address=nobody(site), ssh={"connectTimeout": "2s"}))
    result = site.apply("-o", "json", code=7)
    assert problem(result)["host"] == site.names[2]
    assert "no answer" in problem(result)["detail"] or "cannot connect" in problem(result)["detail"]


def test_a_host_that_is_down_is_left_out_where_the_policy_says_so(site, define) -> None:
    """SKIP: the plan is about the others, and says whom it leaves out."""

    def change(docs) -> None:
        docs[0]["hosts"][2].update(address=nobody(site), ssh={"connectTimeout": "2s"})
        docs[1]["policy"] = {"onHostFailure": "SKIP"}

    define(change)
    plan = site.plan()
    assert site.names[2] not in {step["target"] for step in plan["steps"]}
    assert any(site.names[2] in note for note in plan["notes"])


def test_a_wrong_sudo_password(site, define) -> None:
    """Exit code 8, and the password is in no output."""
    worker = site.names[1]
    site.ssh(
        worker,
        "id ann >/dev/null 2>&1 || useradd -m ann; echo 'ann:right-password' | chpasswd;"
        " echo 'ann ALL=(ALL) ALL' >/etc/sudoers.d/ann; mkdir -p ~ann/.ssh;"
        " cp /root/.ssh/authorized_keys ~ann/.ssh/; chown -R ann: ~ann/.ssh",
    )
    try:

        def change(docs) -> None:
            docs[0]["hosts"][1].setdefault("ssh", {})["user"] = "ann"
            docs[0]["hosts"][1]["become"] = {"password": "wrong-password"}

        define(change)
        result = site.apply("-o", "json", code=8)
        assert problem(result)["host"] == worker
        assert "sudo" in problem(result)["detail"]
        assert "wrong-password" not in result.err + result.out
        define(lambda docs: (change(docs), docs[0]["hosts"][1]["become"].update(password="right-password")))
        assert {step["target"] for step in site.plan()["steps"]} >= set(site.names[:3])
    finally:
        site.ssh(worker, "userdel -r ann 2>/dev/null; rm -f /etc/sudoers.d/ann")


def test_a_wrong_host_key(site, define) -> None:
    """Exit code 9; the offered fingerprint is shown, so that a person can compare it."""
    other = site.machines[0]["hostKey"]
    define(lambda docs: docs[0]["hosts"][1]["ssh"].update(hostKey=other))
    result = site.apply("-o", "json", code=9)
    assert problem(result)["host"] == site.names[1]
    assert "SHA256:" in problem(result)["detail"]


def test_a_full_disk_before_the_start(site, define) -> None:
    """Too little room is a reason against the plan (exit code 4), found before the first change."""
    worker = site.names[2]
    site.ssh(worker, "mkdir -p /var/lib/full && mount -t tmpfs -o size=64m full /var/lib")
    try:
        define()
        result = site.apply("-o", "json", code=4)
        assert worker in problem(result)["detail"]
        assert "free" in problem(result)["detail"]
    finally:
        site.ssh(worker, "umount /var/lib; rmdir /var/lib/full")


def test_a_disk_that_fills_up_on_the_way(site, define, kubernetes) -> None:
    """The step fails with exit code 16, says which host and why, the others are stopped in order, resume finishes."""
    worker = site.names[2]
    # /usr/local is where the binaries go: preflight does not look there.
    site.ssh(worker, "mount -t tmpfs -o size=40m full /usr/local && mkdir -p /usr/local/bin /usr/local/sbin")
    define(lambda docs: docs[1].update(policy={"onHostFailure": "SKIP"}))
    try:
        failed = site.apply("-o", "json", code=16)
        assert worker in problem(failed)["detail"]
        shown = site.raijin("run", "show", "-o", "json").json()
        bad = [step for step in shown["steps"] if step["state"] == "failed"]
        assert [step["target"] for step in bad] == [worker]
        assert "No space left" in json.dumps(bad[0]["error"])
        good = site.names[:2]
        assert all(step["state"] == "done" for step in shown["steps"] if step["target"] in good)
        site.ssh(worker, "umount -l /usr/local")
        assert site.raijin("run", "resume", "-o", "json").json()["state"] == "done"
        assert site.plan()["steps"] == []
    finally:
        site.ssh(worker, "umount -l /usr/local 2>/dev/null", check=False)
        site.raijin("destroy", "--yes", "-f", str(site.file))


def test_a_port_in_use(site, define) -> None:
    """Exit code 4: the port, the program that holds it, and what needs it."""
    first = site.names[0]
    site.ssh(first, "systemd-run -q --unit=squatter --socket-property=ListenStream=6443 sleep 300")
    try:
        site.ssh(first, "for i in $(seq 50); do ss -Hltn | grep -q :6443 && exit 0; sleep 0.1; done; exit 1")
        define()
        result = site.apply("-o", "json", code=4)
        assert "port 6443 is in use by systemd" in problem(result)["detail"]
    finally:
        site.ssh(first, "systemctl stop squatter.socket; systemctl stop squatter.service 2>/dev/null || true")


def test_a_wrong_checksum(site, define, kubernetes) -> None:
    """A file in the cache that is not what the lock says stops the run with exit code 12 or is refused before it."""
    define()
    site.raijin("artifacts", "lock", "--offline", "-f", str(site.file))
    lock_file = site.home / "raijin.lock.yaml"
    try:
        lock = yaml.safe_load(lock_file.read_text())
        entry = next(item for item in lock["artifacts"] if item["name"] == "runc")
        path = next(Path(site.home, "cache").rglob(entry["sha256"]))
        saved = path.read_bytes()
        path.chmod(0o600)
        path.write_bytes(saved[:-1] + bytes([saved[-1] ^ 1]))
        bundles = site.home / "bundles"
        shutil.move(bundles, site.home / "bundles.away")
        result = site.apply("-o", "json", code=None)
        assert result.code in {11, 12, 16}, result.err
        assert entry["sha256"][:8] in result.err or "runc" in result.err
        assert "checksum" in result.err or "sha256" in result.err or "neither the cache nor a bundle" in result.err
        shutil.move(site.home / "bundles.away", bundles)
        path.write_bytes(saved)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]
    finally:
        if (site.home / "bundles.away").exists():
            shutil.move(site.home / "bundles.away", site.home / "bundles")
        lock_file.unlink(missing_ok=True)
        site.raijin("destroy", "--yes", "-f", str(site.file), code=None)


def test_overlapping_networks(site, define) -> None:
    """Exit code 3, with the line of the file."""
    define(lambda docs: docs[1].update(network={"podCidr": "10.96.0.0/16", "serviceCidr": "10.96.0.0/12"}))
    result = site.apply("-o", "json", code=3)
    errors = problem(result)["errors"]
    assert any("overlap" in error["message"] for error in errors)
    assert all(error["line"] > 0 for error in errors)


def test_a_typo_in_the_definition(site, define) -> None:
    """Exit code 3: file, line, field, and the name that was meant."""
    define()
    site.file.write_text(site.file.read_text().replace("nodeGroups:", "nodeGruops:"))
    result = site.apply("-o", "json", code=3)
    errors = problem(result)["errors"]
    assert any("nodeGroups" in error.get("remedy", "") and error["line"] > 0 for error in errors)


def test_what_cannot_be_served_yet_is_said_part_by_part(site, define) -> None:
    """Exit code 4 (unsupported): every part with its path; nothing is skipped in silence."""

    def change(docs) -> None:
        docs[1]["services"] = [{"name": "lb", "type": "LOAD_BALANCER", "startupOrder": 1}]
        docs[1]["network"] = {"cni": {"name": "OVN_KUBERNETES"}}

    define(change)
    result = site.apply("-o", "json", code=4)
    assert "services[0]" in problem(result)["detail"]
    assert "network.cni.name" in problem(result)["detail"]


def test_a_host_of_another_cluster_is_refused(site, define) -> None:
    """A host that another cluster owns is named, and not touched (exit code 4)."""
    worker = site.names[1]
    site.ssh(worker, "mkdir -p /var/lib/raijin && echo other >/var/lib/raijin/owner")
    try:
        define()
        result = site.apply("-o", "json", code=4)
        assert "belongs to the cluster other" in problem(result)["detail"]
    finally:
        site.ssh(worker, "rm -rf /var/lib/raijin")


def test_two_runs_of_one_cluster_exclude_each_other(site, define) -> None:
    """The second gets exit code 6, names the first, and the first is not disturbed."""
    define()
    child = site.start("apply", "--yes", "--offline", "-f", str(site.file))
    try:
        import time

        for _ in range(600):
            runs = site.raijin("run", "list", "-o", "json").json()
            if runs and runs[0]["state"] == "running":
                break
            time.sleep(0.1)
        second = site.apply("-o", "json", code=None)
        assert second.code in {5, 6}, second.err
        assert child.wait(timeout=600) == 0
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait(timeout=120)
        site.raijin("destroy", "--yes", "-f", str(site.file))

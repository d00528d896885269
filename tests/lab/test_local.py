"""full-install: one machine, reached without SSH, becomes a cluster of its own; Raijin runs on that machine."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml

from raijin.app.lab import LAB_KUBEADM

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]


def copy_raijin(site, name: str) -> None:
    """Raijin and its dependencies, as they are installed here, onto a machine with a Python of the same minor."""
    packages = Path(sysconfig.get_paths()["purelib"])
    argv = ["ssh", "-F", str(site.home / "lab" / "ssh_config"), name, "mkdir -p /opt/raijin && tar x -C /opt/raijin"]
    with subprocess.Popen(
        [
            shutil.which("tar") or "tar",
            "c",
            "--exclude=__pycache__",
            "-C",
            str(packages),
            ".",
            "-C",
            str(ROOT / "src"),
            "raijin",
        ],
        stdout=subprocess.PIPE,
    ) as pack:
        subprocess.run(argv, stdin=pack.stdout, check=True)


def test_full_install_of_a_single_host(site, bundle, kubernetes) -> None:
    """`raijin full-install` on an empty machine ends with a Ready node on which pods may run; again changes nothing."""
    name = site.names[0]
    minor = sysconfig.get_python_version()
    site.ssh(name, f"apt-get update -qq && apt-get install -y -qq python{minor} >/dev/null 2>&1")
    copy_raijin(site, name)
    site.ssh(name, "mkdir -p /opt/home")
    with bundle.open("rb") as stream:
        argv = ["ssh", "-F", str(site.home / "lab" / "ssh_config"), name, "cat >/opt/bundle.tar"]
        subprocess.run(argv, stdin=stream, check=True)
    run = f"cd /opt/home && RAIJIN_HOME=/opt/home/.raijin PYTHONPATH=/opt/raijin python{minor} -m raijin"
    site.ssh(name, f"{run} bundle import /opt/bundle.tar && rm /opt/bundle.tar")
    documents = [
        {"kind": "Site", "hosts": [{"name": name, "connection": "local"}]},
        {
            "kind": "Cluster",
            "name": "local",
            "type": "VANILLA",
            "version": kubernetes,
            "nodeGroups": [{"name": "control-plane", "role": "CONTROL_PLANE", "hosts": [name]}],
            "kubernetes": {"kubeadm": LAB_KUBEADM},
        },
    ]
    site.ssh(name, "cat >/opt/home/raijin.yaml", stdin=yaml.safe_dump_all(documents))
    site.ssh(name, f"{run} full-install --yes --offline")
    assert "1 of 1 nodes Ready" in site.ssh(name, f"{run} status")
    assert "nothing to do" in site.ssh(name, f"{run} full-install --yes --offline")
    taints = site.ssh(
        name, "KUBECONFIG=/etc/kubernetes/admin.conf kubectl get nodes -o jsonpath={.items[*].spec.taints}"
    )
    assert taints == "", "the only machine is for everything"
    site.ssh(name, f"{run} destroy --yes")
    assert site.ssh(name, "ls /etc/kubernetes /var/lib/raijin 2>/dev/null", check=False) == ""

"""A Kubernetes API server with its etcd on loopback, without nodes: what documents are, the real judge says."""

from __future__ import annotations

import base64
import json
import secrets
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

STARTED_SECONDS = 90


@dataclass(frozen=True)
class ApiServer:
    port: int
    kubeconfig: str


def programs(bundle: Path, folder: Path) -> dict[str, Path]:
    """etcd and kube-apiserver, taken out of their images in the bundle: static programs."""
    found = {}
    with tarfile.open(bundle) as tar:
        for entry in json.loads(_content(tar, "bundle.json"))["images"]:
            name = entry["ref"].rpartition("/")[2].partition(":")[0]
            if name in {"etcd", "kube-apiserver"}:
                image = folder / f"{name}.tar"
                image.write_bytes(_content(tar, f"blobs/sha256/{entry['sha256']}"))
                found[name] = _program(image, name, folder)
    return found


def _program(image: Path, name: str, folder: Path) -> Path:
    with tarfile.open(image) as tar:
        for layer in json.loads(_content(tar, "manifest.json"))[0]["Layers"]:
            with tarfile.open(fileobj=tar.extractfile(layer)) as files:
                path = f"usr/local/bin/{name}"
                if path in files.getnames():
                    (folder / name).write_bytes(_content(files, path))
                    (folder / name).chmod(0o755)
    return folder / name


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    assert file is not None
    return file.read()


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def serving(bundle: Path, folder: Path) -> Iterator[ApiServer]:
    """Both run until the block ends."""
    etcd_port, peer_port, port = free_ports(3)
    found, token = programs(bundle, folder), secrets.token_hex(16)
    key = rsa.generate_private_key(65537, 2048)
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    (folder / "accounts.key").write_bytes(key.private_bytes(*pem))
    (folder / "tokens.csv").write_text(f"{token},admin,admin,system:masters\n")
    etcd = [
        str(found["etcd"]),
        f"--data-dir={folder}/data",
        f"--listen-client-urls=http://127.0.0.1:{etcd_port}",
        f"--advertise-client-urls=http://127.0.0.1:{etcd_port}",
        f"--listen-peer-urls=http://127.0.0.1:{peer_port}",
        "--unsafe-no-fsync",
    ]
    server = [
        str(found["kube-apiserver"]),
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={folder}/certs",
        f"--token-auth-file={folder}/tokens.csv",
        "--authorization-mode=RBAC",
        "--allow-privileged=true",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder}/accounts.key",
        f"--service-account-signing-key-file={folder}/accounts.key",
        "--endpoint-reconciler-type=none",
    ]
    log = (folder / "log").open("w")
    children = [subprocess.Popen(command, stdout=log, stderr=log) for command in (etcd, server)]
    try:
        _wait(port, children, folder)
        yield ApiServer(port, kubeconfig(folder, token))
    finally:
        for child in reversed(children):
            child.terminate()
            child.wait(timeout=30)
        log.close()


def _wait(port: int, children: list[subprocess.Popen[bytes]], folder: Path) -> None:
    deadline = time.monotonic() + STARTED_SECONDS
    while time.monotonic() < deadline:
        if any(child.poll() is not None for child in children):
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the API server did not start:\n{(folder / 'log').read_text()[-3000:]}")


def kubeconfig(folder: Path, token: str) -> str:
    """The server made its own certificate, for its address and 127.0.0.1."""
    ca = base64.b64encode((folder / "certs" / "apiserver.crt").read_bytes()).decode()
    return yaml.safe_dump(
        {
            "clusters": [{"name": "c", "cluster": {"server": "https://x", "certificate-authority-data": ca}}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
        }
    )

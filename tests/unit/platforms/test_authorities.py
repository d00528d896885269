"""Authorities of a rotation: made once, found again, told to the cluster; their keys stay in the secret store."""

from __future__ import annotations

import base64
import copy
import ssl
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509 as full
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from raijin.errors import DeadlineExceeded, KubernetesError, OperationFailed
from raijin.facts import x509
from raijin.observe.masking import MASKER
from raijin.plan.handlers import CallContext
from raijin.platforms import authorities as kept
from raijin.platforms import restarting
from raijin.platforms.kubeadm import authorities
from raijin.platforms.kubeadm.backup import alone
from raijin.platforms.kubeadm.rotation import FILES
from raijin.platforms.restarting import NOTE, restart_workloads, speaks_to_the_api
from raijin.platforms.rollout import rollout_reason
from raijin.platforms.signing import new_root
from raijin.platforms.turns import MARKER as MARKERS
from raijin.state.secrets import SecretStore
from raijin.transport.base import Completed
from raijin.transport.kube import describe

OLD, OLD_KEY = new_root("kubernetes", "ECDSA-P256", 10)
ROTATION = "kubernetes.front-proxy.1a2b3c4d"
MARKER = f"/var/lib/raijin/stamps/command:{MARKERS}{ROTATION}"


class Host:
    """Files by path."""

    name = "n1"

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    async def run(self, script: str, **_: object) -> Completed:
        """`[ -e PATH ] && ...`, as the calls ask."""
        paths = [part.split("]")[0].removeprefix(" -e ").strip() for part in script.split("[")[1:]]
        return Completed(0 if all(path in self.files for path in paths) else 1, "", "", 0.0)

    async def read(self, path: str) -> bytes:
        return self.files[path].encode()


class Pool:
    def __init__(self, *hosts: Host) -> None:
        self.hosts = {f"n{place}": host for place, host in enumerate(hosts, 1)}

    async def get(self, host: str) -> Host:
        return self.hosts[host]


def plane(**more: str) -> Host:
    files = {f"{FILES[name]}.{end}": text for name in FILES for end, text in (("crt", OLD), ("key", OLD_KEY))}
    return Host(files | more)


def called(tmp_path: Path, *hosts: Host, timeout: float = 60.0, said: list[str] | None = None, **arguments: Any) -> Any:
    store = SecretStore(tmp_path)
    absent: Any = None
    told = said if said is not None else []
    return CallContext("lab", "lab", arguments, Pool(*hosts), store, absent, timeout, told.append, absent)  # type: ignore[arg-type]


def making(tmp_path: Path, *hosts: Host, algorithm: str = "ECDSA-P256") -> Any:
    names = [f"n{place}" for place, _ in enumerate(hosts, 1)]
    wanted = ["kubernetes", "front-proxy"]
    settings = {"rotation": ROTATION, "authorities": wanted, "algorithm": algorithm, "validity": ""}
    return called(tmp_path, *hosts, hosts=names, **settings)


def text(context: Any, name: str, part: str) -> str:
    return context.secrets.get(f"cluster/lab/authorities/{ROTATION}/{name}/{part}")


async def test_new_ones_are_made_once_and_every_text_of_the_turns(tmp_path: Path) -> None:
    context = making(tmp_path, plane())
    await authorities.make_authorities(context)
    new, key = text(context, "kubernetes", "new"), text(context, "kubernetes", "key")
    assert text(context, "kubernetes", "both") == OLD + new
    assert text(context, "kubernetes", "turned") == new + OLD
    assert text(context, "kubernetes", "old") == OLD
    assert key in MASKER.mask(f"x {key}") or "***" in MASKER.mask(f"x {key}")
    assert key not in MASKER.mask(f"x {key}")
    await authorities.make_authorities(context)
    assert text(context, "kubernetes", "new") == new, "made a second time"
    first = x509.read(next(x509.blocks(new)))
    assert kept.kept_of(context.secrets, "lab")[ROTATION]["kubernetes"] == first.key
    await kept.forget(context)
    assert kept.kept_of(context.secrets, "lab") == {}
    assert not [name for name in context.secrets.names() if "authorities" in name]


async def test_what_waits_on_a_host_is_taken_by_another_home(tmp_path: Path) -> None:
    new, key = new_root("kubernetes", "ECDSA-P256", 10)
    waiting = {f"/etc/kubernetes/pki/rotation/{n}.{e}": t for n in FILES for e, t in (("crt", new), ("key", key))}
    turned = {f"{FILES['kubernetes']}.crt": new + OLD}
    context = making(tmp_path, plane(), plane(**waiting, **turned, **{MARKER: ""}))
    await authorities.make_authorities(context)
    assert text(context, "kubernetes", "new") == new
    assert text(context, "kubernetes", "both") == OLD + new


async def test_what_lies_there_of_another_rotation_is_not_taken(tmp_path: Path) -> None:
    new, key = new_root("kubernetes", "ECDSA-P256", 10)
    waiting = {f"/etc/kubernetes/pki/rotation/{n}.{e}": t for n in FILES for e, t in (("crt", new), ("key", key))}
    context = making(tmp_path, plane(**waiting))
    context.secrets.put("cluster/lab/authorities/etcd.00000000/etcd/new", OLD)
    await authorities.make_authorities(context)
    assert text(context, "kubernetes", "new") != new
    assert not context.secrets.has("cluster/lab/authorities/etcd.00000000/etcd/new")


async def test_when_all_hosts_have_forgotten_the_old_one_there_is_one_text(tmp_path: Path) -> None:
    context = making(tmp_path, plane())
    await authorities.make_authorities(context)
    new = text(context, "kubernetes", "new")
    later = making(tmp_path, plane(**{f"{FILES['kubernetes']}.crt": new}))
    await authorities.make_authorities(later)
    assert text(later, "kubernetes", "new") == new
    assert text(later, "kubernetes", "turned") == new + new


async def test_an_authority_whose_key_is_elsewhere_is_left_alone(tmp_path: Path) -> None:
    host = plane()
    del host.files[f"{FILES['kubernetes']}.key"]
    with pytest.raises(OperationFailed, match="kept outside of the cluster"):
        await authorities.make_authorities(making(tmp_path, host))


async def test_a_kind_of_key_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KubernetesError, match="ED25519"):
        await authorities.make_authorities(making(tmp_path, plane(), algorithm="ED25519"))


@pytest.mark.parametrize("algorithm", ["RSA-2048", "ECDSA-P256", "ECDSA-P384"])
def test_an_authority_is_one_as_kubeadm_makes_it(algorithm: str) -> None:
    certificate, key = new_root("etcd-ca", algorithm, 3650)
    made = full.load_pem_x509_certificate(certificate.encode())
    assert load_pem_private_key(key.encode(), None).public_key() == made.public_key()
    assert made.subject == made.issuer
    assert made.extensions.get_extension_for_class(full.BasicConstraints).value.ca
    assert made.extensions.get_extension_for_class(full.KeyUsage).value.key_cert_sign
    assert key.startswith("-----BEGIN RSA" if algorithm.startswith("RSA") else "-----BEGIN EC PRIVATE KEY")
    ssl.create_default_context(cadata=certificate + OLD)


def test_of_a_backup_from_the_middle_of_a_rotation_one_authority_is_restored() -> None:
    new, _ = new_root("kubernetes", "ECDSA-P256", 10)
    assert alone("/etc/kubernetes/pki/ca.crt", new + OLD) == new
    assert alone("/etc/kubernetes/pki/ca.crt", OLD) == OLD
    assert alone("/etc/kubernetes/pki/ca.key", OLD_KEY) == OLD_KEY
    assert alone("/var/lib/rancher/k3s/server/tls/server-ca.crt", new + OLD) == new + OLD


class FakeKube:
    cluster = "lab"

    def __init__(self, *objects: dict[str, Any]) -> None:
        self.objects = {describe(one): copy.deepcopy(one) for one in objects}
        self.patched: list[str] = []
        self.pods: list[dict[str, Any]] = []

    async def get(self, document: dict[str, Any]) -> dict[str, Any] | None:
        return copy.deepcopy(self.objects.get(describe(document)))

    async def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        kind = {"configmaps": "ConfigMap"} | restarting.KINDS
        wanted = kind[path.rpartition("/")[2]]
        name = query.get("fieldSelector", "=").partition("=")[2]
        found = [o for o in self.objects.values() if o["kind"] == wanted and name in {"", o["metadata"]["name"]}]
        return [{k: v for k, v in one.items() if k not in {"kind", "apiVersion"}} for one in copy.deepcopy(found)]

    async def patch(self, document: dict[str, Any], patch: dict[str, Any]) -> None:
        self.patched.append(describe(document))
        _merge(self.objects[describe(document)], patch)

    async def list_nodes(self) -> list[dict[str, Any]]:
        return []

    async def list_pods(self, **_: object) -> list[dict[str, Any]]:
        return self.pods


def _merge(target: dict[str, Any], patch: dict[str, Any]) -> None:
    for key, value in patch.items():
        if isinstance(value, dict):
            _merge(target.setdefault(key, {}), value)
        else:
            target[key] = value


def through(monkeypatch: pytest.MonkeyPatch, module: Any, kube: FakeKube) -> None:
    @asynccontextmanager
    async def access(_: CallContext):
        yield kube

    monkeypatch.setattr(module, "open_access", access)


def config_map(namespace: str, name: str, **data: str) -> dict[str, Any]:
    metadata = {"namespace": namespace, "name": name}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


async def publishing(tmp_path: Path, kube: FakeKube, monkeypatch: pytest.MonkeyPatch, part: str, **more: Any) -> Any:
    through(monkeypatch, authorities, kube)
    await authorities.make_authorities(making(tmp_path, plane()))
    names = ["kubernetes", "front-proxy"]
    return called(tmp_path, rotation=ROTATION, authorities=names, text=part, **more)


INFO = yaml.safe_dump({"clusters": [{"cluster": {"certificate-authority-data": "b2xk", "server": "https://x"}}]})


async def test_who_joins_and_who_runs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kube = FakeKube(
        config_map("kube-public", "cluster-info", kubeconfig=INFO),
        config_map("kube-system", "extension-apiserver-authentication", **{"client-ca-file": "old", "x": "y"}),
    )
    context = await publishing(tmp_path, kube, monkeypatch, "new")
    new = text(context, "kubernetes", "new")
    kube.objects["ConfigMap default/kube-root-ca.crt"] = config_map("default", "kube-root-ca.crt", **{"ca.crt": new})
    await authorities.publish(context)
    info = yaml.safe_load(kube.objects["ConfigMap kube-public/cluster-info"]["data"]["kubeconfig"])
    assert base64.b64decode(info["clusters"][0]["cluster"]["certificate-authority-data"]).decode() == new
    told = kube.objects["ConfigMap kube-system/extension-apiserver-authentication"]["data"]
    assert told == {
        "client-ca-file": new,
        "requestheader-client-ca-file": text(context, "front-proxy", "new"),
        "x": "y",
    }


async def test_as_long_as_both_are_trusted_nothing_is_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kube = FakeKube(config_map("kube-system", "extension-apiserver-authentication", **{"client-ca-file": "old"}))
    context = await publishing(tmp_path, kube, monkeypatch, "both")
    reverse = text(context, "kubernetes", "turned")  # the order of the two means nothing to pods
    kube.objects["ConfigMap a/kube-root-ca.crt"] = config_map("a", "kube-root-ca.crt", **{"ca.crt": reverse})
    await authorities.publish(context)
    assert kube.patched == []


async def test_a_namespace_that_is_not_told_holds_it_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kube = FakeKube(config_map("late", "kube-root-ca.crt", **{"ca.crt": OLD}))
    context = await publishing(tmp_path, kube, monkeypatch, "both", timeout=0.01)
    with pytest.raises(DeadlineExceeded, match="late still tell the old ones"):
        await authorities.publish(context)


def workload(kind: str, namespace: str, name: str, spec: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    template = {"metadata": {}, "spec": spec or {}}
    status = {
        "observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": 1, "readyReplicas": 1, "replicas": 1,
        "conditions": [{"type": "Available", "status": "True"}], "desiredNumberScheduled": 0,
    }  # fmt: skip
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"namespace": namespace, "name": name, "generation": 1},
        "spec": {"replicas": 1, "selector": {}, "template": template, **more},
        "status": status,
    }


async def test_what_the_cluster_is_made_of_is_started_anew_and_others_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kube = FakeKube(
        workload("Deployment", "kube-system", "coredns"),
        workload("DaemonSet", "kube-system", "kube-proxy"),
        workload("DaemonSet", "kube-system", "old-style", updateStrategy={"type": "OnDelete"}),
        workload("Deployment", "shop", "web"),
        workload("Deployment", "shop", "mute", {"automountServiceAccountToken": False}),
    )
    through(monkeypatch, restarting, kube)
    said: list[str] = []
    context = called(tmp_path, said=said, mark="trust-1a", namespaces=["kube-system"])
    await restart_workloads(context)
    assert kube.patched == ["DaemonSet kube-system/kube-proxy", "Deployment kube-system/coredns"]
    notes = kube.objects["Deployment kube-system/coredns"]["spec"]["template"]["metadata"]["annotations"]
    assert notes == {NOTE: "trust-1a"}
    told = " ".join(said)
    assert "may have read the old authority: Deployment shop/web" in told
    assert "mute" not in told
    assert "old-style is not started anew by a change" in told
    await restart_workloads(context)
    assert len(kube.patched) == 2, "what bears the mark has been started anew"
    await restart_workloads(called(tmp_path, mark="trust-1a", namespaces=[]))
    assert kube.patched[2:] == ["Deployment shop/web"]


def test_who_is_given_a_token_speaks_to_the_api() -> None:
    own = {"volumes": [{"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}]}
    assert speaks_to_the_api(workload("Deployment", "a", "b"))
    assert speaks_to_the_api(workload("Deployment", "a", "b", {"automountServiceAccountToken": False, **own}))
    assert not speaks_to_the_api(workload("Deployment", "a", "b", {"automountServiceAccountToken": False}))


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"observedGeneration": 1, "updatedReplicas": 3, "readyReplicas": 3}, ""),
        ({"observedGeneration": 1, "updatedReplicas": 2, "readyReplicas": 3}, "2 of 3 pods are of its newest form"),
        ({"observedGeneration": 1, "updatedReplicas": 3, "readyReplicas": 2}, "2 of 3 pods are ready"),
        ({"observedGeneration": 0}, "has not been noticed"),
    ],
)
def test_a_stateful_set_has_rolled_out(status: dict[str, int], reason: str) -> None:
    live = workload("StatefulSet", "a", "b", replicas=3) | {"status": status}
    assert reason in rollout_reason(live, (), set())
    assert bool(rollout_reason(live, (), set())) is bool(reason)

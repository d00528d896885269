"""Stands in for openshift-install, oc and the API of a cluster: what they were asked is written down.

What the installer writes was read in openshift/installer (cmd/openshift-install/create.go, pkg/asset).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from raijin.platforms.okd.install import SCHEDULER
from raijin.transport.base import Completed
from raijin.transport.document import describe

CONFIG = {
    "apiVersion": "v1",
    "metadata": {"name": "demo"},
    "baseDomain": "example.org",
    "platform": {"none": {}},
    "pullSecret": "(kept) pull secret",
}
KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{name: demo, cluster: {server: "https://api.demo.example.org:6443"}}]
users: [{name: admin, user: {client-key-data: a-key-of-an-administrator}}]
contexts: [{name: admin, context: {cluster: demo, user: admin}}]
current-context: admin
"""
IGNITION = '{"ignition":{"version":"3.2.0"}}'


@dataclass
class Openshift:
    """then: what happens once, when lists are asked for: after so many other questions as patience says."""

    commands: list[str] = field(default_factory=list)
    environment: Mapping[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    folder: str = ""
    fails: str = ""
    offers: dict[str, Any] = field(default_factory=dict)
    answers: list[Exception] = field(default_factory=list)
    objects: dict[str, Any] = field(default_factory=dict)
    operators: list[Any] = field(default_factory=list)
    patched: list[tuple[str, Any]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    told: str = ""
    asked: int = 0
    patience: int = 0
    then: Callable[[], Any] | None = None

    async def run(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, **_: object) -> Completed:
        words = [str(word) for word in argv[1:]]
        if words[0].startswith("--kubeconfig="):
            self.commands.append(" ".join(words[1:]))
            return Completed(0, self.told, "", 0.0)
        self.environment = env or {}
        self.folder = words[2].removeprefix("--dir=")
        self.commands.append(" ".join(words[:2]))
        if self.fails:
            return Completed(1, "", f"{self.fails}\n", 0.0)
        getattr(self, words[1].replace("-", "_"))(Path(self.folder))
        return Completed(0, "", 'level=info msg="Consuming Install Config from target directory"\n', 0.0)

    def manifests(self, folder: Path) -> None:
        """The installer consumes install-config.yaml: it is gone afterwards."""
        path = folder / "install-config.yaml"
        self.seen["install-config.yaml"] = path.read_text()
        path.unlink()
        for name in ("manifests", "openshift"):
            (folder / name).mkdir()
        (folder / SCHEDULER).write_text("kind: Scheduler\nspec: {mastersSchedulable: true}\n")

    def ignition_configs(self, folder: Path) -> None:
        for path in (*(folder / "manifests").iterdir(), *(folder / "openshift").iterdir()):
            self.seen[str(path.relative_to(folder))] = path.read_text()
        (folder / "auth").mkdir()
        (folder / "auth/kubeconfig").write_text(KUBECONFIG)
        (folder / "auth/kubeadmin-password").write_text("abcde-fghij-klmno-pqrst")
        (folder / "metadata.json").write_text("{}")
        for role in ("bootstrap", "master", "worker"):
            (folder / f"{role}.ign").write_text(IGNITION)

    def etcd(self, members: Mapping[str, str], dead: Sequence[str] | set[str] = ()) -> None:
        """What `etcdctl` prints of these members, by host and address."""
        listed = [
            {
                "ID": n,
                "name": name,
                "peerURLs": [f"https://{address}:2380"],
                "clientURLs": [f"https://{address}:2379"],
            }
            for n, (name, address) in enumerate(members.items(), 1)
        ]
        status = [
            {"Endpoint": one["clientURLs"][0], "Status": {"header": {"member_id": one["ID"]}, "leader": 1}}  # type: ignore[index]
            for one in listed
            if one["name"] not in dead
        ]
        self.told = "\n".join([json.dumps({"members": listed}), json.dumps(status), "{}"])

    def secret(self, name: str, text: str) -> None:
        data = {"userData": base64.b64encode(text.encode()).decode()}
        self.objects[f"Secret openshift-machine-api/{name}"] = {"data": data}

    def _asked(self) -> None:
        self.asked += 1
        if self.answers:
            raise self.answers.pop(0)

    async def get(self, document: Mapping[str, Any]) -> Any:
        self._asked()
        return self.objects.get(describe(document))

    async def list_nodes(self) -> list[Any]:
        self._asked()
        return [value for name, value in self.objects.items() if name.startswith("Node ")]

    async def items(self, path: str) -> list[Any]:
        due = self.asked > self.patience if self.patience else not path.endswith("certificatesigningrequests")
        if self.then is not None and due:
            self.then, then = None, self.then
            found = list(self.operators)
            then()
            return found if path.endswith("clusteroperators") else []
        return list(self.operators) if path.endswith("clusteroperators") else []

    async def read(self, path: str) -> str:
        return f"ok {path}"

    async def patch(self, document: Mapping[str, Any], patch: Mapping[str, Any]) -> None:
        self.patched.append((describe(document), patch))
        if self.then is not None:
            self.then, then = None, self.then
            then()

    async def delete(self, document: Mapping[str, Any]) -> bool:
        self.deleted.append(describe(document))
        return True

"""What Raijin applies for each container network: golden files to be looked at, and the laws that each of them keeps.

To write the golden files anew: UPDATE_GOLDEN=1 pytest tests/unit/network/test_documents.py
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.network.conftest import CASES, cluster, network_of, wanted

from raijin.artifacts.images import ImageRef
from raijin.artifacts.lock import Lock
from raijin.network import CONTAINER_NETWORKS, choice_of
from raijin.transport.kube import describe

GOLDEN = Path(__file__).parent / "golden"
WORKLOADS = ("DaemonSet", "Deployment")
NAMESPACES = {"kube-system"}
Documents = list[dict[str, Any]]


@pytest.fixture(params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def found(name: str) -> Documents:
    one = cluster(CASES[name])
    return network_of(one).documents(wanted(one))


def of(found: Documents, *kinds: str) -> Iterator[dict[str, Any]]:
    return (document for document in found if document["kind"] in kinds)


def templates(found: Documents) -> Iterator[tuple[str, dict[str, Any]]]:
    for document in of(found, *WORKLOADS):
        yield describe(document), document["spec"]["template"]


def containers(template: dict[str, Any]) -> list[dict[str, Any]]:
    pod = template["spec"]
    return [*pod.get("initContainers", []), *pod["containers"]]


class Readable(yaml.SafeDumper):
    """Texts of several lines as they are."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


Readable.add_representer(str, _text)


def test_golden(name: str, found: Documents) -> None:
    text = yaml.dump_all(found, Dumper=Readable, sort_keys=False, width=120)
    path = GOLDEN / f"{name}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_every_golden_file_has_its_case() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)


def test_every_network_has_a_golden_file() -> None:
    assert {network_of(cluster(case)).name for case in CASES.values()} == {n.name for n in CONTAINER_NETWORKS}


def test_the_same_definition_gives_the_same_documents(name: str, found: Documents) -> None:
    one = cluster(CASES[name])
    again = network_of(one).documents(wanted(one))
    assert json.dumps(again) == json.dumps(found)


def test_no_two_documents_are_one_object(found: Documents) -> None:
    names = [describe(document) for document in found]
    assert len(names) == len(set(names))


def test_a_namespace_comes_before_what_is_in_it(found: Documents) -> None:
    there = set(NAMESPACES)
    for document in found:
        if document["kind"] == "Namespace":
            there.add(document["metadata"]["name"])
        assert document["metadata"].get("namespace", "kube-system") in there, describe(document)


def test_selectors_choose_the_pods_of_their_own_workload(found: Documents) -> None:
    labels = {describe(d): d["spec"]["template"]["metadata"]["labels"] for d in of(found, *WORKLOADS)}
    for document in of(found, *WORKLOADS):
        wanted_labels = document["spec"]["selector"]["matchLabels"].items()
        chosen = [name for name, own in labels.items() if wanted_labels <= own.items()]
        assert chosen == [describe(document)]
    for document in of(found, "Service", "PodDisruptionBudget"):
        selector = document["spec"]["selector"]
        assert any(selector.get("matchLabels", selector).items() <= own.items() for own in labels.values())


def test_every_mounted_volume_exists_and_every_volume_is_mounted(found: Documents) -> None:
    for where, template in templates(found):
        volumes = [volume["name"] for volume in template["spec"].get("volumes", [])]
        mounts = [mount["name"] for c in containers(template) for mount in c.get("volumeMounts", [])]
        assert len(volumes) == len(set(volumes)), where
        assert set(mounts) == set(volumes), where
        for container in containers(template):
            paths = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
            assert len(paths) == len(set(paths)), (where, container["name"])


def test_every_account_exists_and_has_its_rights(found: Documents) -> None:
    accounts = {(d["metadata"]["namespace"], d["metadata"]["name"]) for d in of(found, "ServiceAccount")}
    roles = {
        (d["kind"], d["metadata"].get("namespace"), d["metadata"]["name"]) for d in of(found, "ClusterRole", "Role")
    }
    bound = set()
    for binding in of(found, "ClusterRoleBinding", "RoleBinding"):
        reference, place = binding["roleRef"], binding["metadata"].get("namespace")
        role = (reference["kind"], None if reference["kind"] == "ClusterRole" else place, reference["name"])
        assert role in roles, describe(binding)
        for subject in binding["subjects"]:
            if subject["kind"] == "ServiceAccount":
                assert (subject["namespace"], subject["name"]) in accounts
                bound.add((subject["namespace"], subject["name"]))
    used = {
        (document["metadata"]["namespace"], document["spec"]["template"]["spec"]["serviceAccountName"])
        for document in of(found, *WORKLOADS)
        if document["spec"]["template"]["spec"].get("automountServiceAccountToken", True)
    }
    assert used <= bound
    assert {binding["roleRef"]["name"] for binding in of(found, "ClusterRoleBinding", "RoleBinding")} == {
        name for _, _, name in roles
    }, "a role that nobody has"


def test_every_image_is_one_that_can_be_locked(name: str, found: Documents) -> None:
    one = cluster(CASES[name])
    network = network_of(one)
    locked = {
        str(ImageRef.parse(r)) for r in network.images(one, choice_of(one, one.version, Lock(), network.main_image))
    }
    used = {str(ImageRef.parse(c["image"])) for _, template in templates(found) for c in containers(template)}
    assert used == locked


def test_every_config_map_and_key_that_is_read_exists(found: Documents) -> None:
    maps = {(d["metadata"]["namespace"], d["metadata"]["name"]): d["data"] for d in of(found, "ConfigMap")}
    for document in of(found, *WORKLOADS):
        template, place = document["spec"]["template"], document["metadata"]["namespace"]
        for volume in template["spec"].get("volumes", []):
            if "configMap" in volume:
                content = maps[place, volume["configMap"]["name"]]
                assert {item["key"] for item in volume["configMap"].get("items", [])} <= set(content)
        for container in containers(template):
            for variable in container.get("env", []):
                reference = variable.get("valueFrom", {}).get("configMapKeyRef")
                if reference and not reference.get("optional"):
                    assert reference["key"] in maps[place, reference["name"]], variable["name"]


def test_every_secret_that_a_pod_cannot_do_without_is_made(name: str, found: Documents) -> None:
    one = cluster(CASES[name])
    made = {certificate.secret for certificate in network_of(one).certificates(one)}
    needed = {
        source["secret"]["name"]
        for _, template in templates(found)
        for volume in template["spec"].get("volumes", [])
        for source in volume.get("projected", {}).get("sources", [])
        if not source["secret"].get("optional")
    }
    assert needed <= made
    named = json.dumps(found)
    assert all(f'"{secret}"' in named for secret in made), "a certificate that nobody uses"


def test_variables_and_arguments_are_text_and_said_once(found: Documents) -> None:
    for _, template in templates(found):
        for container in containers(template):
            names = [variable["name"] for variable in container.get("env", [])]
            assert len(names) == len(set(names)), container["name"]
            assert all(isinstance(v.get("value", ""), str) for v in container.get("env", []))
            assert all(isinstance(word, str) for word in (*container.get("command", []), *container.get("args", [])))
    for document in of(found, "ConfigMap"):
        assert all(isinstance(value, str) for value in document["data"].values()), describe(document)


def test_a_container_that_ends_leaves_its_last_words(found: Documents) -> None:
    """They are what `kube.wait-rollout` says of it."""
    for where, template in templates(found):
        for container in containers(template):
            assert container["terminationMessagePolicy"] == "FallbackToLogsOnError", (where, container["name"])


def test_ports_of_the_host_are_taken_once(found: Documents) -> None:
    taken = [
        (port["hostPort"], port.get("protocol", "TCP"))
        for document in of(found, "DaemonSet")
        for c in containers(document["spec"]["template"])
        for port in c.get("ports", [])
        if "hostPort" in port
    ]
    assert len(taken) == len(set(taken))


def test_what_is_waited_for_is_among_them(name: str, found: Documents) -> None:
    one = cluster(CASES[name])
    waited = {describe(workload) for workload in network_of(one).workloads(one)}
    assert waited
    assert waited <= {describe(document) for document in found}


def test_pods_of_the_network_run_where_nothing_else_may(found: Documents) -> None:
    """A node is tainted until its network runs, so a DaemonSet that minds taints would never begin."""
    for document in of(found, "DaemonSet"):
        pod = document["spec"]["template"]["spec"]
        assert any("key" not in t and t.get("effect", "NoSchedule") == "NoSchedule" for t in pod["tolerations"])
        assert pod["hostNetwork"]
        assert pod["priorityClassName"] == "system-node-critical"

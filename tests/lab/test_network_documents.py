"""The documents of every container network before a real API server: taken as they are, and nothing differs after."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from tests.lab.apiserver import ApiServer, serving
from tests.unit.network.conftest import CASES, cluster, network_of, wanted

from raijin.facts.cluster import PART_LABEL, ClusterState, differences, given_up, observe
from raijin.observe.waiting import until
from raijin.plan.handlers import CallContext
from raijin.platforms import calls, certificates
from raijin.transport.kube import Kube, describe, open_kube

pytestmark = [pytest.mark.lab, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[ApiServer]:
    with serving(bundle, tmp_path_factory.mktemp("apiserver")) as running:
        yield running


@pytest.fixture
async def kube(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Kube]:
    async with open_kube(server.kubeconfig, ("127.0.0.1", server.port), "lab") as opened:

        @asynccontextmanager
        async def access(_: CallContext) -> AsyncIterator[Kube]:
            yield opened

        monkeypatch.setattr(calls, "open_access", access)
        monkeypatch.setattr(certificates, "open_access", access)
        yield opened


def call(**arguments: Any) -> CallContext:
    absent: Any = None
    return CallContext("lab", "lab", arguments, absent, absent, absent, 60.0, lambda _: None, absent)


def documents(name: str) -> list[dict[str, Any]]:
    one = cluster(CASES[name])
    found = network_of(one).documents(wanted(one))
    for document in found:
        document["metadata"].setdefault("labels", {})[PART_LABEL] = "network"
    return found


async def observed(kube: Kube, found: Iterable[dict[str, Any]]) -> ClusterState:
    """A kind that was defined a moment ago is not listed at once: the API says 429, and to come again."""
    seen: list[ClusterState] = []

    async def probe() -> str:
        seen.append(await observe(kube, found, "network"))
        return ""

    await until("the API to list every kind", probe, timeout=30)
    return seen[-1]


async def remaining(kube: Kube, found: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    """What a plan would still change."""
    state = await observed(kube, found)
    left = []
    for document in found:
        live = state.objects[describe(document)]
        assert live is not None, describe(document)
        want = {key: value for key, value in document.items() if key not in {"apiVersion", "kind"}}
        left += [(describe(document), *item) for item in (*differences(want, live), *given_up(want, live))]
    return left


@pytest.mark.parametrize("name", CASES)
async def test_applied_once_nothing_differs(kube: Kube, name: str) -> None:
    """A field that the API does not know would be dropped, and be a difference for ever."""
    found = documents(name)
    await calls.apply_documents(call(documents=found))
    assert await remaining(kube, found) == []


async def test_a_setting_that_is_taken_out_goes(kube: Kube) -> None:
    before, after = documents("calico-ebpf-wireguard-dual-stack"), documents("calico")
    await calls.apply_documents(call(documents=before))
    left = await remaining(kube, after)
    assert ("FelixConfiguration default", "spec.bpfEnabled", "True", "absent") in left
    await calls.apply_documents(call(documents=after))
    assert await remaining(kube, after) == []


async def test_what_is_no_longer_wanted_is_found_and_deleted(kube: Kube) -> None:
    before, after = documents("calico-bgp-nftables"), documents("calico")
    await calls.apply_documents(call(documents=before))
    wanted_now = {describe(document) for document in after}
    state = await observed(kube, ())
    stale = [item for key, item in state.parts.items() if key not in wanted_now and "flannel" not in key]
    assert "BGPPeer peer-192-0-2-1" in map(describe, stale)
    await calls.prune(call(objects=stale, part="network"))
    assert [item for item in stale if await kube.get(item)] == []


async def test_what_somebody_has_taken_over_stays(kube: Kube) -> None:
    mine = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine", "namespace": "kube-system"}}
    await kube.apply(mine)
    await calls.prune(call(objects=[mine], part="network"))
    assert await kube.get(mine)


async def test_certificates_are_made_once_and_their_keys_are_not_looked_at(kube: Kube) -> None:
    one = cluster(CASES["cilium-native-wireguard-hubble-dual-stack"])
    wanted_ones = [asdict(certificate) for certificate in network_of(one).certificates(one)]
    secrets = [certificates.secret_of(item["namespace"], item["secret"]) for item in wanted_ones]
    await certificates.keep_certificates(call(certificates=wanted_ones, part="network"))
    before = {describe(secret): await kube.get(secret) for secret in secrets}
    assert all(live and live["type"] == "kubernetes.io/tls" for live in before.values())
    await certificates.keep_certificates(call(certificates=wanted_ones, part="network"))
    assert {describe(secret): await kube.get(secret) for secret in secrets} == before
    state = await observed(kube, secrets)
    for name, live in state.objects.items():
        assert live is not None
        assert "data" not in live
        assert certificates.ending(live, state.moment) == ""
        assert set(state.parts[name]) == {"apiVersion", "kind", "metadata"}

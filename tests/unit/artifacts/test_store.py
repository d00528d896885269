"""Where a file comes from, in which order, and what happens when a source fails."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import time
from pathlib import Path

import pytest

from raijin.artifacts.bundle import create_from_directory, import_bundle
from raijin.artifacts.lock import Lock, LockEntry
from raijin.artifacts.store import Artifacts
from raijin.errors import ArtifactError, ChecksumMismatch
from raijin.transport.http import Http, HttpFailure, Retry, shown

DATA = bytes(range(256)) * 4096  # 1 MiB
SUM = hashlib.sha256(DATA).hexdigest()


def entry(url: str, content: bytes = DATA, *, size: int | None = None) -> LockEntry:
    sha256 = hashlib.sha256(content).hexdigest()
    return LockEntry("kubelet", "v1.34.10", "amd64", "binary", "kubelet", sha256, size or len(content), url)


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def test_a_file_is_fetched_once_verified_and_then_cached(site, home, retry) -> None:
    url = site.put("/kubelet", DATA)
    artifacts, gained = Artifacts(home, retry=retry), []
    path = await artifacts.ensure(entry(url), gained.append)
    assert path.read_bytes() == DATA
    assert sum(gained) == len(DATA)
    assert await artifacts.ensure(entry(url)) == path == artifacts.path(entry(url))
    assert len(site.log) == 1
    assert not list((home / "cache" / "partial").glob("*"))


async def test_a_wrong_checksum_stops_at_once_and_keeps_nothing(site, home, retry) -> None:
    url = site.put("/kubelet", b"evil" * 10)
    with pytest.raises(ChecksumMismatch) as caught:
        await Artifacts(home, retry=retry).ensure(entry(url, size=40))
    got = hashlib.sha256(b"evil" * 10).hexdigest()
    expected = f"kubelet v1.34.10 (amd64) from {url} has sha256 {got}, expected {SUM}"
    assert caught.value.message == expected
    assert caught.value.exit_code == 12
    assert len(site.log) == 1
    assert [path for path in (home / "cache").rglob("*") if path.is_file()] == []


async def test_a_file_longer_than_locked_is_cut_off_early(site, home, retry) -> None:
    url = site.put("/kubelet", DATA)
    with pytest.raises(ChecksumMismatch, match="is longer than the 10 bytes expected"):
        await Artifacts(home, retry=retry).ensure(entry(url, b"0123456789"))


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
async def test_a_passing_failure_is_tried_again(site, home, retry, status: int) -> None:
    url = site.put("/kubelet", DATA, faults=[status, status])
    await Artifacts(home, retry=retry).ensure(entry(url))
    assert len(site.log) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
async def test_a_permanent_failure_is_not_tried_again(site, home, retry, status: int) -> None:
    url = site.put("/kubelet", DATA, faults=[status])
    with pytest.raises(ArtifactError, match=f"cannot obtain kubelet v1.34.10.*HTTP {status}") as caught:
        await Artifacts(home, retry=retry).ensure(entry(url))
    assert len(site.log) == 1
    assert "check the version" in (caught.value.remedy or "")


async def test_patience_ends(site, home, retry) -> None:
    url = site.put("/kubelet", DATA, faults=[503] * 9)
    with pytest.raises(ArtifactError, match="HTTP 503") as caught:
        await Artifacts(home, retry=retry).ensure(entry(url))
    assert len(site.log) == retry.attempts
    assert "check the network" in (caught.value.remedy or "")


async def test_a_cut_transfer_goes_on_where_it_stopped(site, home, retry) -> None:
    url = site.put("/kubelet", DATA, faults=[-300_000, -200_000])
    gained: list[int] = []
    path = await Artifacts(home, retry=retry).ensure(entry(url), gained.append)
    assert path.read_bytes() == DATA
    ranges = [seen.headers.get("range") for seen in site.log]
    assert ranges[0] is None
    assert len(ranges) == 3
    starts = [int(text.removeprefix("bytes=").rstrip("-")) for text in ranges[1:]]
    assert 0 < starts[0] < starts[1]
    assert sum(gained) == len(DATA)
    assert min(gained) >= 0


async def test_the_next_process_resumes(site, home, retry) -> None:
    url = site.put("/kubelet", DATA)
    partial = home / "cache" / "partial" / SUM
    partial.parent.mkdir(parents=True)
    partial.write_bytes(DATA[:1000])
    await Artifacts(home, retry=retry).ensure(entry(url))
    assert [seen.headers.get("range") for seen in site.log] == ["bytes=1000-"]


async def test_a_complete_part_needs_no_request(site, home, retry) -> None:
    partial = home / "cache" / "partial" / SUM
    partial.parent.mkdir(parents=True)
    partial.write_bytes(DATA)
    await Artifacts(home, retry=retry).ensure(entry(f"{site.url}/kubelet"))
    assert site.log == []


@pytest.mark.parametrize("part", [b"wrong", DATA + b"too much"])
async def test_a_bad_part_of_an_earlier_run_is_thrown_away_once(site, home, retry, part: bytes) -> None:
    url = site.put("/kubelet", DATA)
    partial = home / "cache" / "partial" / SUM
    partial.parent.mkdir(parents=True)
    partial.write_bytes(part)
    gained: list[int] = []
    unsized = LockEntry("kubelet", "v1", "amd64", "binary", "kubelet", SUM, 0, url)
    path = await Artifacts(home, retry=retry).ensure(unsized, gained.append)
    assert path.read_bytes() == DATA
    assert sum(gained) == len(DATA)
    assert len(site.log) == 2


async def test_a_server_without_ranges_is_read_from_its_start(site, home, retry) -> None:
    url = site.put("/kubelet", DATA, faults=[-300_000], ranges=False)
    path = await Artifacts(home, retry=retry).ensure(entry(url))
    assert path.read_bytes() == DATA


async def test_the_same_file_wanted_often_is_fetched_once(site, home, retry) -> None:
    url = site.put("/kubelet", DATA)
    artifacts = Artifacts(home, retry=retry)
    paths = await asyncio.gather(*(artifacts.ensure(entry(url)) for _ in range(5)))
    assert len(set(paths)) == 1
    assert len(site.log) == 1


async def test_no_more_than_the_limit_at_a_time(site, home, retry) -> None:
    running: list[int] = []
    most: list[int] = []
    entries = [entry(site.put(f"/{n}", str(n).encode() * 10), str(n).encode() * 10) for n in range(6)]

    def guard(_: object) -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.02)
        running.pop()

    site.guard = guard
    paths = await Artifacts(home, retry=retry, parallel=2).ensure_all(entries)
    assert [path.read_bytes() for path in paths] == [str(n).encode() * 10 for n in range(6)]
    assert max(most) == 2


async def test_all_entries_are_tried_and_a_wrong_checksum_comes_first(site, home, retry) -> None:
    good = entry(site.put("/good", DATA))
    absent = entry(f"{site.url}/absent", b"absent")
    wrong = entry(site.put("/wrong", b"evil!!"), b"right!")
    artifacts = Artifacts(home, retry=retry)
    with pytest.raises(ChecksumMismatch):
        await artifacts.ensure_all([absent, wrong, good])
    assert artifacts.path(good)
    gone = entry(f"{site.url}/gone", b"gone")
    with pytest.raises(ArtifactError, match="2 artifacts are missing; the first: cannot obtain") as caught:
        await artifacts.ensure_all([absent, gone, good])
    assert len((caught.value.detail or "").splitlines()) == 2


async def test_the_mirror_is_asked_before_upstream(site, home, retry) -> None:
    upstream = site.put("/release/kubelet", DATA)
    mirrored = f"/mirror/127.0.0.1:{site.port}/release/kubelet"
    site.put(mirrored, DATA)
    await Artifacts(home, f"{site.url}/mirror/", retry=retry).ensure(entry(upstream))
    assert site.paths() == [mirrored]


async def test_upstream_serves_what_the_mirror_lacks(site, home, retry) -> None:
    upstream = site.put("/release/kubelet", DATA)
    await Artifacts(home, f"{site.url}/mirror", retry=retry).ensure(entry(upstream))
    assert site.paths() == [f"/mirror/127.0.0.1:{site.port}/release/kubelet", "/release/kubelet"]


async def test_a_wrong_file_on_the_mirror_is_not_healed_by_upstream(site, home, retry) -> None:
    upstream = site.put("/release/kubelet", DATA)
    site.put(f"/mirror/127.0.0.1:{site.port}/release/kubelet", b"evil")
    with pytest.raises(ChecksumMismatch, match="/mirror/"):
        await Artifacts(home, f"{site.url}/mirror", retry=retry).ensure(entry(upstream))
    assert len(site.log) == 1


async def test_nothing_listens(home, retry) -> None:
    url = f"http://127.0.0.1:{closed_port()}/kubelet"
    with pytest.raises(ArtifactError, match=f"cannot obtain kubelet.*{url}"):
        await Artifacts(home, retry=retry).ensure(entry(url))


async def test_offline_asks_nobody(site, home) -> None:
    url = site.put("/kubelet", DATA)
    artifacts = Artifacts(home, site.url, offline=True)
    with pytest.raises(ArtifactError, match="in neither the cache nor a bundle") as caught:
        await artifacts.ensure(entry(url))
    assert "raijin bundle import" in (caught.value.remedy or "")
    with pytest.raises(ArtifactError, match="offline"):
        async with artifacts.connect():
            pass
    assert site.log == []


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "built"
    folder.mkdir()
    (folder / "kubelet").write_bytes(DATA)
    (folder / "artifacts.yaml").write_text(
        "artifacts: [{name: kubelet, version: v1.34.10, arch: amd64, kind: binary, file: kubelet}]"
    )
    create_from_directory(folder, tmp_path / "b.tar")
    return tmp_path / "b.tar"


async def test_a_bundle_given_is_used_without_import(bundle, home) -> None:
    artifacts = Artifacts(home, offline=True, bundles=[bundle])
    found = artifacts.offered().find("kubelet", "1.34.10", "amd64")
    assert (await artifacts.ensure(found)).read_bytes() == DATA


async def test_an_imported_bundle_refills_a_pruned_cache(bundle, home) -> None:
    import_bundle(bundle, home)
    artifacts = Artifacts(home, offline=True)
    found = artifacts.offered().find("kubelet", "1.34.10", "amd64")
    artifacts.cache.prune(frozenset())
    assert artifacts.path(found) is None
    assert (await artifacts.ensure(found)).read_bytes() == DATA
    artifacts.cache.prune(frozenset())
    bundle.write_bytes(b"another file by now")
    with pytest.raises(ArtifactError, match="neither the cache nor a bundle"):
        await artifacts.ensure(found)


async def test_what_only_a_bundle_has_is_not_sought_outside(site, home, retry) -> None:
    with pytest.raises(ArtifactError, match="exists only in the bundle that it was built into"):
        await Artifacts(home, site.url, retry=retry).ensure(entry(""))
    assert site.log == []


def test_offered_is_empty_without_bundles(home) -> None:
    assert Artifacts(home).offered() == Lock(origin="the set of imported bundles")


async def test_redirects_are_followed_and_credentials_are_not_shown(site, home, retry) -> None:
    site.put("/real", DATA)
    url = site.put("/kubelet", b"", status=302, headers={"Location": "/real?signature=secret"})
    site.routes["/real?signature=secret"] = site.routes["/real"]
    await Artifacts(home, retry=retry).ensure(entry(url))
    assert shown("https://me:geheim@host:8443/a?token=x#y") == "https://host:8443/a"
    assert shown("http://[::1]:5000/x") == "http://[::1]:5000/x"


async def test_retry_after_is_honoured_within_reason(site) -> None:
    policy = Retry(first=0.5, cap=4)
    failure = HttpFailure("http://x/", "busy", transient=True, retry_after=10_000)
    assert policy.pause(1, failure) == 60
    failure.retry_after = None
    assert [policy.pause(turn, failure) for turn in (1, 2, 3, 4, 5)] == [0.5, 1, 2, 4, 4]
    url = site.put("/busy", b"", status=503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    async with Http() as http:
        with pytest.raises(HttpFailure) as caught:
            (await http.get(url)).expect()
    assert caught.value.retry_after == 0


@pytest.mark.parametrize("url", ["ftp://host/x", "kubelet", "http://"])
async def test_an_address_that_is_none_fails_at_once(home, url: str) -> None:
    with pytest.raises(ArtifactError, match="cannot obtain"):
        await Artifacts(home).ensure(entry(url))


async def test_a_huge_answer_is_not_kept_in_memory(site) -> None:
    url = site.put("/big", DATA)
    async with Http() as http:
        with pytest.raises(HttpFailure, match="longer than 1000 bytes"):
            await http.get(url, limit=1000)


async def test_a_silent_server_is_a_passing_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with Http(connect=1, read=0.05) as http:
            with pytest.raises(HttpFailure, match="no answer in time") as caught:
                await http.get(f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert caught.value.transient

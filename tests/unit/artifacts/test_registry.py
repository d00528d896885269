"""Pulling an image: token, index, architecture, every part by its digest, one deterministic tar."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from raijin.artifacts.cache import Cache
from raijin.artifacts.images import ImageRef
from raijin.artifacts.lock import ImageEntry
from raijin.artifacts.registry import upstream_base
from raijin.artifacts.store import Artifacts
from raijin.errors import ArtifactError, ChecksumMismatch


async def pull(artifacts: Artifacts, ref: str, arch: str = "amd64", digest: str = ""):
    async with artifacts.connect() as upstream:
        return await upstream.pull(ref, arch, digest=digest)


@pytest.fixture
def ref(registry) -> str:
    return f"127.0.0.1:{registry.port}/k8s/pause:3.10"


@pytest.fixture
def artifacts(home, retry) -> Artifacts:
    return Artifacts(home, retry=retry)


async def test_the_tar_is_a_layout_whose_every_blob_is_what_it_is_called(registry, artifacts, ref) -> None:
    digests = registry.push("k8s/pause", "3.10")
    pulled = await pull(artifacts, ref, "arm64")
    assert pulled.digest == digests["arm64"]
    content = artifacts.cache.path(pulled.sha256).read_bytes()
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (pulled.sha256, pulled.size)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar.getmembers()}
        assert all((member.mtime, member.uid, member.mode) == (0, 0, 0o644) for member in tar.getmembers())
    assert list(files)[:3] == ["oci-layout", "index.json", "manifest.json"]
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    for name, data in files.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(data).hexdigest()}"
    (described,) = json.loads(files["index.json"])["manifests"]
    assert described["annotations"]["io.containerd.image.name"] == ref
    manifest = json.loads(files[f"blobs/sha256/{described['digest'][7:]}"])
    parts = [manifest["config"], *manifest["layers"]]
    assert all(f"blobs/sha256/{part['digest'][7:]}" in files for part in parts)
    (docker,) = json.loads(files["manifest.json"])
    assert docker["RepoTags"] == [ref]
    assert [docker["Config"], *docker["Layers"]] == [f"blobs/sha256/{part['digest'][7:]}" for part in parts]


async def test_two_machines_make_the_same_tar(registry, tmp_path: Path, ref, retry) -> None:
    registry.push("k8s/pause", "3.10")
    sums = {(await pull(Artifacts(tmp_path / name, retry=retry), ref)).sha256 for name in "ab"}
    assert len(sums) == 1


async def test_a_token_is_fetched_when_the_registry_asks_and_sent_only_there(registry, artifacts, ref) -> None:
    registry.push("k8s/pause", "3.10")
    registry.require_token("s3cret")
    await pull(artifacts, ref)
    paths = registry.paths()
    assert sum(path.startswith("/token") for path in paths) == 1
    assert paths.index("/v2/k8s/pause/manifests/3.10") < paths.index(
        "/token?service=fake&scope=repository%3Ak8s%2Fpause%3Apull"
    )
    assert all(seen.headers.get("authorization") != "Bearer s3cret" for seen in registry.log if "/token" in seen.path)


async def test_a_token_that_ran_out_is_renewed_in_the_middle(registry, artifacts, ref) -> None:
    registry.push("k8s/pause", "3.10")
    registry.require_token("first")
    layer = next(path for path in registry.routes if "/blobs/" in path)
    original = registry.guard

    def expire(request):
        if request.path == layer and registry.token == "first":
            registry.require_token("second")
            return registry.guard(request)
        return original(request)

    registry.guard = expire
    assert (await pull(artifacts, ref)).size
    assert registry.token == "second"


async def test_layers_that_images_share_come_once(registry, artifacts, ref) -> None:
    registry.push("k8s/pause", "3.10")
    await pull(artifacts, ref, "amd64")
    before = len([path for path in registry.paths() if "/blobs/" in path])
    await pull(artifacts, ref, "arm64")
    after = len([path for path in registry.paths() if "/blobs/" in path])
    assert (before, after) == (3, 5)


async def test_redirected_blobs_do_not_carry_the_token_away(registry, site, artifacts, ref) -> None:
    registry.push("k8s/pause", "3.10")
    registry.require_token("s3cret")
    for path, route in list(registry.routes.items()):
        if "/blobs/" in path:
            site.put("/store" + path, route.body)
            route.status, route.body = 307, b""
            route.headers = {"Location": site.url.replace("127.0.0.1", "localhost") + "/store" + path}
    await pull(artifacts, ref)
    assert len(site.log) == 3
    assert all("authorization" not in seen.headers for seen in site.log)


async def test_a_damaged_layer_is_refused(registry, artifacts, ref) -> None:
    registry.push("k8s/pause", "3.10")
    for path, route in registry.routes.items():
        if "/blobs/" in path:
            route.body = b"X" + route.body[1:]
    with pytest.raises(ChecksumMismatch, match=f"of {ref} from http://127.0.0.1"):
        await pull(artifacts, ref)


async def test_a_manifest_that_is_not_its_digest_is_refused(registry, artifacts, ref) -> None:
    digests = registry.push("k8s/pause", "3.10")
    registry.routes[f"/v2/k8s/pause/manifests/{digests['amd64']}"].body += b" "
    with pytest.raises(ChecksumMismatch, match="the manifest of"):
        await pull(artifacts, ref)


async def test_an_architecture_that_is_not_published(registry, artifacts, ref) -> None:
    registry.push("k8s/pause", "3.10")
    with pytest.raises(ArtifactError, match=r"is not published for riscv64 \(only amd64, arm64\)"):
        await pull(artifacts, ref, "riscv64")


async def test_an_image_without_index_must_be_of_the_right_architecture(registry, artifacts, ref) -> None:
    digests = registry.push("k8s/pause", "3.10")
    route = registry.routes[f"/v2/k8s/pause/manifests/{digests['arm64']}"]
    registry.routes["/v2/k8s/pause/manifests/3.10"] = route
    with pytest.raises(ArtifactError, match="is published for arm64, not for amd64"):
        await pull(artifacts, ref, "amd64")
    assert (await pull(artifacts, ref, "arm64")).digest == digests["arm64"]


async def test_an_unknown_manifest_type_is_refused(registry, artifacts, ref) -> None:
    registry.manifest("k8s/pause", {"schemaVersion": 1, "mediaType": "application/vnd.docker.v1"}, "3.10")
    with pytest.raises(ArtifactError, match=r"type application/vnd\.docker\.v1, which is not supported"):
        await pull(artifacts, ref)


async def test_no_such_tag(registry, artifacts, ref) -> None:
    with pytest.raises(ArtifactError, match=f"cannot obtain image {ref}.*HTTP 404"):
        await pull(artifacts, ref)
    assert len(registry.log) == 1


async def test_a_registry_that_wants_a_login_says_so(registry, artifacts, ref) -> None:
    registry.put("/v2/k8s/pause/manifests/3.10", b"", status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})
    with pytest.raises(ArtifactError, match=r"asks for a login; put it into ~/\.netrc"):
        await pull(artifacts, ref)


async def test_the_mirror_registry_is_asked_first(registry, home, retry) -> None:
    digests = registry.push("127.0.0.1_1/k8s/pause", "3.10")
    registry.require_token("t")
    artifacts = Artifacts(home, f"{registry.url}/files", retry=retry)
    pulled = await pull(artifacts, "127.0.0.1:1/k8s/pause:3.10", "amd64")
    assert pulled.digest == digests["amd64"]


async def test_a_locked_image_is_pulled_by_digest_though_its_tag_has_moved(registry, tmp_path, ref, retry) -> None:
    registry.push("k8s/pause", "3.10")
    pulled = await pull(Artifacts(tmp_path / "a", retry=retry), ref)
    entry = ImageEntry(ref, "amd64", "pause.tar", pulled.sha256, pulled.size, pulled.digest)
    del registry.routes["/v2/k8s/pause/manifests/3.10"]
    path = await Artifacts(tmp_path / "b", retry=retry).ensure(entry)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == entry.sha256
    wrong = ImageEntry(ref, "amd64", "pause.tar", "0" * 64, pulled.size, pulled.digest)
    with pytest.raises(ChecksumMismatch, match="the tar of image"):
        await Artifacts(tmp_path / "c", retry=retry).ensure(wrong)


async def test_an_image_of_a_builder_is_not_sought_in_a_registry(registry, artifacts, ref) -> None:
    with pytest.raises(ArtifactError, match="exists only in the bundle"):
        await artifacts.ensure(ImageEntry(ref, "amd64", "pause.tar", "0" * 64))
    assert registry.log == []


@pytest.mark.parametrize(
    ("ref", "base"),
    [
        ("busybox", "https://registry-1.docker.io"),
        ("registry.k8s.io/pause:3.10", "https://registry.k8s.io"),
        ("harbor.lab:8443/x/y", "https://harbor.lab:8443"),
        ("localhost:5000/x", "http://localhost:5000"),
        ("[::1]:5000/x", "http://[::1]:5000"),
    ],
)
def test_where_a_reference_lives(ref: str, base: str) -> None:
    assert upstream_base(ImageRef.parse(ref)) == base


async def test_prune_lets_the_layers_go_and_keeps_the_tar(registry, artifacts, ref) -> None:
    registry.push("k8s/pause", "3.10")
    pulled = await pull(artifacts, ref)
    assert artifacts.cache.prune({pulled.sha256}) > 0
    assert [sha256 for sha256, _ in Cache(artifacts.home / "cache").blobs()] == [pulled.sha256]

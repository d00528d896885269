"""One image of one architecture out of an OCI registry, as one tar that is the same bytes wherever it came from.

OCI distribution specification 1.1: GET /v2/<repository>/manifests/<tag or digest>, GET .../blobs/<digest>; and the
token flow of distribution's "Token Authentication Specification" (401 with a Bearer challenge, a token from its realm).
Everything below the tag is named by its sha256, so that each part is verified as it arrives and rests in the cache
under that hash: layers that images share come once, and a pull that was cut off goes on. `raijin cache prune` lets the
layers go; the tar is what stays.

The tar is an OCI image layout (image-spec image-layout.md) whose index carries the name for containerd
(`io.containerd.image.name`), and Docker's manifest.json beside it, so that `ctr images import` and
`docker load` take it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from raijin.artifacts.cache import Cache, mismatch
from raijin.artifacts.download import Wanted, download
from raijin.artifacts.images import DOCKER_HUB, ImageRef
from raijin.artifacts.tarball import add_bytes, add_file, tar_into
from raijin.errors import ArtifactError
from raijin.transport.base import ByteCounter
from raijin.transport.http import Http, HttpFailure, Reply, retrying, shown

OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker.distribution"
INDEX_TYPES = (f"{OCI}.index.v1+json", f"{DOCKER}.manifest.list.v2+json")
MANIFEST_TYPES = (f"{OCI}.manifest.v1+json", f"{DOCKER}.manifest.v2+json")
_ACCEPT = {"Accept": ", ".join((*INDEX_TYPES, *MANIFEST_TYPES))}
_VARIANTS: Mapping[str, tuple[str, ...]] = {"arm": ("v7", "", "v6"), "arm64": ("v8", "")}
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TOKEN_WAS_OLD = 401


@dataclass(frozen=True, slots=True)
class Pulled:
    """digest: of the architecture's manifest; sha256 and size (bytes): of the tar, which is in the cache."""

    digest: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class _Part:
    """A descriptor of the image-spec: something that is named by its digest."""

    digest: str
    size: int
    media_type: str

    @property
    def sha256(self) -> str:
        return self.digest.partition(":")[2]


@dataclass(frozen=True, slots=True)
class _Image:
    """A manifest as it came (`raw`), its descriptor, and what it names."""

    raw: bytes
    manifest: _Part
    config: _Part
    layers: list[_Part]


def upstream_base(ref: ImageRef) -> str:
    """The API's address of a reference's own registry; Docker Hub's differs from its name.

    A registry on this very machine is spoken to without TLS, as every container engine does.
    """
    if ref.registry == DOCKER_HUB:
        return "https://registry-1.docker.io"
    host = ref.registry.rpartition(":")[0] if re.search(r":\d+$", ref.registry) else ref.registry
    return f"{'http' if host in {'localhost', '127.0.0.1', '[::1]'} else 'https'}://{ref.registry}"


class Registry:
    """One repository in one registry. `base` is scheme://host[:port], `repository` what follows /v2/."""

    def __init__(self, http: Http, base: str, repository: str) -> None:
        self._http = http
        self._base = base.rstrip("/")
        self._repository = repository
        self._token = ""

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _url(self, kind: str, name: str) -> str:
        return f"{self._base}/v2/{self._repository}/{kind}/{name}"

    async def pull(
        self, ref: ImageRef, arch: str, cache: Cache, *, digest: str = "", progress: ByteCounter | None = None
    ) -> Pulled:
        """Fetch the image and make its tar. `digest` pins the architecture's manifest, else the tag or digest of `ref`.

        Raises HttpFailure when the registry fails, ArtifactError when the image has no such architecture,
        ChecksumMismatch when something is not what its digest says.
        """
        image = await self._manifest(ref, arch, digest or ref.digest or ref.tag)
        await self._blob(image.config, cache, f"the configuration of {ref}", progress)
        self._check_platform(ref, arch, cache, image.config)
        for layer in dict.fromkeys(image.layers):
            await self._blob(layer, cache, f"a layer of {ref}", progress)
        return await asyncio.to_thread(write_layout, ref, image, cache)

    async def _manifest(self, ref: ImageRef, arch: str, name: str) -> _Image:
        reply = await self._get("manifests", name)
        digest = _verified(ref, reply, name)
        document, media_type = _document(ref, reply)
        if media_type in INDEX_TYPES:
            digest = _choose(ref, document, arch)
            reply = await self._get("manifests", digest)
            _verified(ref, reply, digest)
            document, media_type = _document(ref, reply)
        if media_type not in MANIFEST_TYPES:
            raise ArtifactError(
                f"image {ref} has a manifest of type {media_type or 'unknown'}, which is not supported",
                remedy="push it anew with a current tool (docker schema 2 or OCI)",
            )
        config, layers = _parts(ref, document)
        return _Image(reply.body, _Part(digest, len(reply.body), media_type), config, layers)

    async def _get(self, kind: str, name: str) -> Reply:
        url = self._url(kind, name)

        async def attempt() -> Reply:
            reply = await self._http.get(url, _ACCEPT | self._headers())
            if reply.status == _TOKEN_WAS_OLD:
                await self._authorize(reply.headers.get("www-authenticate", ""))
                reply = await self._http.get(url, _ACCEPT | self._headers())
            return reply.expect()

        return await retrying(attempt, self._http.retry)

    async def _blob(self, part: _Part, cache: Cache, what: str, progress: ByteCounter | None) -> None:
        url, wanted = self._url("blobs", part.digest), Wanted(part.sha256, part.size, what)
        try:
            await download(self._http, url, wanted, cache, headers=self._headers, progress=progress)
        except HttpFailure as failure:
            if failure.status != _TOKEN_WAS_OLD:
                raise
            # A token lives for minutes, a large layer may take longer: ask for a new one, go on where it stopped.
            reply = await self._http.get(url, method="HEAD")
            await self._authorize(reply.headers.get("www-authenticate", ""))
            await download(self._http, url, wanted, cache, headers=self._headers, progress=progress)

    async def _authorize(self, challenge: str) -> None:
        scheme, _, rest = challenge.partition(" ")
        parameters = dict(_PARAMETER.findall(rest))
        realm = parameters.pop("realm", "")
        if scheme.lower() != "bearer" or not realm:
            raise HttpFailure(self._base, "asks for a login; put it into ~/.netrc", status=_TOKEN_WAS_OLD)
        if urlsplit(realm).scheme != "https" and urlsplit(self._base).scheme == "https":
            raise HttpFailure(self._base, f"sends logins to an address without TLS ({shown(realm)})")
        parameters["scope"] = f"repository:{self._repository}:pull"
        query = urlencode({name: parameters[name] for name in ("service", "scope") if name in parameters})
        reply = await self._http.get(f"{realm}{'&' if '?' in realm else '?'}{query}")
        try:
            answer = json.loads(reply.expect().body)
            self._token = str(answer.get("token") or answer.get("access_token") or "")
        except (ValueError, AttributeError) as error:
            raise HttpFailure(realm, "the token service did not answer with a token") from error

    @staticmethod
    def _check_platform(ref: ImageRef, arch: str, cache: Cache, config: _Part) -> None:
        """An image without an index says its architecture here only; installing the wrong one fails far too late."""
        found = json.loads(cache.path(config.sha256).read_bytes()).get("architecture", arch)
        if found != arch:
            raise ArtifactError(f"image {ref} is published for {found}, not for {arch}", remedy=_ARCH_REMEDY)


_ARCH_REMEDY = "choose an image that is published for it, or leave hosts of that architecture out"


def _document(ref: ImageRef, reply: Reply) -> tuple[dict[str, Any], str]:
    try:
        document = json.loads(reply.body)
        given = reply.headers.get("content-type", "").partition(";")[0].strip()
        return document, str(document.get("mediaType") or given)
    except (ValueError, AttributeError) as error:
        raise ArtifactError(
            f"{shown(reply.url)} is not a manifest of {ref}", remedy="look at what the registry or mirror serves there"
        ) from error


def _verified(ref: ImageRef, reply: Reply, name: str) -> str:
    """The digest of a manifest as it arrived; it must be the one asked for, or the one that the registry announces."""
    got = f"sha256:{hashlib.sha256(reply.body).hexdigest()}"
    expected = name if _DIGEST.fullmatch(name) else reply.headers.get("docker-content-digest", got)
    if expected.startswith("sha256:") and got != expected:
        raise mismatch(f"the manifest of {ref}", shown(reply.url), expected.partition(":")[2], got.partition(":")[2])
    return got


def _choose(ref: ImageRef, index: dict[str, Any], arch: str) -> str:
    """The digest of the manifest for linux and `arch`, the best variant first."""
    platforms = [(item.get("platform") or {}, str(item.get("digest", ""))) for item in index.get("manifests") or []]
    fitting = [
        (platform.get("variant", ""), digest)
        for platform, digest in platforms
        if platform.get("os") == "linux" and platform.get("architecture") == arch and _DIGEST.fullmatch(digest)
    ]
    if not fitting:
        known = sorted({str(platform.get("architecture")) for platform, _ in platforms} - {"unknown", "None"})
        raise ArtifactError(
            f"image {ref} is not published for {arch} (only {', '.join(known) or 'nothing'})", remedy=_ARCH_REMEDY
        )
    order = _VARIANTS.get(arch, ("",))
    return min(fitting, key=lambda item: order.index(item[0]) if item[0] in order else len(order))[1]


def _parts(ref: ImageRef, manifest: dict[str, Any]) -> tuple[_Part, list[_Part]]:
    def part(item: Any) -> _Part:
        made = _Part(str(item["digest"]), int(item["size"]), str(item["mediaType"]))
        if not _DIGEST.fullmatch(made.digest):
            raise ValueError(made.digest)
        return made

    try:
        return part(manifest["config"]), [part(item) for item in manifest["layers"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(
            f"the manifest of image {ref} is not one that can be installed ({error})", remedy="push the image anew"
        ) from error


def write_layout(ref: ImageRef, image: _Image, cache: Cache) -> Pulled:
    """The tar of an image whose parts are all in the cache."""
    name, manifest = str(ref), image.manifest
    annotations = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": ref.tag or name}
    described = {
        "mediaType": manifest.media_type,
        "digest": manifest.digest,
        "size": manifest.size,
        "annotations": annotations,
    }
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPES[0], "manifests": [described]}
    docker = [
        {
            "Config": f"blobs/sha256/{image.config.sha256}",
            "RepoTags": [f"{ref.name}:{ref.tag}"] if ref.tag else [],
            "Layers": [f"blobs/sha256/{layer.sha256}" for layer in image.layers],
        }
    ]
    with cache.writer() as sink:
        with tar_into(sink) as tar:
            add_bytes(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
            add_bytes(tar, "index.json", _json(index))
            add_bytes(tar, "manifest.json", _json(docker))
            add_bytes(tar, f"blobs/sha256/{manifest.sha256}", image.raw)
            for sha256 in sorted({part.sha256 for part in (image.config, *image.layers)}):
                add_file(tar, f"blobs/sha256/{sha256}", cache.path(sha256))
        return Pulled(manifest.digest, sink.commit(), sink.size)


def _json(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()

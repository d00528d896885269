"""Object stores (S3 and what speaks like it) by obstore. The only module that knows it."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from raijin.errors import ArtifactError, NotFound
from raijin.observe.masking import MASKER
from raijin.transport.base import ByteCounter

if TYPE_CHECKING:
    from obstore.store import S3Config

CHUNK = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bucket:
    """How a bucket is reached. endpoint: empty for AWS."""

    name: str
    endpoint: str
    region: str
    access_key: str
    secret_key: str


@dataclass(frozen=True, slots=True)
class StoredObject:
    """size in bytes; modified: seconds since the epoch."""

    key: str
    size: int
    modified: float


class ObjectStore:
    """The requests that Raijin makes to one bucket. Each raises ArtifactError when the store refuses or is away."""

    def __init__(self, bucket: Bucket) -> None:
        MASKER.add(bucket.secret_key)
        self._name = bucket.name
        config: S3Config = {
            "region": bucket.region,
            "access_key_id": bucket.access_key,
            "secret_access_key": bucket.secret_key,
        }
        if bucket.endpoint:
            config["endpoint"] = bucket.endpoint
            config["virtual_hosted_style_request"] = False  # a service of one's own has one name, not one per bucket
        self._store = S3Store(
            bucket.name,
            config=config,
            client_options={"allow_http": True, "timeout": "60s", "connect_timeout": "10s"},
            retry_config={"max_retries": 3, "retry_timeout": dt.timedelta(seconds=60)},
        )

    async def put(self, path: Path, key: str, progress: ByteCounter | None = None) -> None:
        """Store a file under a key, whole or not at all."""
        async with self._mapped(f"storing {key}"):
            await obstore.put_async(self._store, key, _chunks(path, progress), chunk_size=CHUNK)

    async def get(self, key: str, path: Path, progress: ByteCounter | None = None) -> None:
        """Fetch an object into a file. Raises NotFound."""
        async with self._mapped(f"fetching {key}"):
            found = await obstore.get_async(self._store, key)
            with path.open("wb") as sink:
                async for chunk in found.stream(min_chunk_size=CHUNK):
                    sink.write(memoryview(chunk))
                    if progress:
                        progress(len(chunk))

    async def list(self, prefix: str) -> list[StoredObject]:
        """The objects whose keys begin with a prefix."""
        async with self._mapped(f"listing {prefix}*"):
            found: list[StoredObject] = []
            async for batch in obstore.list(self._store, prefix=prefix or None):
                found += [StoredObject(o["path"], o["size"], o["last_modified"].timestamp()) for o in batch]
            return found

    async def delete(self, key: str) -> None:
        async with self._mapped(f"deleting {key}"):
            await obstore.delete_async(self._store, key)

    @asynccontextmanager
    async def _mapped(self, what: str) -> AsyncIterator[None]:
        try:
            yield
        except (NotFoundError, FileNotFoundError) as error:
            raise NotFound(f"{what}: the bucket {self._name} does not have it") from error
        except (BaseError, PermissionError) as error:
            reason = str(error).splitlines()[0]
            raise ArtifactError(
                f"{what} in bucket {self._name}: {reason}",
                remedy="look at the address, the bucket and the keys of this target",
                detail=str(error),
            ) from error


def _chunks(path: Path, progress: ByteCounter | None) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk
            if progress:
                progress(len(chunk))

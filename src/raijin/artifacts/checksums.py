"""Reading the checksum files that upstreams publish.

Forms in use (see the catalogue): a bare sha256 (dl.k8s.io, crictl), lines "sha256  name" or "sha256 *name" with or
without folders (containerd, cni-plugins, etcd, helm, k3s, rke2, talos), and such lines inside a PGP clear-signed text
(runc). The signature itself is not checked.
"""

from __future__ import annotations

import re

from raijin.errors import ArtifactError

_LINE = re.compile(r"([0-9a-fA-F]{64})(?:[ \t]+\*?(\S.*?))?[ \t]*")


def published_sha256(text: str, file: str, url: str) -> str:
    """The sha256 that a checksum file gives for `file`, in lower case.

    url: where the text came from, for the message.
    Raises ArtifactError when the file names no such file, or two different sums for it.
    """
    lines = [match for line in text.splitlines() if (match := _LINE.fullmatch(line.strip()))]
    named = {match[1].lower() for match in lines if match[2] and match[2].replace("\\", "/").rpartition("/")[2] == file}
    bare = {match[1].lower() for match in lines if not match[2]}
    found = named or (bare if len(lines) == 1 else set())
    if len(found) == 1:
        return found.pop()
    what = f"{len(found)} different checksums" if found else "no sha256"
    raise ArtifactError(
        f"{url} gives {what} for {file}",
        remedy="check that this version exists for this architecture; a mirror may serve an error page instead",
        detail=text[:2000],
    )

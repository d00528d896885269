"""What one machine is given when it boots: the installer's file of its role, and its own name.

The installer's master.ign and worker.ign point to the machine config server, whose certificate they hold; bootstrap.ign
is whole. A file of ours in it stays when the other configuration is merged in, because a parent wins over what it
merges (coreos/ignition, docs/operator-notes.md, "Config merging"). Fields: the specification of Ignition 3.x, checked
with its own validation.
"""

from __future__ import annotations

import hashlib
import json
from urllib.parse import quote

from raijin.errors import StateError

HOSTNAME = "/etc/hostname"


def named(text: str, hostname: str) -> str:
    """The configuration with the host's name in it. Raises StateError when it is no configuration of Ignition 3."""
    try:
        config = json.loads(text)
        version = str(config["ignition"]["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise StateError("openshift-install made no Ignition configuration", remedy="look at its output") from error
    if not version.startswith("3."):
        raise StateError(f"Ignition configurations of version {version} are not known", remedy="choose another release")
    storage = config.setdefault("storage", {})
    others = [file for file in storage.get("files") or [] if file.get("path") != HOSTNAME]
    own = {
        "path": HOSTNAME,
        "mode": 0o644,
        "overwrite": True,
        "contents": {"source": f"data:,{quote(hostname + chr(10))}"},
    }
    storage["files"] = [*others, own]
    return json.dumps(config, separators=(",", ":"))


def digest(text: str) -> str:
    """As `coreos-installer --ignition-hash` takes it."""
    return f"sha512-{hashlib.sha512(text.encode()).hexdigest()}"


def boot_line(url: str, text: str, disk: str) -> str:
    """What a person types in the live system of CoreOS; over plain HTTP, the hash says that nobody changed it."""
    return f"coreos-installer install {disk} --ignition-url={url} --ignition-hash={digest(text)}"

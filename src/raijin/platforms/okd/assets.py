"""What `openshift-install` made for a cluster: kept encrypted, taken out for the moment in which it is needed.

The certificates in Ignition configurations are good for 24 hours, and the first ones are replaced after 16: OKD says to
use the files within twelve ("Installing a user-provisioned cluster on bare metal", creating Ignition configs). Files of
a first start that was begun and has not ended are used up to the end of those 24 hours, and never made anew beside it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from raijin.errors import NotFound, StateError
from raijin.observe.masking import MASKER
from raijin.platforms.kubeconfig import private_part
from raijin.state.secrets import SecretStore

Document = dict[str, Any]
FRESH_SECONDS = 12 * 3600.0
GOOD_SECONDS = 24 * 3600.0
KUBECONFIG, PASSWORD = "auth/kubeconfig", "auth/kubeadmin-password"
FILES = ("bootstrap.ign", "master.ign", "worker.ign", KUBECONFIG, PASSWORD, "metadata.json")
"""What `create ignition-configs` writes (openshift/installer, cmd/openshift-install/create.go)."""


@dataclass(frozen=True, slots=True)
class Assets:
    """made: seconds since the epoch. config: the install-config that they are made from, without the pull secret.

    complete: the cluster stood without its bootstrap machine. released: that machine was let go.
    """

    made: float
    files: Mapping[str, str]
    config: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = False
    released: bool = False

    @property
    def kubeconfig(self) -> str:
        return self.files.get(KUBECONFIG, "")

    def age(self, now: float) -> float:
        return now - self.made


def secret_name(cluster: str) -> str:
    """The name under which they are kept."""
    return f"cluster/{cluster}/okd"


def pull_secret_name(cluster: str) -> str:
    return f"cluster/{cluster}/okd-pull-secret"


def parsed(text: str) -> Assets | None:
    """From what is kept; None when nothing is. Raises StateError when it is damaged."""
    if not text:
        return None
    try:
        assets = Assets(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise StateError("what is kept of openshift-install is damaged", remedy="restore RAIJIN_HOME") from error
    for secret in (private_part(assets.kubeconfig), assets.files.get(PASSWORD, "").strip()):
        if secret:
            MASKER.add(secret)
    return assets


def kept(secrets: SecretStore, cluster: str) -> Assets | None:
    name = secret_name(cluster)
    return parsed(secrets.get(name)) if secrets.has(name) else None


def required(secrets: SecretStore, cluster: str) -> Assets:
    """Raises NotFound."""
    found = kept(secrets, cluster)
    if found is None:
        remedy = "use the RAIJIN_HOME that made it"
        raise NotFound(f"nothing that openshift-install made for {cluster} is kept here", remedy=remedy)
    return found


def keep(secrets: SecretStore, cluster: str, assets: Assets) -> None:
    secrets.put(secret_name(cluster), json.dumps(asdict(assets)))


def completed(assets: Assets) -> Assets:
    """After the first start: what only the bootstrap machine needs, the keys of all authorities, is not kept on."""
    return replace(assets, complete=True, files={k: v for k, v in assets.files.items() if k != "bootstrap.ign"})


def now() -> float:
    return time.time()

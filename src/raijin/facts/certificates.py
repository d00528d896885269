"""The certificates on a host: whose they are, who signed them, and when they expire. Keys are never read."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Iterator
from dataclasses import dataclass

from raijin.facts import x509

DAY = 86_400.0
# Of every distribution: the question is the same on all hosts, because it is asked before anybody knows what they are.
PATTERNS = (
    "/etc/kubernetes/pki/*.crt",
    "/etc/kubernetes/pki/etcd/*.crt",
    "/etc/kubernetes/pki/rotation/*.crt",
    "/etc/kubernetes/*.conf",
    "/var/lib/kubelet/pki/kubelet-client-current.pem",
    "/var/lib/kubelet/pki/kubelet-server-current.pem",
    "/var/lib/kubelet/pki/kubelet.crt",
    *(
        pattern
        for product in ("k3s", "rke2")
        for pattern in (
            f"/var/lib/rancher/{product}/server/tls/*.crt",
            f"/var/lib/rancher/{product}/server/tls/etcd/*.crt",
            f"/var/lib/rancher/{product}/server/tls/dynamic-cert.json",
            f"/var/lib/rancher/{product}/agent/*.crt",
            f"/etc/rancher/{product}/{product}.yaml",
        )
    ),
)

SNIPPET = rf"""
set --
for x_path in {" ".join(PATTERNS)}; do
  [ ! -f "$x_path" ] || [ ! -r "$x_path" ] || set -- "$@" "$x_path"
done
# One process for all files. Of a kubeconfig its certificate, which is one long word; of a Secret of TLS as JSON too.
[ "$#" = 0 ] || awk '
  FNR == 1 {{ print "file " FILENAME; on = 0 }}
  /-----BEGIN CERTIFICATE-----/ {{ on = 1 }}
  on {{ print }}
  /-----END CERTIFICATE-----/ {{ on = 0 }}
  $1 == "client-certificate-data:" {{ print "data " $2 }}
  match($0, /"tls[.]crt": *"[^"]*/) {{ x = substr($0, RSTART, RLENGTH); sub(/.*"/, "", x); print "data " x }}
  ' "$@" || echo unread
"""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate. begins and ends: seconds since the epoch. ca: it signs others. fault: why it cannot be read.

    key and signer: identifiers of its own key and of the one that signed it.
    """

    path: str
    subject: str = ""
    issuer: str = ""
    begins: float = 0.0
    ends: float = 0.0
    ca: bool = False
    key: str = ""
    signer: str = ""
    fault: str = ""

    @property
    def name(self) -> str:
        """Its file without the folder; `etcd/server.crt` for one of etcd's, which has names of other files too."""
        folder, _, file = self.path.rpartition("/")
        return f"etcd/{file}" if folder.endswith("/etcd") else file

    @property
    def days(self) -> float:
        """How long it is valid in all."""
        return (self.ends - self.begins) / DAY

    @property
    def last_day(self) -> str:
        """The date of UTC on which it ends."""
        return time.strftime("%Y-%m-%d", time.gmtime(self.ends))

    def days_left(self, now: float) -> float:
        """Negative when it has expired. now: seconds since the epoch."""
        return (self.ends - now) / DAY

    def is_expired(self, now: float) -> bool:
        return not self.fault and self.ends <= now

    def is_due(self, now: float, days: float) -> bool:
        """Whether it is to be renewed: fewer days are left than this, or than a third of its whole life."""
        return not self.fault and self.days_left(now) < min(days, self.days / 3)


def parse(text: str) -> tuple[Certificate, ...]:
    """Of a file with a chain the first certificate, of one with several authorities each. Raises ValueError."""
    if "\nunread" in f"\n{text}":
        raise ValueError("the certificates could not be read")
    return tuple(certificate for path, content in _files(text) for certificate in _read(path, content))


def in_kubeconfig(text: str) -> Certificate | None:
    """The certificate that a kubeconfig embeds; None when it has none."""
    data = next((line.partition(":")[2] for line in text.splitlines() if "client-certificate-data:" in line), "")
    return next(iter(in_data("kubeconfig", data)), None) if data else None


def in_data(path: str, data: str) -> tuple[Certificate, ...]:
    """Those in a text of base64, as kubeconfigs and Secrets hold them. path: what they are called."""
    return tuple(_read(path, f"data {data.strip()}\n"))


def _files(text: str) -> Iterator[tuple[str, str]]:
    for part in f"\n{text}".split("\nfile /")[1:]:
        path, _, content = part.partition("\n")
        yield f"/{path}", content


def _read(path: str, content: str) -> Iterator[Certificate]:
    try:
        if content.startswith("data "):
            content = base64.b64decode(content[5:].strip(), validate=True).decode("ascii")
        found = [x509.read(der) for der in x509.blocks(content)]
    except (ValueError, binascii.Error) as error:
        yield Certificate(path, fault=f"it is no certificate: {error}")
        return
    for n, one in enumerate(found):
        if n == 0 or (one.ca and found[0].ca):
            yield Certificate(path, one.subject, one.issuer, one.begins, one.ends, one.ca, one.key, one.signer)

"""The certificates on a host: whose they are and when they expire. Keys are never read.

They are asked for on occasion, not with the facts of every plan: the script is one execution of its own.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from raijin.transport.quoting import word

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Places:
    """Where a platform keeps certificates: files in PEM (patterns of the shell), and kubeconfigs that contain one.

    kubelet: the file of the kubelet's own client certificate, which it renews itself as long as it is valid.
    """

    files: tuple[str, ...]
    kubeconfigs: tuple[str, ...] = ()
    kubelet: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate. begins and ends: seconds since the epoch. ca: it signs others. fault: why it cannot be read."""

    path: str
    subject: str = ""
    begins: float = 0.0
    ends: float = 0.0
    ca: bool = False
    fault: str = ""

    def days_left(self, now: float) -> float:
        """Negative when it has expired. now: seconds since the epoch."""
        return (self.ends - now) / DAY

    def is_due(self, now: float, days: float) -> bool:
        """Whether it is to be renewed: fewer days are left than this, or than a third of its whole life."""
        return self.days_left(now) < min(days, (self.ends - self.begins) / DAY / 3)


def script(places: Places) -> str:
    """Prints `file PATH` and the certificates in it, for each file that there is."""
    lines = [f"set -- {' '.join(_pattern(path) for path in (*places.files, places.kubelet) if path)}"]
    lines.append(
        'for f; do [ -r "$f" ] || continue; printf "file %s\\n" "$f"; sed -n "/BEGIN CERT/,/END CERT/p" "$f"; done'
    )
    if places.kubeconfigs:
        lines.append(f"set -- {' '.join(map(_pattern, places.kubeconfigs))}")
        lines.append(
            'for f; do [ -r "$f" ] || continue; printf "conf %s\\n" "$f"; '
            's=$(sed -n "s/^ *client-certificate-data: *//p" "$f"); [ -z "$s" ] || printf "%s\\n" "$s"; done'
        )
    return "\n".join((*lines, ""))


def parse(text: str) -> tuple[Certificate, ...]:
    """What the script printed. A file with a chain tells its first certificate, a kubeconfig the one that it embeds."""
    return tuple(found for path, embedded, lines in _blocks(text) if (found := _read(path, lines, embedded=embedded)))


def _pattern(path: str) -> str:
    """Quoted, its asterisks left to the shell."""
    return "*".join(word(part) if part else "" for part in path.split("*"))


def _blocks(text: str) -> Iterator[tuple[str, bool, list[str]]]:
    path, embedded, lines = "", False, list[str]()
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind in {"file", "conf"} and rest.startswith("/"):
            if path:
                yield path, embedded, lines
            path, embedded, lines = rest, kind == "conf", []
        else:
            lines.append(line)
    if path:
        yield path, embedded, lines


def _read(path: str, lines: Sequence[str], *, embedded: bool) -> Certificate | None:
    from cryptography import x509  # noqa: PLC0415  (only where certificates are asked for)
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    if not any(line.strip() for line in lines):
        return None  # a kubeconfig that names a file, which is looked at itself
    try:
        pem = base64.b64decode("".join(lines), validate=True) if embedded else "\n".join(lines).encode()
        found = x509.load_pem_x509_certificates(pem)[0]
    except (ValueError, binascii.Error) as error:
        return Certificate(path, fault=f"it is no certificate: {error}")
    names = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    try:
        ca = found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        ca = False
    return Certificate(
        path,
        subject=str(names[0].value) if names else "",
        begins=_seconds(found.not_valid_before_utc),
        ends=_seconds(found.not_valid_after_utc),
        ca=ca,
    )


def _seconds(moment: dt.datetime) -> float:
    return moment.timestamp()

"""How the box itself gets packages (mirror, proxy, certificates), so that its machines get them the same way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from raijin.transport import local

DEBIAN = "http://deb.debian.org/debian"
SECURITY = "http://deb.debian.org/debian-security"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCES = Path("/etc/apt")
CERTIFICATES = Path("/usr/local/share/ca-certificates")

CARRIED = (
    "Acquire::http",
    "Acquire::https",
    "Acquire::Check-",
    "Acquire::Retries",
    "Acquire::ForceIPv",
    "Acquire::Proxy",
)
"""Options of the box's apt that say how to reach a mirror; all others (cleaning hooks, languages) stay at home."""

URI = re.compile(r"\bhttps?://[^\s\]]+")
SETTING = re.compile(r'(?P<name>\S+) "(?P<value>[^"]*)";')


@dataclass(frozen=True, slots=True)
class AptAccess:
    """mirror, security: base URLs. options: lines for apt.conf. certificates: name -> text of the box's own CAs."""

    mirror: str
    security: str
    options: tuple[str, ...]
    certificates: dict[str, str]

    @property
    def proxy(self) -> dict[str, str]:
        """Proxy settings as the environment of programs that are not apt."""
        found = {}
        for line in self.options:
            if setting := SETTING.fullmatch(line):
                for scheme in ("http", "https"):
                    if setting["name"].lower() == f"acquire::{scheme}::proxy" and setting["value"] not in (
                        "",
                        "DIRECT",
                    ):
                        found[f"{scheme}_proxy"] = setting["value"]
        return found


async def access() -> AptAccess:
    """The way of this box; Debian's own mirror where the box is not Debian."""
    files = [SOURCES / "sources.list", *sorted((SOURCES / "sources.list.d").glob("*"))]
    texts = [
        path.read_text(errors="replace") for path in files if path.suffix in (".list", ".sources") and path.is_file()
    ]
    dump = await local.run(["apt-config", "dump"], check=False)
    return AptAccess(
        mirror=mirror(texts, "/debian", DEBIAN),
        security=mirror(texts, "/debian-security", SECURITY),
        options=carried(dump.stdout),
        certificates={path.name: path.read_text() for path in sorted(CERTIFICATES.glob("**/*.crt"))},
    )


def mirror(sources: list[str], ending: str, fallback: str) -> str:
    """The first URL in the box's sources that ends like a Debian archive's."""
    for text in sources:
        for line in text.splitlines():
            if line.lstrip().startswith("#"):
                continue
            for found in URI.findall(line):
                if found.rstrip("/").endswith(ending):
                    return str(found).rstrip("/")
    return fallback


def carried(dump: str) -> tuple[str, ...]:
    """The lines of `apt-config dump` that a machine needs to reach a mirror."""
    return tuple(
        line
        for line in dump.splitlines()
        if line.startswith(CARRIED) and (setting := SETTING.fullmatch(line)) and setting["value"]
    )


def sources(access: AptAccess, suite: str) -> str:
    """The machine's sources, in the form that Debian uses since bookworm."""
    return f"""\
Types: deb
URIs: {access.mirror}
Suites: {suite} {suite}-updates
Components: main
Signed-By: {KEYRING}

Types: deb
URIs: {access.security}
Suites: {suite}-security
Components: main
Signed-By: {KEYRING}
"""

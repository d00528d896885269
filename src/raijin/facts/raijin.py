"""What Raijin itself left on a host."""

from __future__ import annotations

from dataclasses import dataclass

STATE_FOLDER = "/var/lib/raijin"
"""Where a host keeps what Raijin must know about it: receipts, stamps, staged files, the lock."""

SNIPPET = r"""
if [ -r "$BASE/owner" ]; then read -r r_owner <"$BASE/owner"; printf 'owner %s\n' "$r_owner"; fi
for r_scope in "$BASE"/receipts/*; do
  [ -d "$r_scope" ] || continue
  r_count=0
  for r_one in "$r_scope"/[0-9]*-*; do [ ! -d "$r_one" ] || r_count=$((r_count + 1)); done
  printf 'scope %s %s\n' "$r_count" "${r_scope##*/}"
done
for r_one in "$BASE"/stamps/command:*; do [ ! -e "$r_one" ] || printf 'marker %s\n' "${r_one##*/command:}"; done
"""


@dataclass(frozen=True, slots=True)
class Ownership:
    """owner: the cluster that the host belongs to, or empty. receipts: how many each scope holds. markers: what ran."""

    owner: str
    receipts: dict[str, int]
    markers: tuple[str, ...]


def parse(text: str) -> Ownership:
    owner, receipts, markers = "", dict[str, int](), list[str]()
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "owner":
            owner = rest
        elif word == "scope":
            count, _, scope = rest.partition(" ")
            receipts[scope] = int(count)
        elif word == "marker":
            markers.append(rest)
    return Ownership(owner, receipts, tuple(markers))

"""Packet filter chains that must not exist: kube-proxy, flannel and the CNI plugins leave theirs behind.

iptables comes in two kinds (nf_tables and legacy) and two families; each that the host has is looked at. kube-proxy,
flannel and Calico in nftables mode have tables of their own, which go as a whole. Calico also adds rules to the chains
of others; those bear a comment of its own (felix/rules: `cali:` and a digest).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from raijin.operations.base import Argument, Operation, Resolve, matching

LIBRARY = r"""
CHAIN_TOOLS='iptables-nft ip6tables-nft iptables-legacy ip6tables-legacy'
# chain_tools: those that are there; where the kinds have no names of their own, the plain ones.
chain_tools() {
  TOOLS=
  for x_tool in $CHAIN_TOOLS; do ! have "$x_tool-save" || TOOLS="$TOOLS $x_tool"; done
  [ -n "$TOOLS" ] || for x_tool in iptables ip6tables; do ! have "$x_tool-save" || TOOLS="$TOOLS $x_tool"; done
}
# chain_lines TOOL PREFIXES: the lines of its rules that speak of the chains.
chain_lines() {
  x_tool=$1; shift; x_pattern=
  for x_prefix in "$@"; do x_pattern="$x_pattern${x_pattern:+|}$x_prefix"; done
  x_pattern="^:($x_pattern)|^-A ($x_pattern)|-j ($x_pattern)|--comment \"?cali:"
  "$x_tool-save" 2>/dev/null | grep -E -e "$x_pattern"
}
chain_own_tables() {
  x_own='kube-proxy|flannel-ipv4|flannel-ipv6|calico'
  ! have nft || nft list tables 2>/dev/null | grep -E "^table (ip|ip6|inet) ($x_own)$"
}
chainsabsent_check() { # prefixes...
  chain_tools
  for x_each in $TOOLS; do
    if chain_lines "$x_each" "$@" >/dev/null; then differs state "rules in $x_each" absent; return 1; fi
  done
  [ -z "$(chain_own_tables)" ] || { differs state 'tables in nft' absent; return 1; }
}
chainsabsent_change() {
  for x_each in $TOOLS; do
    chain_lines "$x_each" "$@" >/dev/null || continue
    # The whole set without these lines replaces the old one in a single step: nothing else is touched.
    "$x_each-save" | grep -vE -e "$x_pattern" | "$x_each-restore" || return 1
    case $x_each in
      iptables-nft) chain_empty_tables ip;;
      ip6tables-nft) chain_empty_tables ip6;;
    esac
  done
  chain_own_tables | while read -r x_word x_family x_name; do nft delete "$x_word" "$x_family" "$x_name"; done
}
# A table of iptables-nft in which no rule is left is one that only its own call brought into being.
chain_empty_tables() {
  have nft || return 0
  for x_table in raw mangle nat filter; do
    x_text=$(nft list table "$1" "$x_table" 2>/dev/null) || continue
    x_frame='^table |^[[:space:]]*chain |policy accept;|^[[:space:]]*}$|^#|^[[:space:]]*$'
    printf '%s\n' "$x_text" | grep -qvE "$x_frame" ||
      nft delete table "$1" "$x_table"
  done
}
"""

_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_-]{1,27}")


@dataclass(frozen=True, slots=True)
class ChainsAbsent(Operation):
    """No chain of the packet filter begins with one of these prefixes, and no rule jumps to one.

    It keeps no receipt: it is for what the cluster made itself.
    """

    prefixes: tuple[str, ...]
    kind: Literal["chainsabsent"] = "chainsabsent"

    library: ClassVar[str] = LIBRARY

    def __post_init__(self) -> None:
        for prefix in self.prefixes:
            matching(_PREFIX, prefix, "the beginning of a chain's name")

    @property
    def title(self) -> str:
        return f"no chains {', '.join(self.prefixes)}"

    def arguments(self, resolve: Resolve) -> tuple[Argument, ...]:
        return self.prefixes

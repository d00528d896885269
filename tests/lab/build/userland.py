"""What images need besides the program: programs and libraries of Debian, and busybox for the rest."""

from __future__ import annotations

from pathlib import Path

from common import run
from oci import Tree, base_tree
from output import Material

PACKET_FILTER = ("iptables", "nftables", "conntrack")
IPTABLES_COMMANDS = ("", "-save", "-restore")
MERGED_FOLDERS = ("bin", "sbin", "lib", "lib64")


def busybox(material: Material) -> Path:
    """Where the packages of busybox are; its version names the image that is no more than busybox."""
    return material.packages("busybox", ("busybox-static",))


def packet_filter_tree(material: Material) -> Tree:
    return debian_tree(material, "packet-filter", PACKET_FILTER)


def debian_tree(material: Material, name: str, packages: tuple[str, ...]) -> Tree:
    """Debian packages with all that they depend on; `iptables`, when it is there, is the nft variant, as on Debian."""
    root = material.packages(name, packages) / "root"
    tree = base_tree().copy_of(root)
    for folder in MERGED_FOLDERS:
        tree.link(folder, f"usr/{folder}")
    if "usr/sbin/xtables-nft-multi" in tree.entries:
        for family in ("iptables", "ip6tables"):
            for suffix in IPTABLES_COMMANDS:
                tree.link(f"usr/sbin/{family}{suffix}", f"{family}-nft{suffix}")
    return tree


def with_busybox(material: Material, tree: Tree) -> Tree:
    """busybox and a link for each of its applets, except where the tree has the real program."""
    binary = busybox(material) / "root/usr/bin/busybox"
    merged = "bin" in tree.entries
    top = "usr/" if merged else ""
    tree.file(f"{top}bin/busybox", binary)
    for applet in run([str(binary), "--list-full"]).split():
        path = top + applet.removeprefix("usr/") if merged else applet
        if "/" in applet and path not in tree.entries:
            tree.link(path, "/bin/busybox")
    return tree

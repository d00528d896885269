"""Kernel features as the modules that tools ask for, for a box whose kernel has them built in.

`modprobe overlay` succeeds on a normal server even when overlayfs is built in, because the kernel package lists it in
`modules.builtin`. A box without /lib/modules lacks that list; a machine gets it from the kernel's own configuration, so
that modprobe is right both ways: what is there is found, what is missing fails.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

BUILTIN = (
    ("OVERLAY_FS", "fs/overlayfs/overlay"),
    ("FUSE_FS", "fs/fuse/fuse"),
    ("XFS_FS", "fs/xfs/xfs"),
    ("BTRFS_FS", "fs/btrfs/btrfs"),
    ("NFS_FS", "fs/nfs/nfs"),
    ("CIFS", "fs/smb/client/cifs"),
    ("BLK_DEV_LOOP", "drivers/block/loop"),
    ("BLK_DEV_DM", "drivers/md/dm-mod"),
    ("ISCSI_TCP", "drivers/scsi/iscsi_tcp"),
    ("VETH", "drivers/net/veth"),
    ("VXLAN", "drivers/net/vxlan/vxlan"),
    ("GENEVE", "drivers/net/geneve"),
    ("MACVLAN", "drivers/net/macvlan"),
    ("IPVLAN", "drivers/net/ipvlan/ipvlan"),
    ("DUMMY", "drivers/net/dummy"),
    ("TUN", "drivers/net/tun"),
    ("BONDING", "drivers/net/bonding/bonding"),
    ("WIREGUARD", "drivers/net/wireguard/wireguard"),
    ("BRIDGE", "net/bridge/bridge"),
    ("BRIDGE_NETFILTER", "net/bridge/br_netfilter"),
    ("VLAN_8021Q", "net/8021q/8021q"),
    ("NF_CONNTRACK", "net/netfilter/nf_conntrack"),
    ("NF_CT_NETLINK", "net/netfilter/nf_conntrack_netlink"),
    ("NF_NAT", "net/netfilter/nf_nat"),
    ("NF_TABLES", "net/netfilter/nf_tables"),
    ("NFT_NAT", "net/netfilter/nft_chain_nat"),
    ("NFT_COMPAT", "net/netfilter/nft_compat"),
    ("IP_SET", "net/netfilter/ipset/ip_set"),
    ("IP_VS", "net/netfilter/ipvs/ip_vs"),
    ("IP_VS_RR", "net/netfilter/ipvs/ip_vs_rr"),
    ("IP_VS_WRR", "net/netfilter/ipvs/ip_vs_wrr"),
    ("IP_VS_SH", "net/netfilter/ipvs/ip_vs_sh"),
    ("NETFILTER_XT_SET", "net/netfilter/xt_set"),
    ("NETFILTER_XT_MATCH_COMMENT", "net/netfilter/xt_comment"),
    ("NETFILTER_XT_MATCH_CONNTRACK", "net/netfilter/xt_conntrack"),
    ("NETFILTER_XT_MATCH_MULTIPORT", "net/netfilter/xt_multiport"),
    ("NETFILTER_XT_MATCH_STATISTIC", "net/netfilter/xt_statistic"),
    ("NETFILTER_XT_TARGET_MASQUERADE", "net/netfilter/xt_MASQUERADE"),
    ("NETFILTER_XT_TARGET_REDIRECT", "net/netfilter/xt_REDIRECT"),
    ("NETFILTER_XT_MARK", "net/netfilter/xt_mark"),
    ("IP_NF_IPTABLES", "net/ipv4/netfilter/ip_tables"),
    ("IP_NF_FILTER", "net/ipv4/netfilter/iptable_filter"),
    ("IP_NF_NAT", "net/ipv4/netfilter/iptable_nat"),
    ("IP_NF_MANGLE", "net/ipv4/netfilter/iptable_mangle"),
    ("IP6_NF_IPTABLES", "net/ipv6/netfilter/ip6_tables"),
    ("NET_SCH_NETEM", "net/sched/sch_netem"),
    ("NET_SCH_HTB", "net/sched/sch_htb"),
    ("NET_SCH_TBF", "net/sched/sch_tbf"),
)
"""(kernel option, module) for what Kubernetes, its networks and its storage ask for."""


def builtin_list(options: AbstractSet[str]) -> str:
    """The text of modules.builtin for a kernel with these options built in."""
    return "".join(f"kernel/{module}.ko\n" for option, module in BUILTIN if option in options)

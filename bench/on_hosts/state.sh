# Prints everything that the workload is about. With $1 = exact also what betrays a needless write or restart.
set -u
things="/etc/hostname /etc/fstab /etc/hosts /etc/modules-load.d /etc/modules-load.d/90-kubernetes.conf /etc/sysctl.d
  /etc/sysctl.d/90-kubernetes.conf /etc/containerd /etc/containerd/config.toml /etc/crictl.yaml /etc/default/kubelet
  /etc/systemd/system/bench-agent.service /etc/systemd/system/multi-user.target.wants/bench-agent.service
  /etc/security/limits.d/90-kubernetes.conf /etc/kubernetes /etc/kubernetes/audit-policy.yaml /etc/kubernetes/manifests
  /etc/kubernetes/.prepared /var/lib/etcd-data"
stat -c '%n %a %U:%G %F' $things 2>&1
for thing in $things; do [ ! -f "$thing" ] || sha256sum "$thing"; done
uname -n
cat /etc/fstab /etc/hosts
(cd /proc/sys/net && grep -H '' bridge/bridge-nf-call-iptables bridge/bridge-nf-call-ip6tables ipv4/ip_forward ipv4/conf/all/rp_filter)
grep -E '^(etcd|kube-ops):' /etc/passwd /etc/group /etc/gshadow
systemctl show -p LoadState,ActiveState,UnitFileState,NeedDaemonReload,ExecMainStatus bench-agent.service
dpkg-query -W -f '${Package} ${db:Status-Status}\n' ethtool iproute2 iptables ca-certificates curl
[ "${1-}" = exact ] || exit 0
stat -c '%n %i %.9Y' $things 2>/dev/null
systemctl show -p ActiveEnterTimestampMonotonic,MainPID bench-agent.service

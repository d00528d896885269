# The floor: the whole workload as one script, written by hand to start as few processes as it can. $1: the node.
# What comes before this line sets MODULES, SYSCTL, CONTAINERD, CRICTL, KUBELET, AGENT, LIMITS and AUDIT to the contents.
set -u
NL='
'
changed=0
done_() { changed=$((changed + 1)); }

# 1 facts
. /etc/os-release
read -r _ memory _ </proc/meminfo
echo "facts $ID $VERSION_ID $(uname -srm) $(nproc) $memory"
ip -o addr show scope global

# What is there, asked once.
files="/etc/modules-load.d/90-kubernetes.conf /etc/sysctl.d/90-kubernetes.conf /etc/containerd/config.toml /etc/crictl.yaml
  /etc/default/kubelet /etc/systemd/system/bench-agent.service /etc/security/limits.d/90-kubernetes.conf
  /etc/kubernetes/audit-policy.yaml"
folders="/etc/containerd /etc/kubernetes/manifests /var/lib/etcd-data"
stats=$NL$(stat -c '%n %a %U:%G' $files $folders 2>/dev/null)$NL

# 2 hostname
wanted=$1-k8s
read -r boot </etc/hostname
[ "$boot" = "$wanted" ] || { echo "$wanted" >/etc/hostname; done_; }
[ "$(uname -n)" = "$wanted" ] || { hostname "$wanted"; done_; }

# 3 swap off, 4 and after a boot
while read -r device _; do [ "$device" = Filename ] || { swapoff "$device"; done_; }; done </proc/swaps
if grep -qE '^[^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap[[:space:]]' /etc/fstab; then
  sed -i -E 's/^([^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap[[:space:]])/# off for Kubernetes (raijin): \1/' /etc/fstab
  done_
fi

folder() { # path mode
  case $stats in *"$NL$1 $2 root:root$NL"*) return 0;; esac
  mkdir -p -m "$2" "$1" && chmod "$2" "$1" && chown root:root "$1"; done_
}
file() { # path mode content
  if [ -f "$1" ] && [ "$(cat "$1")" = "$3" ]; then
    case $stats in *"$NL$1 $2 root:root$NL"*) return 1;; esac
  fi
  (umask 077; printf '%s\n' "$3" >"$1.new") && chmod "$2" "$1.new" && mv "$1.new" "$1"; done_
}

# 5 modules at boot, 6 now
file /etc/modules-load.d/90-kubernetes.conf 644 "$MODULES"
{ [ -d /sys/module/overlay ] && [ -d /proc/sys/net/bridge ]; } || { modprobe -a overlay br_netfilter; done_; }
# 7 kernel settings at boot, 8 now
file /etc/sysctl.d/90-kubernetes.conf 644 "$SYSCTL"
live=$(cd /proc/sys/net && cat bridge/bridge-nf-call-iptables bridge/bridge-nf-call-ip6tables ipv4/ip_forward ipv4/conf/all/rp_filter)
[ "$live" = "1${NL}1${NL}1${NL}2" ] || { sysctl -q -p /etc/sysctl.d/90-kubernetes.conf; done_; }

# 9 to 11 folders, 12 to 17 files
folder /etc/containerd 755
folder /etc/kubernetes/manifests 755
folder /var/lib/etcd-data 700
file /etc/containerd/config.toml 644 "$CONTAINERD"
file /etc/crictl.yaml 644 "$CRICTL"
file /etc/default/kubelet 644 "$KUBELET"
file /etc/security/limits.d/90-kubernetes.conf 644 "$LIMITS"
file /etc/kubernetes/audit-policy.yaml 600 "$AUDIT"
if file /etc/systemd/system/bench-agent.service 644 "$AGENT"; then stale=1; else stale=; fi

# 18 packages
present=$NL$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' ethtool iproute2 iptables ca-certificates curl 2>/dev/null)$NL
missing=
for package in ethtool iproute2 iptables ca-certificates curl; do
  case $present in *"$NL$package installed$NL"*) ;; *) missing="$missing $package";; esac
done
[ -z "$missing" ] || { apt-get -qq -y install $missing; done_; }

# 19 and 20 groups, 21 user with its groups
accounts=$NL$(cat /etc/group /etc/passwd)$NL
case $accounts in *"${NL}kube-ops:x:1801:"*) ;; *) groupadd -g 1801 kube-ops; done_;; esac
case $accounts in *"${NL}etcd:x:1802:$NL"*) ;; *) groupadd -g 1802 etcd; done_;; esac
case $accounts in
  *"${NL}etcd:x:1802:1802::/var/lib/etcd-data:/usr/sbin/nologin$NL"*)
    case $accounts in *"${NL}kube-ops:x:1801:etcd$NL"*) ;; *) usermod -aG kube-ops etcd; done_;; esac;;
  *) useradd -r -M -u 1802 -g etcd -G kube-ops -d /var/lib/etcd-data -s /usr/sbin/nologin etcd; done_;;
esac

# 22 name of the API
grep -qxF '198.51.100.250 api.bench.example' /etc/hosts || { echo '198.51.100.250 api.bench.example' >>/etc/hosts; done_; }

# 23 unit enabled, 24 running (restarted when its file changed)
[ -z "$stale" ] || systemctl daemon-reload
case $(systemctl show -p ActiveState,UnitFileState bench-agent.service) in
  *ActiveState=active*UnitFileState=enabled*) [ -z "$stale" ] || { systemctl restart bench-agent.service; done_; };;
  *) systemctl --quiet enable --now bench-agent.service; done_;;
esac

# 25 a guarded command
[ -e /etc/kubernetes/.prepared ] || { (umask 077; echo ready >/etc/kubernetes/.prepared); done_; }
echo "changed $changed"

# Undoes the workload, whoever did it, and removes what the tools leave behind. $1: the name that the machine has.
set -u
hostname "$1"
echo "$1" >/etc/hostname
printf '# UNCONFIGURED FSTAB FOR BASE SYSTEM\n/swapfile none swap sw 0 0\n' >/etc/fstab
systemctl --quiet disable --now bench-agent.service 2>/dev/null
rm -f /etc/systemd/system/bench-agent.service /etc/modules-load.d/90-kubernetes.conf /etc/sysctl.d/90-kubernetes.conf \
  /etc/containerd/config.toml /etc/crictl.yaml /etc/default/kubelet /etc/security/limits.d/90-kubernetes.conf
rm -rf /etc/containerd /etc/kubernetes /var/lib/etcd-data /var/lib/raijin /run/raijin.* /root/.ansible /tmp/pyinfra* /tmp/.ansible*
systemctl --quiet unmask swapfile.swap 2>/dev/null
systemctl daemon-reload
systemctl reset-failed
for pair in bridge/bridge-nf-call-iptables=0 bridge/bridge-nf-call-ip6tables=0 ipv4/ip_forward=0 ipv4/conf/all/rp_filter=0; do
  echo "${pair#*=}" >"/proc/sys/net/${pair%=*}"
done
userdel etcd 2>/dev/null
groupdel etcd 2>/dev/null
groupdel kube-ops 2>/dev/null
grep -v ' api.bench.example$' /etc/hosts >/etc/hosts.new
cat /etc/hosts.new >/etc/hosts
rm -f /etc/hosts.new
exit 0

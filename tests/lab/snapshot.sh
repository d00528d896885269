# Prints what a host is like, in sections. The lab's law: after destroy it is what it was before apply.
# Left out because they change by themselves: logs, caches of apt, random seeds, runtime state below /run, /proc and /sys,
# the last states of the lists of users (passwd-, which useradd and userdel write), the box's end of a machine's link.
section() { printf '\036%s\n' "$1"; }
export LC_ALL=C
section packages; dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\n' | grep -v ' config-files$'
section files
find /etc /usr/local /opt /srv /root /home /boot -xdev \( -path /etc/ssl/certs -o -path /root/.cache -o -path /root/.kube \) -prune -o \
  \( -type f -printf '%p %m %u:%g f ' -exec sha256sum {} \; -o -type l -printf '%p l %l\n' -o -type d -printf '%p %m %u:%g d\n' \) |
  sed 's/  .*//' | grep -vE '^/etc/(ld.so.cache|resolv.conf|mtab|\.pwd\.lock|machine-id|(passwd|group|shadow|gshadow)-)' | sort
section state; find /var/lib -mindepth 1 -maxdepth 1 -printf '%p %m %u:%g\n' | sort
section cni; find /var/lib/cni /var/lib/etcd /var/lib/kubelet /var/lib/containerd /run/flannel /run/containerd /var/lib/raijin 2>/dev/null | head -5
section users; cat /etc/passwd /etc/group
section sysctl; sysctl -a 2>/dev/null | grep -E '^(net\.bridge|net\.ipv4\.ip_forward|net\.ipv6\.conf\.all\.forwarding|vm\.overcommit|vm\.panic|kernel\.panic|kernel\.keys)' | sort
section modules; cut -d' ' -f1 /proc/modules 2>/dev/null | sort
section links; ip -o link | awk -F'[:@] *' '{ print $2 }' | sort
section addresses; ip -o -4 addr | awk '{ print $2, $4 }' | sort
section routes; ip route | sort; ip rule | sort
section mounts; awk '{ print $2, $3 }' /proc/mounts | sort
section iptables; { iptables-save; ip6tables-save; } 2>/dev/null | grep -vE '^#|^:.* \[|^\*|^COMMIT'
section nft; nft list ruleset
section units; systemctl list-unit-files --no-legend --no-pager | awk '{ print $1, $2 }' | grep -vE '^(session-|user)' | sort
section services; systemctl list-units --type=service --state=running,failed --no-legend --plain --no-pager | awk '{ print $1, $3 }' | grep -vE '^(user@|session-|systemd-(hostnamed|timedated|localed))' | sort
section ports; ss -Hltnu | awk '{ print $1, $5 }' | sort
section processes; ps -A -o comm= | grep -vE '^(ps|sh|sshd|sort|awk|grep|\(sd-pam\)|systemd|kworker.*)$' | sort -u
section hostname; cat /etc/hostname /proc/sys/kernel/hostname
section swap; grep -v '^Filename' /proc/swaps
exit 0

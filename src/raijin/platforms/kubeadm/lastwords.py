"""What the containers of a control plane said last, for the person who reads why kubeadm has failed.

kubeadm waits for etcd and for the API server, and when its patience ends it says that they did not come; why
is in their logs. Read when kubeadm has failed, by the container runtime: there is no API to ask then.
"""

from __future__ import annotations

# Of a container that ended and has none of its name that runs: its last line, or its error where that is JSON (etcd).
_SCRIPT = r"""
for n in etcd kube-apiserver; do
  [ -z "$(crictl ps -q --state Running --name "^$n\$")" ] || continue
  id=$(crictl ps -a -q --state Exited --latest --name "^$n\$")
  [ -n "$id" ] || continue
  said=$(crictl logs --tail 1 "$id" 2>&1)
  error=$(printf '%s\n' "$said" | sed -n 's/.*"msg":"\([^"]*\)".*"error":"\([^"]*\)".*/\1: \2/p')
  printf 'the last words of %s: %s\n' "$n" "${error:-$said}"
done
"""
LAST_WORDS = ("sh", "-c", _SCRIPT)

"""dnf and rpm: Fedora, RHEL and their rebuilds."""

DNF = r"""
dnf_installed() { rpm -q --qf '%{NAME}|installed\n' -- "$@" 2>/dev/null; }
dnf_list() { rpm -qa --qf '%{NAME}\n'; }
dnf_add() { dnf -q -y --setopt=install_weak_deps=False --setopt=timeout=60 install "$@"; }
# rpm refuses as a whole when one is still needed: then they go one by one, and the needed ones stay.
dnf_remove() {
  rpm -e -- "$@" && return 0
  for m_name in "$@"; do
    rpm -e -- "$m_name" >"$T/rpm" 2>&1 || { cat "$T/rpm"; grep -q 'is needed by' "$T/rpm" || return 1; }
  done
}
"""

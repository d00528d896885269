"""rpm: what dnf and zypper have in common."""

RPM = r"""
rpm_installed() { rpm -q --qf '%{NAME}|installed\n' -- "$@" 2>/dev/null; }
rpm_list() { rpm -qa --qf '%{NAME}\n'; }
# rpm refuses as a whole when one is still needed: then they go one by one, and the needed ones stay.
rpm_remove() {
  rpm -e -- "$@" && return 0
  for m_name in "$@"; do
    rpm -e -- "$m_name" >"$T/rpm" 2>&1 || { cat "$T/rpm"; grep -q 'is needed by' "$T/rpm" || return 1; }
  done
}
"""

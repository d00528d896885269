"""zypper and rpm: openSUSE and SLES."""

ZYPPER = r"""
zypper_installed() { rpm -q --qf '%{NAME}|installed\n' -- "$@" 2>/dev/null; }
zypper_list() { rpm -qa --qf '%{NAME}\n'; }
zypper_add() { ZYPP_LOCK_TIMEOUT=300 zypper --non-interactive install --no-recommends --auto-agree-with-licenses "$@"; }
zypper_remove() {
  rpm -e -- "$@" && return 0
  for m_name in "$@"; do
    rpm -e -- "$m_name" >"$T/rpm" 2>&1 || { cat "$T/rpm"; grep -q 'is needed by' "$T/rpm" || return 1; }
  done
}
"""

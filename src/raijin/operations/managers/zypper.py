"""zypper: openSUSE and SLES."""

ZYPPER = r"""
zypper_installed() { rpm_installed "$@"; }
zypper_list() { rpm_list; }
zypper_add() { ZYPP_LOCK_TIMEOUT=300 zypper --non-interactive install --no-recommends --auto-agree-with-licenses "$@"; }
zypper_remove() { rpm_remove "$@"; }
"""

"""dnf: Fedora, RHEL and their rebuilds."""

DNF = r"""
dnf_installed() { rpm_installed "$@"; }
dnf_list() { rpm_list; }
dnf_add() { dnf -q -y --setopt=install_weak_deps=False --setopt=timeout=60 install "$@"; }
dnf_remove() { rpm_remove "$@"; }
"""

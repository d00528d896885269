"""apt and dpkg: Debian, Ubuntu and their children."""

APT = r"""
apt_installed() { dpkg-query -W -f '${Package}|${db:Status-Status}\n' -- "$@" 2>/dev/null; }
apt_list() { dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p'; }
apt_run() {
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}
apt_stale() { # a source that is newer than the lists
  for a_file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    [ ! "$a_file" -nt /var/lib/apt/lists ] || return 0
  done
  return 1
}
apt_add() {
  a_updated=
  if apt_stale; then apt_run update; a_updated=1; fi
  for a_try in 1 2 3; do
    apt_run install --no-install-recommends "$@" >"$T/apt" 2>&1; a_rc=$?
    cat "$T/apt"
    [ "$a_rc" != 0 ] || return 0
    if grep -q 'dpkg --configure -a' "$T/apt"; then DEBIAN_FRONTEND=noninteractive dpkg --configure -a --force-confold
    elif [ -z "$a_updated" ] && grep -qE 'Unable to locate|installation candidate|404 |Failed to fetch' "$T/apt"; then
      apt_run update; a_updated=1
    else break; fi
  done
  a_line=$(sed -n 's/^E: //p' "$T/apt" | head -n 1)
  [ -z "$a_line" ] || REASON="apt: $a_line"
  return 1
}
# dpkg leaves a package that others need, and says so: that one stays, the rest goes.
apt_remove() {
  DEBIAN_FRONTEND=noninteractive dpkg --purge -- "$@" >"$T/apt" 2>&1; a_rc=$?
  cat "$T/apt"
  [ "$a_rc" = 0 ] || grep -q 'dependency problems prevent' "$T/apt"
}
"""

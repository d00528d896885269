# Makes a lab machine a fair host for every tool; $1 says who needs it (`ansible`: Python with its modules and apt's).
set -eu
exec 2>&1
name=/proc/sys/kernel/hostname
# A container may not set its name by the kernel's file; a server may.
[ -w "$name" ] && printf '%s' "$(uname -n)" 2>/dev/null >"$name" || { mount --bind "$name" "$name"; mount -o remount,bind,rw "$name"; }
[ "${1-}" != ansible ] || python3 -c 'import json, apt' 2>/dev/null || {
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  apt-get -qq -y --no-install-recommends install python3 python3-apt >/dev/null
}

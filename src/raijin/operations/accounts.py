"""The shell that reads the host's own accounts, without starting a process."""

ACCOUNTS = r"""
# account FILE NAME: sets A_ID A_GROUP A_HOME A_SHELL (passwd) or A_ID and A_MEMBERS (group), or fails.
account() {
  [ -r "$1" ] || return 1
  while IFS=: read -r a_name _ A_ID A_GROUP _ A_HOME A_SHELL; do
    [ "$a_name" != "$2" ] || { A_MEMBERS=$A_GROUP; return 0; }
  done <"$1"
  A_ID= A_GROUP= A_HOME= A_SHELL= A_MEMBERS=
  return 1
}
# group_name GID: sets GROUP_NAME.
group_name() {
  while IFS=: read -r GROUP_NAME _ a_gid _; do [ "$a_gid" != "$1" ] || return 0; done </etc/group
  GROUP_NAME=$1
}
"""

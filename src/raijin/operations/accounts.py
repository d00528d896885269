"""The shell that reads the host's own accounts: one process for all checks of a program."""

ACCOUNTS = r"""
accounts_fetch() { USERS=$(cat /etc/passwd) GROUPS_=$(cat /etc/group); }
# The accounts are read at the first question, and again after a change.
accounts() {
  case $FETCHED in *' accounts '*) ;; *) FETCHED="${FETCHED}accounts "; accounts_fetch;; esac
}
# account FILE NAME: sets A_ID A_GROUP A_HOME A_SHELL (passwd) or A_ID and A_MEMBERS (group), or fails.
account() {
  accounts
  A_ID= A_GROUP= A_HOME= A_SHELL= A_MEMBERS=
  case $1 in */passwd) a_text=$USERS;; *) a_text=$GROUPS_;; esac
  pick "$2:" "$a_text" || return 1
  set -f; IFS=:; set -- $LINE; unset IFS; set +f
  A_ID=${2-} A_GROUP=${3-} A_HOME=${5-} A_SHELL=${6-} A_MEMBERS=${3-}
}
# group_name GID: sets GROUP_NAME.
group_name() {
  accounts
  GROUP_NAME=$1
  set -f; IFS=$NL
  for a_line in $GROUPS_; do
    a_rest=${a_line#*:*:}
    case $a_rest in "$1:"*) GROUP_NAME=${a_line%%:*}; break;; esac
  done
  unset IFS; set +f
}
"""

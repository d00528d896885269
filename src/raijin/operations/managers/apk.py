"""apk: Alpine."""

APK = r"""
apk_installed() { for m_name in $(apk info -e "$@" 2>/dev/null); do printf '%s|installed\n' "$m_name"; done; }
apk_run() { apk --no-progress --wait 300 "$@"; }
apk_list() { apk info -q 2>/dev/null; }
apk_add() { apk_run add "$@" || { apk_run update && apk_run add "$@"; }; }
# apk removes what nothing needs any more by itself; asked for a package that another one needs, it keeps it.
apk_remove() { apk_run del "$@"; }
"""

#!/bin/sh
# One script per host by OpenSSH, all at once: by_openssh.sh SSH_CONFIG SCRIPT OUTPUT_FOLDER HOST...
config=$1 script=$2 output=$3; shift 3
for host in "$@"; do
  ssh -F "$config" -o KexAlgorithms=curve25519-sha256 -o BatchMode=yes "$host" "sh -s $host" <"$script" >"$output/$host" 2>&1 ||
    echo "$host: status $?" >"$output/$host.failed" &
done
wait
for host in "$@"; do [ ! -e "$output/$host.failed" ] || { cat "$output/$host.failed" "$output/$host"; exit 1; }; done

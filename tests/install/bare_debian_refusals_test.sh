#!/usr/bin/env bash
# bare_debian_refusals_test.sh WORK: bare_debian.sh says what it cannot do, and why, before it does
# anything.
set -euo pipefail
work=$1
rm -rf "$work"
mkdir -p "$work/empty"
script=$(mktemp)  # where one who is not root can read it
trap 'rm -f "$script"' EXIT
cp "$(dirname "$0")/bare_debian.sh" "$script"
chmod 755 "$script"

# refuses STATUS WORDS COMMAND...: the command ends with STATUS and says WORDS.
refuses() {
  local expected=$1 words=$2 status=0
  shift 2
  "$@" > "$work/output" 2>&1 || status=$?
  ((status == expected)) && grep -qF -- "$words" "$work/output" && return
  echo "exit code $status with the words below, expected $expected and \"$words\": $*"
  cat "$work/output"
  exit 1
}

refuses 0 "Exit codes: 0" "$BASH" "$script" --help
refuses 2 "no option --quick" "$BASH" "$script" --quick
refuses 2 "a command is empty" "$BASH" "$script" ./demo.sh ""
nobody=()
if ((EUID == 0)); then nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups); fi
refuses 77 "needs root" "${nobody[@]}" "$BASH" "$script"
if ((EUID == 0)); then
  refuses 77 "needs debootstrap" env PATH="$work/empty" "$BASH" "$script"
else
  echo "not tried: root without debootstrap; run as root for that"
fi

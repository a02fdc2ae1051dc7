#!/usr/bin/env bash
# usage_test.sh SLUICE_BENCH: wrong usage ends with exit code 2 and one line that names the remedy.
set -uo pipefail
bench=$1
failures=0

refused() { # expected text, then arguments
  local expected=$1 said status
  shift
  said=$("$bench" "$@" 2>&1 > /dev/null)
  status=$?
  if ((status != 2)) || [[ $said != sluice-bench:*$expected* ]] || (($(wc -l <<< "$said") != 1)); then
    echo "sluice-bench $*: exit code $status: $said"
    failures=1
  fi
}

refused "--suite" --suite sorting
refused "sluice:ALGORITHM" --device cpu --peers tensorflow
refused "stepwise" --device cpu --algorithm fast
refused "persist_static" --device cpu --peers cudnn:fastest
refused "--dtype" --dtype int8
refused "regular expression" --filter '(' --list
refused "no case is left" --filter nothing-like-this --list
refused "device" --device tpu --list
refused "/no/such/file.json" --read /no/such/file.json
refused "--repeat" --repeat 0
"$bench" --help | grep -q -- --min-time || failures=1
"$bench" --version | grep -q '^sluice-bench [0-9]' || failures=1
exit $failures

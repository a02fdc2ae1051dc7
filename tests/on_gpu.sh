#!/usr/bin/env bash
# Runs a test program's cases that need a GPU. Exit code 77: all of them were skipped.
#   tests/on_gpu.sh PROGRAM
set -uo pipefail
output=$("$1" --gtest_filter='*cuda*' --gtest_brief=1 2>&1)
status=$?
printf '%s\n' "$output"
if ((status == 0)) && ! grep -q 'PASSED.* [1-9][0-9]* test' <<< "$output"; then exit 77; fi
exit "$status"

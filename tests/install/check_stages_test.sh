#!/usr/bin/env bash
# check_stages_test.sh SOURCE WORK: which stages check.sh runs for which words, and which .ci/run asks
# of it when a bare Debian 12 passed, failed or could not be had. cmake, ctest and the rest are stubs.
# shellcheck disable=SC2016  # much is for other shells
set -euo pipefail
source=$1
work=$2
rm -rf "$work"
mkdir -p "$work"/{bin,.ci,tests/install}
cp "$source/check.sh" "$work/"
cp "$source/.ci/run" "$work/.ci/"
stub() { printf '#!/usr/bin/env bash\n%s\n' "$2" > "$work/$1" && chmod +x "$work/$1"; }
stub setup.sh true
stub bin/cmake '[[ $1 == --build ]] || echo "cmake $*" >> "$LOG"'
stub bin/ctest 'echo "ctest $* ${SLUICE_EVERY_FLOAT-0}" >> "$LOG"'
stub bin/debootstrap false
stub bin/ccache false
export LOG=$work/log PATH=$work/bin:$PATH
fail() { echo "$*" && cat "$LOG" && exit 1; }

# stages EXPECTED COMMAND...: what is configured and tested, in this order.
stages() {
  local expected=$1
  shift
  : > "$LOG"
  "$@" > "$work/output" 2>&1 || fail "exit code $?: $*"
  ran=$(sed -n 's/^cmake --preset //p; s/^cmake .*SLUICE_CPU_TESTS=ON$/shipped/p
                s/^cmake .*SLUICE_CUDA=ON .*SLUICE_CPU_TESTS=OFF$/cuda/p' "$LOG" | tr '\n' ' ')
  [[ $ran == "$expected " ]] || fail "$*: ran $ran, expected $expected"
  [[ $(grep -c ctest "$LOG") == $(wc -w <<< "$expected") ]] || fail "$*: not a run of tests for each stage"
  [[ $(tail -n 1 "$LOG") == ctest* ]] || fail "$*: does not end with the tests"
}
# refuses WORDS COMMAND...: exit code 2, WORDS on standard error, and nothing is run.
refuses() {
  local words=$1 status=0
  shift
  : > "$LOG"
  "$@" > /dev/null 2> "$work/output" || status=$?
  ((status == 2)) || fail "$*: exit code $status"
  grep -qF -- "$words" "$work/output" || fail "$*: not said: $words"
  [[ ! -s $LOG ]] || fail "$*: ran something"
}

unset CI SLUICE_EVERY_FLOAT
check=$work/check.sh
stages "asan tsan shipped" "$check"
stages shipped "$check" --quick
grep -q "^ctest .* 1$" "$LOG" || fail "the check takes a sample of float32"
stages tsan "$check" --stage tsan
stages "asan tsan" "$check" --stage tsan --stage asan
stages "shipped cuda" "$check" --stage cuda --stage shipped
refuses "not ''" "$check" --stage
refuses "not 'nope'" "$check" --stage nope
refuses "no option '--fast'" "$check" --quick --fast
[[ $("$check" --help) == usage:* ]] || fail "--help says nothing"

stub bin/nvcc true
export CUDACXX=$work/bin/nvcc
stub tests/install/bare_debian.sh '[[ "$*" == "CI=true ./check.sh --stage shipped ./demo.sh" ]]'
stages "asan tsan cuda" "$work/.ci/run"
grep -q "^ctest .* 1$" "$LOG" && fail "CI takes every float32"
stub tests/install/bare_debian.sh 'echo "SKIPPED: planted" >&2; exit 77'
stages "asan tsan shipped" "$work/.ci/run"
grep -qF "SKIPPED: planted" "$work/output" || fail "does not show why it is skipped"
stub tests/install/bare_debian.sh 'echo planted failure; exit 1'
: > "$LOG"
"$work/.ci/run" > "$work/output" 2>&1 && fail "passes though the commands failed in a bare Debian"
grep -qx "planted failure" "$work/output" || fail "does not show what failed in a bare Debian"
grep -q "shipped\|SLUICE_CPU_TESTS" "$LOG" && fail "goes on after a failure"
stub tests/install/bare_debian.sh 'trap "echo stopped >> \"$LOG\"; exit 143" TERM; sleep 60 & wait'
stub bin/ctest 'sleep 0.5; exit 8'
: > "$LOG"
"$work/.ci/run" > "$work/output" 2>&1 && fail "passes though the sanitizers' stage failed"
[[ $(tail -n 1 "$LOG") == stopped ]] || fail "leaves the bare Debian running after a failure"

#!/usr/bin/env bash
# tests/gpu.sh with stubs in place of a GPU, the programs and compute-sanitizer: the report is whole,
# failures and skips are counted and make the exit code, and the time is kept.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v python3 >/dev/null || { echo "SKIPPED: no python3" && exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build=$work/build
mkdir -p "$work/path" "$build/bin" "$work/data/imdb"
touch "$work/data/imdb/train.csv.gz"
stub() { cat >"$1" && chmod +x "$1"; }
fail() { echo "FAILED: $*" >&2 && exit 1; }

stub "$work/path/nvidia-smi" <<'STUB'
#!/bin/sh
echo "Stub GPU, 999.1, 80000 MiB"
STUB
stub "$work/path/compute-sanitizer" <<'STUB'
#!/bin/sh
case "$*" in
  *--version*) echo "Version 1" ;;
  *racecheck*) echo "========= ERROR SUMMARY: 1 error" && exit 9 ;;
  *) echo "========= ERROR SUMMARY: 0 errors" ;;
esac
STUB
# A GoogleTest program with one case that passes, one that skips and, where asked, one that fails.
stub "$build/bin/kernels_stub_test" <<'STUB'
#!/bin/sh
for option; do
  case $option in
    --gtest_list_tests) echo "Suite." && echo "  case/cuda" && exit 0 ;;
    --gtest_output=json:*) out=${option#--gtest_output=json:} ;;
  esac
done
[ -z "$STUB_SLEEPS" ] || sleep "$STUB_SLEEPS"
printf '[ RUN      ] Suite.b/cuda\nfile.cpp:1: Skipped\na reason\n\n[  SKIPPED ] Suite.b/cuda (0 ms)\n'
failure=
[ -z "$STUB_FAILS" ] || failure='{"name": "c/cuda", "result": "COMPLETED", "time": "0s", "failures": [{"failure": "wrong"}]},'
echo '{"testsuites": [{"name": "Suite", "testsuite": ['"$failure"'
  {"name": "a/cuda", "result": "COMPLETED", "time": "0.5s", "error_y": "1e-7"},
  {"name": "b/cuda", "result": "SKIPPED", "time": "0s"}]}]}' >"$out"
[ -z "$STUB_FAILS" ]
STUB
stub "$build/bin/gpu_cudnn_comparison" <<'STUB'
#!/bin/sh
echo '{"case": "one", "result": "passed", "detail": "", "allowed": 1e-5, "errors": {"y": 2e-7, "dx": null}}'
echo '{"case": "two", "result": "passed", "detail": "", "allowed": 1e-5, "errors": {"y": 3e-7}}'
STUB
stub "$build/bin/gpu_repeated_passes" <<'STUB'
#!/bin/sh
echo '{"case": "all", "result": "skipped", "detail": "no device"}'
exit 77
STUB
stub "$build/sluice" <<'STUB'
#!/bin/sh
[ "$1" = info ] && echo '{"version": "0"}' && exit 0
while [ "$1" != --out ]; do shift; done
mkdir -p "$2" && echo weights >"$2/model.safetensors"
echo '{"epoch": 1, "train_loss": 0.5}'
STUB
export PATH=$work/path:$PATH

report=$work/report.json
run() { # expected exit code, options...
  local expected=$1 status=0
  shift
  tests/gpu.sh --build "$build" --report "$report" --data "$work/data" "$@" >"$work/log" 2>&1 || status=$?
  ((status == expected)) || { cat "$work/log" && fail "exit code $status, not $expected"; }
}
whole() {
  python3 tests/gpu/report.py "$report" || fail "the report is not whole"
}
holds() { # a condition on the report r
  python3 -c "import json; r = json.load(open('$report')); assert $1, r" || fail "$1"
}

run 1
whole
holds "r['sections']['tests'] == {'passed': 1, 'failed': 0, 'skipped': 1}"
holds "r['maximal_errors']['cudnn'] == {'y': 3e-7, 'dx': None} and r['maximal_errors']['tests'] == {'y': 1e-7}"
holds "r['sections']['training']['passed'] == 3 and r['sections']['repeat'] == {'passed': 3, 'failed': 0, 'skipped': 1}"
holds "r['sections']['sanitizers'] == {'passed': 3, 'failed': 1, 'skipped': 0}"
holds "r['machine']['gpu'] == 'Stub GPU' and r['machine']['driver'] == '999.1'"
holds "{'reason': 'no device', 'count': 1, 'first': 'repeat all'} in r['skipped']"

holds "{'reason': 'a reason', 'count': 1, 'first': 'tests kernels_stub_test Suite.b/cuda'} in r['skipped']"

run 0 --only cudnn
whole
STUB_FAILS=yes run 1 --only tests
holds "r['sections']['tests'] == {'passed': 1, 'failed': 1, 'skipped': 1}"

SECONDS=0
STUB_SLEEPS=60 run 0 --only tests --seconds 3
((SECONDS < 50)) || fail "three seconds took $SECONDS"
holds "[one['detail'] for one in r['results'] if one['name'] == 'kernels_stub_test'] == ['no time left']"

rm "$work/path/nvidia-smi"
if ! command -v nvidia-smi >/dev/null; then run 77; fi
run 2 --no-such-option
echo "passed"

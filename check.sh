#!/usr/bin/env bash
# Sets up, builds and runs every test: under the address and undefined-behaviour sanitizers, the
# threaded ones under the thread sanitizer too, and last the whole suite as it is shipped.
# --quick leaves the sanitizers out.
set -euo pipefail
cd "$(dirname "$0")"

usage="usage: ./check.sh [--quick]   (--quick: without the sanitizers)"
quick=false
case $#${1-} in
  0) ;;
  1--quick) quick=true ;;
  1--help | 1-h) echo "$usage" && exit 0 ;;
  *) echo "$usage" >&2 && exit 2 ;;
esac
jobs=$(nproc)
step() { echo "== $* (after ${SECONDS} s)"; }

./setup.sh

if ! $quick; then
  step "address and undefined-behaviour sanitizers: build, all tests"
  cmake --preset asan
  cmake --build --preset asan -j "$jobs"
  ctest --preset asan -j "$jobs"

  step "thread sanitizer: build, tests of what runs on threads"
  cmake --preset tsan
  cmake --build --preset tsan -j "$jobs" --target threaded_tests
  ctest --preset tsan -j "$jobs" -L threads
fi

step "as shipped: build with warnings as errors, all tests"
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DSLUICE_WERROR=ON \
  -DSLUICE_BUILD_TESTS=ON -DSLUICE_BUILD_BENCH=ON
cmake --build build -j "$jobs"
ctest --test-dir build --output-on-failure -j "$jobs"

#!/usr/bin/env bash
# Sets up, builds and runs every test: under the address and undefined-behaviour sanitizers, the
# threaded ones under the thread sanitizer too, and last the whole suite as it is shipped.
set -euo pipefail
cd "$(dirname "$0")"

usage="usage: ./check.sh [--quick | --stage NAME...]
  --quick         without the sanitizers: the stage \"shipped\" alone
  --stage NAME    this stage and no other; may be given more than once. In the order they run in:
      asan        what is compiled, under the address and undefined-behaviour sanitizers, on the CPU
      tsan        the threaded tests under the thread sanitizer, on the CPU
      shipped     all tests as shipped, warnings as errors; with CUDA where a toolkit is found
      cuda        what \"shipped\" has with a toolkit and not without, for where it ran without
without either: asan, tsan and shipped"

stages=()
while (($#)); do
  case $1 in
    --quick) stages+=(shipped) ;;
    --stage)
      [[ ${2-} =~ ^(asan|tsan|shipped|cuda)$ ]] ||
        { echo "check.sh: --stage takes asan, tsan, shipped or cuda, not '${2-}'" >&2 && exit 2; }
      stages+=("$2")
      shift
      ;;
    --help | -h) echo "$usage" && exit 0 ;;
    *) echo "check.sh: no option '$1'"$'\n'"$usage" >&2 && exit 2 ;;
  esac
  shift
done
((${#stages[@]})) || stages=(asan tsan shipped)
# The activations at every float32, which takes some four minutes of a processor; in CI at a sample.
[[ ${CI-} ]] || export SLUICE_EVERY_FLOAT=${SLUICE_EVERY_FLOAT-1}
# The CUDA sources on the CPU: in CI under the address sanitizer alone.
imagined_gpu=ON
[[ ${CI-} ]] && imagined_gpu=OFF
jobs=$(nproc)
step() { echo "== $* (after ${SECONDS} s)"; }
# runs STAGE: whether it was asked for
runs() { [[ " ${stages[*]} " == *" $1 "* ]]; }

./setup.sh

if runs asan; then
  step "asan: address and undefined-behaviour sanitizers: build, tests of what is compiled"
  cmake --preset asan
  cmake --build --preset asan -j "$jobs"
  ctest --preset asan -j "$jobs"
fi

if runs tsan; then
  step "tsan: thread sanitizer: build, tests of what runs on threads"
  cmake --preset tsan
  cmake --build --preset tsan -j "$jobs" --target threaded_tests
  ctest --preset tsan -j "$jobs" -L threads
fi

# as_shipped OPTION...: the project's defaults, with what CMake is told beside.
as_shipped() {
  cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DSLUICE_WERROR=ON \
    -DSLUICE_BUILD_TESTS=ON -DSLUICE_BUILD_BENCH=ON -DSLUICE_IMAGINED_GPU=$imagined_gpu "$@"
  cmake --build build -j "$jobs"
  ctest --test-dir build --output-on-failure -j "$jobs"
}

if runs shipped; then
  step "shipped: build with warnings as errors, all tests"
  as_shipped -DSLUICE_CUDA="${SLUICE_CUDA-AUTO}" -DSLUICE_CPU_TESTS=ON  # demo.sh may have said OFF
fi

if runs cuda; then
  step "cuda: build with warnings as errors, tests but those that are the same without CUDA"
  as_shipped -DSLUICE_CUDA=ON -DSLUICE_CPU_TESTS=OFF
fi

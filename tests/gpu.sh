#!/usr/bin/env bash
# Runs on a machine with an NVIDIA GPU what other machines cannot: every test that is parameterised by
# device, the sanitizers of the CUDA toolkit, repetition bit for bit, and training against the CPU.
# Writes one JSON report, prints what it skipped and why, and ends within --seconds.
#
#   tests/gpu.sh [--build DIR] [--report FILE] [--data DIR] [--seconds N]
#
# DIR (default build) holds a build with the CUDA backend, made here or elsewhere; if it has none and
# there is a compiler, it is built first. --data names a folder with an aclImdb folder in it, for the
# IMDB recipe. The report goes to tests/gpu-reports/<time>-<gpu>.json unless --report says otherwise.
# Exit codes: 0 all passed; 1 something failed; 2 wrong usage; 77 no GPU.
set -uo pipefail
cd "$(dirname "$0")/.."

build=build report="" data="" seconds=480
while (($#)); do
  case $1 in
    --build) build=$2 ;;
    --report) report=$2 ;;
    --data) data=$2 ;;
    --seconds) seconds=$2 ;;
    *) sed -n '2,12p' "$0" >&2 && exit 2 ;;
  esac
  shift 2 || exit 2
done

if ! gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -1) || [[ -z $gpu ]]; then
  echo "SKIPPED: nvidia-smi finds no GPU"
  exit 77
fi
if [[ ! -x $build/bin/kernels_cell_step_test ]]; then
  echo "== Build, since $build holds no tests"
  cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DSLUICE_CUDA=ON -DSLUICE_BUILD_TESTS=ON &&
    cmake --build "$build" -j "$(nproc)" || exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
entries=() failures=0 skipped=0

quote() { # a JSON string
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  printf '"%s"' "$(tr '\n\t\r' '   ' <<<"$text" | sed 's/ *$//')"
}
record() { # kind name result detail
  entries+=("{\"kind\": $(quote "$1"), \"name\": $(quote "$2"), \"result\": $(quote "$3"), \"detail\": $(quote "${4:-}")}")
  printf '%-8s %s %s%s\n' "$3" "$1" "$2" "${4:+: $4}"
  [[ $3 == failed ]] && ((++failures))
  [[ $3 == skipped ]] && ((++skipped))
  return 0
}
time_left() { ((SECONDS < seconds)); }
limit() { echo $((seconds > SECONDS ? seconds - SECONDS : 1)); }

# A test program's cases for CUDA. Its own JSON goes into the report.
run_tests() { # name, then a command to put in front
  local name=$1 status
  shift
  timeout "$(limit)" "$@" "$build/bin/$name" --gtest_filter='*cuda*' \
    --gtest_output="json:$work/$name.json" >"$work/$name.log" 2>&1
  status=$?
  if ((status == 124)); then
    record "test" "$name" skipped "no time left"
  elif ((status != 0)); then
    record "test" "$name" failed "exit code $status: $(grep -m3 -A4 Failure "$work/$name.log" | head -12)"
  else
    record "test" "$name" passed "$(grep -oE 'PASSED *\] [0-9]+ tests' "$work/$name.log" | tail -1)"
  fi
}

echo "== Tests on $gpu"
for program in "$build"/bin/{kernels,engine,host}_*_test; do
  [[ -x $program ]] || continue
  name=$(basename "$program")
  "$program" --gtest_list_tests --gtest_filter='*cuda*' 2>/dev/null | grep cuda >/dev/null && run_tests "$name"
done

echo "== The toolkit's sanitizers"
sanitizer=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
for tool in memcheck racecheck initcheck synccheck; do
  if [[ ! -x $sanitizer ]]; then
    record sanitizer "$tool" skipped "compute-sanitizer is not installed"
    continue
  fi
  for name in kernels_cell_step_test kernels_norm_test kernels_loss_test kernels_bias_test \
    kernels_optimizer_test kernels_embedding_test kernels_pooling_test; do
    if ! time_left || [[ ! -x $build/bin/$name ]]; then
      record sanitizer "$tool $name" skipped "no time left, or not built"
      continue
    fi
    if timeout "$(limit)" "$sanitizer" --tool "$tool" --error-exitcode 9 "$build/bin/$name" \
      --gtest_filter='*cuda*' >"$work/$tool.log" 2>&1; then
      record sanitizer "$tool $name" passed
    else
      record sanitizer "$tool $name" failed "$(grep -m3 '=========' "$work/$tool.log")"
    fi
  done
done

# Trains on built-in reviews or data; prints the last epoch's line.
train() { # folder device seed more...
  local folder=$1 device=$2 seed=$3
  shift 3
  timeout "$(limit)" "$build/sluice" train --out "$folder" --device "$device" --seed "$seed" --json "$@" \
    2>"$folder.log" | grep train_loss | tail -1
}
loss_of() { grep -oE '"train_loss": ?[0-9.eE+-]+' <<<"$1" | grep -oE '[0-9.eE+-]+$'; }

echo "== The same bits, 20 times"
for cell in lstm gru rnn; do
  small=(--cell "$cell" --count 512 --epochs 1 --hidden 32 --embed 32 --batch 32 --dropout 0.2)
  declare -A sums=()
  for run in $(seq 20); do
    time_left || break
    train "$work/$cell-$run" cuda 1 "${small[@]}" >/dev/null
    sum=$(cat "$work/$cell-$run"/*.safetensors 2>/dev/null | sha256sum)
    sums[$sum]=1
  done
  empty=$(sha256sum </dev/null)
  if ! time_left; then
    record repeat "$cell" skipped "no time left"
  elif ((${#sums[@]} == 1)) && [[ -z ${sums[$empty]:-} ]]; then
    record repeat "$cell" passed "20 runs, one set of weights"
  else
    record repeat "$cell" failed "${#sums[@]} different sets of weights: $(tail -1 "$work/$cell-1.log")"
  fi
  unset sums
done

# Single precision, and sums in another order: a few steps agree closely, hundreds less so.
compare_with_cpu() { # name, allowed relative difference, then options
  local name=$1 allowed=$2 on_gpu on_cpu
  shift 2
  if ! time_left; then
    record training "$name" skipped "no time left"
    return
  fi
  on_gpu=$(train "$work/$name-cuda" cuda 1 "$@")
  on_cpu=$(train "$work/$name-cpu" cpu 1 "$@")
  local a b
  a=$(loss_of "$on_gpu") b=$(loss_of "$on_cpu")
  if [[ -z $a || -z $b ]]; then
    record training "$name" failed "$(tail -1 "$work/$name-cuda.log") $(tail -1 "$work/$name-cpu.log")"
  elif awk -v a="$a" -v b="$b" -v most="$allowed" \
    'BEGIN { d = a > b ? a - b : b - a; exit !(d <= most * b) }'; then
    record training "$name" passed "loss $a on the GPU, $b on the CPU"
  else
    record training "$name" failed "loss $a on the GPU, $b on the CPU: more than $allowed apart"
  fi
}

echo "== Training, beside the CPU"
compare_with_cpu first-steps 1e-3 --count 640 --epochs 1 --batch 64
compare_with_cpu demo 0.05 --count 8000 --epochs 2 --lr 0.003
if [[ -n $data && -d $data/aclImdb ]]; then
  compare_with_cpu imdb 0.02 --data "$data/aclImdb/train" --epochs 1 --max-length 100 --hidden 64
else
  record training imdb skipped "no --data DIR with an aclImdb folder in it"
fi
record cudnn "forward and gradients of every cell" skipped "not compared yet; the golden tensors are PyTorch's"

# --- The report -----------------------------------------------------------------------------------
[[ -n $report ]] ||
  report="tests/gpu-reports/$(date -u +%Y%m%dT%H%M%SZ)-$(tr -c '[:alnum:]\n' '-' <<<"$gpu").json"
mkdir -p "$(dirname "$report")"
{
  printf '{\n  "time": %s,\n' "$(quote "$(date -u +%FT%TZ)")"
  printf '  "gpu": %s,\n' "$(quote "$gpu")"
  printf '  "driver": %s,\n' \
    "$(quote "$(nvidia-smi --query-gpu=driver_version --format=csv,noheader | head -1)")"
  printf '  "cpu": %s,\n' "$(quote "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)")"
  printf '  "sluice": %s,\n' "$(quote "$("$build/sluice" info 2>&1)")"
  printf '  "commit": %s,\n' "$(quote "$(git rev-parse HEAD 2>/dev/null)")"
  printf '  "seconds": %d, "failed": %d, "skipped": %d,\n' "$SECONDS" "$failures" "$skipped"
  printf '  "results": [\n'
  for i in "${!entries[@]}"; do
    printf '    %s%s\n' "${entries[$i]}" "$( ((i + 1 < ${#entries[@]})) && echo ,)"
  done
  printf '  ],\n  "tests": {\n'
  comma=""
  for json in "$work"/*_test.json; do
    [[ -s $json ]] || continue
    printf '%s    %s: ' "$comma" "$(quote "$(basename "$json" .json)")"
    cat "$json"
    comma=$',\n'
  done
  printf '\n  }\n}\n'
} >"$report"
echo
echo "$failures failed, $skipped skipped, ${SECONDS} s; report: $report"
((failures == 0))

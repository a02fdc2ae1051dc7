#!/usr/bin/env bash
# Trains small models with the command, on the CPU's kernels and on the CUDA kernels run on the CPU:
# the losses must agree, and CUDA's must be the same in another order of threads. Streams run as late
# as they may, so that what does not wait for another's work shows.
set -euo pipefail
sluice=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CUDA_ON_CPU_STREAMS=late

loss() { # device, then options: the training loss of the last epoch
  local device=$1
  shift
  "$sluice" train --out "$work/run" --device "$device" --seed 3 --json --epochs 2 --count 64 \
    --batch 16 --embed 7 --hidden 9 --max-length 24 "$@" >"$work/out" 2>"$work/log" ||
    { cat "$work/log" >&2; return 1; }
  rm -rf "$work/run"
  sed -nE 's/.*"train_loss": ?([0-9.eE+-]+).*/\1/p' "$work/out" | tail -1
}

failures=0
check() { # name, then options
  local name=$1 on_cpu on_cuda reversed
  shift
  on_cpu=$(loss cpu "$@")
  on_cuda=$(loss cuda "$@")
  reversed=$(CUDA_ON_CPU_ORDER=reverse loss cuda "$@")
  echo "$name: CPU $on_cpu, CUDA $on_cuda, in reverse order $reversed"
  [[ -n $on_cuda && $on_cuda == "$reversed" ]] || { echo "FAILED: the orders differ"; failures=1; }
  awk -v a="$on_cpu" -v b="$on_cuda" 'BEGIN { d = a - b; exit !(a > 0 && d * d <= 1e-8 * a * a) }' ||
    { echo "FAILED: the devices differ"; failures=1; }
}

check lstm --cell lstm --dropout 0.2 --clip-norm 1
check bidirectional-gru --cell gru --layers 2 --bidirectional --pool max --recurrent-dropout 0.2
check rnn --cell rnn --pool mean --optimizer sgd --momentum 0.9 --clip-value 0.1

# Steps as graphs give the bits of steps without: where every batch is alike, so that graphs are
# launched again as they are, and where none is, so that they take other arguments. A graph runs its
# nodes from the last one that may run.
same_as_without_graphs() { # name, then options
  local name=$1 with without
  shift
  weights() {
    "$sluice" train --out "$work/run" --device cuda --seed 3 --epochs 2 --count 96 --batch 8 --embed 5 --hidden 6 \
      --max-length 12 --dropout 0.2 --clip-norm 1 "$@" >/dev/null 2>"$work/log" || cat "$work/log" >&2
    grep "without CUDA graphs" "$work/log" >&2 && failures=1
    sha256sum <"$work/run/model.safetensors"
    rm -rf "$work/run"
  }
  CUDA_ON_CPU_ORDER=reverse weights "$@" >"$work/with"
  weights "$@" --no-graph >"$work/without"
  with=$(cut -d' ' -f1 "$work/with") without=$(cut -d' ' -f1 "$work/without")
  echo "$name: with graphs $with, without $without"
  [[ -n $with && $with == "$without" ]] || { echo "FAILED: graphs change the weights"; failures=1; }
}
same_as_without_graphs equal-lengths --padding pre
same_as_without_graphs ragged
same_as_without_graphs stacked --layers 3 --cell gru_reset_before  # stepwise, where chunks soon pay
same_as_without_graphs loss-scaling --padding pre --dtype float16

# A training whose steps cannot be recorded says so once, and goes on with the same bits.
train_briefly() {
  "$sluice" train --out "$work/run" --device cuda --seed 3 --epochs 1 --count 96 --batch 8 --embed 5 --hidden 6 \
    --max-length 12 --padding pre "$@" >/dev/null 2>"$work/log" || cat "$work/log" >&2
  sha256sum <"$work/run/model.safetensors"
  rm -rf "$work/run"
}
with=$(train_briefly)
without=$(CUDA_ON_CPU_CAPTURES=lost train_briefly)
notes=$(grep -c "run without CUDA graphs, since one could not be recorded: recording a graph failed" "$work/log" || true)
echo "recordings that fail: $notes note, weights ${without%% *}"
[[ $notes == 1 ]] || { echo "FAILED: $notes notes on recordings that failed"; failures=1; }
[[ -n $with && $with == "$without" ]] || { echo "FAILED: recordings that fail change the weights"; failures=1; }
check reset-before --cell gru_reset_before --recurrent-dropout 0.1 --optimizer rmsprop
check bfloat16 --dtype bfloat16 --cell gru --recurrent-dropout 0.2
check float16 --dtype float16 --clip-norm 1
check tf32 --tf32
exit $failures

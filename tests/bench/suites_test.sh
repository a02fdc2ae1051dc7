#!/usr/bin/env bash
# suites_test.sh SLUICE_BENCH FOLDER: one shape of each suite runs, and is in the results.
set -euo pipefail
bench=$1 folder=$2
rm -rf "$folder"
mkdir -p "$folder"
suites=(deepbench-train deepbench-infer imdb features kernels scaling memory figures)
filter='^(deepbench-train/(lstm|gru)/T100/B1/I64|deepbench-infer/rnn_tanh/T100/B16/I64|imdb/gru/bucketed'
filter+='|features/(ragged_inference|gru_reset_before)$|kernels/(gemm_step|adam)|scaling/H/gru'
filter+='|memory/(lstm|gru)/T(50|100)/|figures/(pytorch/gru|packed/lstm|limit/.*/I8/|deepbench/.*/B1/))'

"$bench" --small --device cpu --threads 1 --cache 4 --peers onednn,sluice:stepwise,cudnn:standard --min-time 0.0005 --repeat 3 --filter "$filter" \
  --out "$folder/run.json" --csv "$folder/run.csv" > "$folder/table.txt" 2> "$folder/progress.txt" ||
  { cat "$folder/progress.txt" && exit 1; }
cat "$folder/table.txt"
for suite in "${suites[@]}"; do
  grep -q "^$suite/" "$folder/table.txt" || { echo "the table has no case of $suite" && exit 1; }
  grep -q ",$suite/" "$folder/run.csv" || { echo "the CSV has no case of $suite" && exit 1; }
  "$bench" --list --small --device cpu --suite "$suite" | grep -q "^$suite/" ||
    { echo "--list has no case of $suite" && exit 1; }
done
for line in 'deepbench-train, onednn / sluice: geometric mean' 'features, cost against the plain layer' \
  'memory, lstm, sluice' 'figure, PyTorch, same type: at least 3x, aim 6x, not measured'; do
  grep -q "^$line" "$folder/table.txt" || { echo "the table does not say '$line'" && exit 1; }
done
grep -q '^not measured: cudnn:standard: runs on a CUDA device alone\|^not measured: cudnn:standard: this build' \
  "$folder/table.txt" ||
  { echo "the absent cuDNN is not listed" && exit 1; }
if grep 'not measured.*differs' "$folder/table.txt"; then
  echo "an implementation computed something else" && exit 1
fi

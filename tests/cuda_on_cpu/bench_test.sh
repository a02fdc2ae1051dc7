#!/usr/bin/env bash
# sluice-bench on the imagined GPU: the standard algorithm of the imagined cuDNN, and the engine's own
# use of it, are compared with Sluice and timed in every number type.
# bench_test.sh PATH-TO-SLUICE-BENCH
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for type in float32 tf32 bfloat16 float16; do
  "$1" --device cuda --small --dtype "$type" --suite deepbench-infer --filter '^deepbench-infer/lstm/T100/B1/I64/H64/' \
    --cache 1 --min-time 0.000001 --repeat 1 \
    --peers cudnn:standard,cudnn:persist_static,sluice:cudnn --out "$folder/$type.json" > "$folder/table" 2>&1 ||
    { cat "$folder/table" && exit 1; }
  for peer in cudnn:standard cudnn:persist_static sluice:cudnn; do
    python3 - "$folder/$type.json" "$peer" <<'PYTHON'
import json
import sys
name = sys.argv[2] + "_median"
medians = [one for one in json.load(open(sys.argv[1]))["benchmarks"] if one["name"].endswith("/" + name)]
assert len(medians) == 1 and medians[0]["difference"] >= 0, f"{sys.argv[1]}: {name}: {medians}"
PYTHON
  done
  grep -q '"graph": true' "$folder/$type.json" || { echo "$type: no pass was launched as a graph"; exit 1; }
done

#!/usr/bin/env bash
# A case that breaks the device's context, wherever it does: what was measured before is in the file, the
# case is failed, the program ends with 3, and another process measures the rest into the same file.
# broken_context_test.sh PATH-TO-SLUICE-BENCH PATH-TO-REPEATED-PASSES
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 - "$1" "$2" "$folder" <<'PYTHON'
import json
import os
import pathlib
import subprocess
import sys

bench, repeated, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])


def run(command, break_at=None, stdin=None):
    environment = {**os.environ, **({"CUDA_ON_CPU_BREAK_AT": str(break_at)} if break_at else {})}
    return subprocess.run(command, env=environment, input=stdin, capture_output=True, text=True, check=False)


def medians(path):
    return {one["case"] for one in json.loads(path.read_text())["benchmarks"]
            if one.get("aggregate_name") == "median" and one["implementation"] == "sluice"}


# --- sluice-bench: two shapes, broken at a later and later launch, until none is left to break ---
common = [bench, "--device", "cuda", "--cache", "1", "--min-time", "0.000001", "--repeat", "2", "--algorithm",
          "stepwise", "--peers", "sluice:persistent_block", "--shape", "lstm,T3,B2,H8,inference", "--shape",
          "gru,T3,B2,H8,inference"]
names = run([*common, "--list"]).stdout.split()
seen, launch = set(), 1
while True:
    out = folder / f"{launch}.json"
    done = run([*common, "--out", str(out)], launch)
    if done.returncode == 0:
        break
    assert done.returncode == 3, (launch, done)
    finished = [name for i, name in enumerate(names) if f"[{i + 1}/2] {name} done\n" in done.stderr]
    assert "broke the device's context: cudaErrorIllegalAddress" in done.stderr, (launch, done.stderr)
    broken = names[len(finished)]
    entries = json.loads(out.read_text())["benchmarks"]
    errors = {one["case"] for one in entries if one.get("error_occurred")}
    assert set(finished) <= medians(out) and errors == {broken}, (launch, finished, errors)
    assert names[-1] in finished + [broken] or names[-1] not in {one.get("case") for one in entries}
    seen.add((len(finished), broken in medians(out)))
    left = [name for name in names if name not in finished]
    rest = run([*common, "--out", str(out), "--append", "--cases", "-"], stdin="\n".join(left))
    assert rest.returncode == 0 and medians(out) == set(names), (launch, rest)
    assert not [one for one in json.loads(out.read_text())["benchmarks"] if one.get("error_occurred")], launch
    launch += 1 + launch // 3  # half of the launches, about, are the second shape's
    assert launch < 1 << 20
assert {0, 1} <= {finished for finished, _ in seen}, f"no launch broke the second case alone: {seen}"

# --- A JSON-lines program ---
cases = run([repeated, "--few", "--list"]).stdout.split()[:3]
command = [repeated, "--few", "--times", "2", "--cases", "-"]
for launch in (1, 20, 60):
    done = run(command, launch, "\n".join(cases))
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode == 0:
        assert launch > 1, "the first launch broke nothing"
        continue
    last = lines[-1]
    assert done.returncode == 3 and last["broken"] is True and last["result"] == "failed" and last["end"], (launch, last)
    assert all(line["result"] == "passed" for line in lines[:-1] if "case" in line), lines
    assert lines[-2] == {"begin": last["case"]}, lines
PYTHON

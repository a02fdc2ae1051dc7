"""schema_test.py BENCH RESULTS SLUICE_BENCH: results follow Google Benchmark's JSON schema."""
import csv
import json
import math
import pathlib
import statistics
import subprocess
import sys

_, results, command = map(pathlib.Path, sys.argv[1:])
document = json.loads((results / "run.json").read_text())

context = document["context"]
for key, kind in {"date": str, "host_name": str, "executable": str, "num_cpus": int, "mhz_per_cpu": int,
                  "cpu_scaling_enabled": bool, "caches": list, "load_avg": list, "library_build_type": str,
                  "machine": str, "sluice_version": str, "tf32": str, "peers": dict, "limits": dict}.items():
    assert isinstance(context[key], kind), f"context.{key}: {context.get(key)!r}"
assert set(context["clocks"]) == {"before", "after"}, context["clocks"]
for cache in context["caches"]:
    assert set(cache) == {"type", "level", "size", "num_sharing"}, cache

names = {}
for entry in document["benchmarks"]:
    for key, kind in {"name": str, "run_name": str, "family_index": int, "per_family_instance_index": int,
                      "repetitions": int, "threads": int, "iterations": int, "real_time": float,
                      "cpu_time": float, "time_unit": str}.items():
        assert isinstance(entry[key], kind), f"{entry['name']}: {key}: {entry.get(key)!r}"
    names.setdefault(entry["run_name"], []).append(entry)
    if entry["run_type"] == "aggregate":
        assert entry["name"] == f"{entry['run_name']}_{entry['aggregate_name']}", entry["name"]
        assert entry["aggregate_unit"] == ("percentage" if entry["aggregate_name"] == "cv" else "time")
    else:
        assert entry["run_type"] == "iteration" and isinstance(entry["repetition_index"], int)
for name, entries in names.items():
    if any(entry.get("error_occurred") for entry in entries):
        assert len(entries) == 1 and entries[0]["error_message"], name
        continue
    repetitions = [entry["real_time"] for entry in entries if entry["run_type"] == "iteration"]
    found = {entry["aggregate_name"]: entry for entry in entries if entry["run_type"] == "aggregate"}
    assert set(found) == {"mean", "median", "stddev", "cv", "p10", "p90"}, f"{name}: {set(found)}"
    assert len(repetitions) == entries[0]["repetitions"] == 3, name
    median = statistics.median(repetitions)
    assert math.isclose(found["median"]["real_time"], median, rel_tol=1e-9), name
    assert found["p10"]["real_time"] <= median <= found["p90"]["real_time"], name
    assert all(time > 0 for time in repetitions), name
    for key in ("suite", "case", "implementation"):
        assert name.startswith(found["median"][key]) or key == "implementation" and name.endswith(
            found["median"][key]), name

trained = [entry for entry in document["benchmarks"]
           if entry.get("suite") == "deepbench-train" and entry.get("implementation") == "onednn"]
assert trained and all(entry["difference"] < 1e-4 for entry in trained), "oneDNN's outputs were not compared"
own = [entry for entry in document["benchmarks"]
       if entry.get("suite") == "deepbench-train" and entry.get("implementation") == "sluice"]
for entry in own:
    assert 0 <= entry["us_without_input_product"] < entry["real_time"] * 1.01
    assert entry["percent_of_limit"] > 0 and entry["bytes"] > 0 and entry["algorithm"]

steps = [entry for entry in document["benchmarks"] if entry.get("pass") == "training step"]
assert steps and all(entry["lengths"] == "made up" for entry in steps), "whose reviews they were is not said"

with open(results / "run.csv", newline="", encoding="utf-8") as file:
    rows = list(csv.DictReader(file))
medians = [entry for entry in document["benchmarks"] if "case" in entry]
assert [row["name"] for row in rows] == [entry["name"] for entry in medians]

again = results / "again.json"
subprocess.run([command, "--read", results / "run.json", "--out", again], check=True, stdout=subprocess.PIPE)
assert json.loads(again.read_text()) == document, "--read and --out change the results"

# Of two files, the second one's benchmarks join those of the first.
other = results / "other.json"
joined = results / "joined.json"
theirs = [{**entry, "name": entry["name"].replace("onednn", "another"), "implementation": "another"}
          for entry in trained]
other.write_text(json.dumps({"context": {"peers": {"another": "1.0"}}, "benchmarks": theirs}))
table = subprocess.run([command, "--read", f"{results / 'run.json'},{other}", "--out", joined], check=True,
                       stdout=subprocess.PIPE, text=True).stdout
assert "deepbench-train, another / sluice: geometric mean" in table, table
merged = json.loads(joined.read_text())
assert merged["context"]["peers"]["another"] == "1.0"
assert len(merged["benchmarks"]) == len(document["benchmarks"]) + len(theirs)

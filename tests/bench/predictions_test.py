"""predictions_test.py PREDICTIONS FOLDER PREDICTIONS_MD: estimates by GPU, beside likely times and measurements."""
import json
import pathlib
import subprocess
import sys

predictions, folder, kept = map(pathlib.Path, sys.argv[1:])
folder.mkdir(parents=True, exist_ok=True)


def run(*arguments, expected=0):
    done = subprocess.run([predictions, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == expected, (arguments, done)
    return done.stderr if expected else done.stdout


def entry(time, suite="figures", **fields):
    return {"name": "x_median", "aggregate_name": "median", "suite": suite, "case": f"{suite}/x",
            "implementation": "sluice", "real_time": time, **fields}


def result_file(name, entries, machine="A made-up GPU", device="cuda:0"):
    path = folder / name
    path.write_text(json.dumps({"context": {"device": device, "machine": machine, "date": "2026-01-01"},
                                "benchmarks": entries}))
    return path


plain = run()
assert plain.startswith("# Estimates for an NVIDIA H200\n") and "waits for one" in plain, plain
assert "estimate" in plain.split("|")[0] and "an audit of the machine code, November 2026" in plain
rows = [line for line in plain.splitlines() if line.startswith("| ")]
likely = {row.split(" | ")[0].strip("| "): row.split(" | ")[4] for row in rows
          if row.split(" | ")[1] == "bfloat16" and row.split(" | ")[4] != "-"}
assert likely == {"lstm H 512, I 512, B 64, T 512": "0.55 / 1.2", "lstm H 768, I 768, B 16, T 1024": "1.9-2.3 / 2.8-3.3",
                  "lstm H 2048, I 2048, B 64, T 25": "0.35-0.45 / ?", "gru H 2816, I 2816, B 32, T 1500": "22 / ?",
                  "gru H 1024, I 1024, B 32, T 1500": "3.5-4 / 6",
                  "lstm H 64, I 128, B 256, T 400": "0.35-0.5 / 0.35-0.45"}, likely

# What is kept is what the program prints, whatever was measured since: but for the last column and its origin.
def without_measurements(text):
    lines = [line for line in text.splitlines() if not line.startswith(("None of these", "The last column"))]
    return [line.rsplit(" | ", 1)[0] if line.startswith("| ") else line for line in lines]


assert without_measurements(kept.read_text()) == without_measurements(plain), \
    "bench/predictions.md is not what build/bin/predictions prints: write it anew"

# Rows as objects hold the same numbers.
objects = [json.loads(line) for line in run("--json").splitlines()]
assert len(objects) == len([row for row in rows if " / " in row]) == 36, len(objects)
first = objects[0]
assert [first[key] for key in ("gpu", "cell", "T", "B", "I", "H", "dtype", "algorithm")] == \
    ["NVIDIA H200", "lstm", 512, 64, 512, 512, "bfloat16", "persistent_cluster"], first
assert first["likely"] == [[0.55, 0.55], [1.2, 1.2]] and first["measured"] is None, first
for column, key in ((3, "predicted"), (5, "limit"), (6, "stepwise"), (7, "cudnn")):
    for row, each in zip((row for row in rows if " / " in row), objects):
        assert row.split(" | ")[column] == "{:.3f} / {:.3f}".format(*each[key]), (row, key, each[key])

# By GPU: an H100 has less bandwidth, so that nothing is expected to be faster on it.
h100 = [json.loads(line) for line in run("--gpu", "h100", "--json").splitlines()]
assert {each["gpu"] for each in h100} == {"NVIDIA H100"}
assert all(a["limit"][0] >= b["limit"][0] for a, b in zip(h100, objects)) and h100 != objects
assert run("--gpu", "H200") == plain
assert "h200,h100" in run("--gpu", "a100", expected=2).replace(" ", "")

# Measurements of one or more files; another algorithm than the predicted one is named.
shape = {"cell": "lstm", "dtype": "bfloat16", "T": 512, "B": 64, "I": 512, "H": 512, "L": 1, "D": 1}
forward = result_file("forward.json", [entry(500.0, **shape, **{"pass": "inference", "algorithm": "stepwise"}),
                                       entry(7.0, **shape, lengths=[512], **{"pass": "inference"})])
training = result_file("training.json", [entry(1250.0, "shape", **shape, **{"pass": "training", "algorithm": "stepwise"})])
written = run("--measured", forward, training)
assert "measured on A made-up GPU, 2026-01-01" in written and len(written.splitlines()) == len(plain.splitlines()), written
filled = [line for line in written.splitlines() if line.endswith("| 0.500 / 0.750 (`stepwise`) |")]
assert len(filled) == 1 and filled[0].startswith("| lstm H 512, I 512, B 64, T 512 | bfloat16 |"), written
measured = json.loads(run("--json", "--measured", forward, training).splitlines()[0])
assert measured["measured"] == [0.5, 0.75] and measured["measured_algorithm"] == "stepwise", measured
assert run("--measured", forward) == plain.replace(*[
    next(line for line in text.splitlines() if line.startswith(("None of these", "The last column")))
    for text in (plain, written)]), "a forward pass alone is no measurement of both"

# The card is that of the file, and may not be another.
h100_file = result_file("h100.json", [], "NVIDIA H100 80GB HBM3 (cuda:0)")
assert run("--measured", h100_file).startswith("# Estimates for an NVIDIA H100\n")
assert "expected h100" in run("--gpu", "h200", "--measured", h100_file, expected=2)
assert "another file on A made-up GPU" in run("--measured", forward, h100_file, expected=2)
on_cpu = result_file("cpu.json", [], device="cpu")
assert "--measured" in run("--measured", on_cpu, expected=2)
assert "/no/such.json" in run("--measured", "/no/such.json", expected=2)

"""compare_test.py BENCH RESULTS SLUICE_BENCH: bench/compare tells changes from noise."""
import json
import pathlib
import subprocess
import sys

bench, results, _ = map(pathlib.Path, sys.argv[1:])


def result_file(name, factor, noise=0.01, repetitions=10):
    entries = [{"name": f"suite/{case}/sluice", "run_type": "iteration",
                "real_time": 100.0 * (factor if case == "a" else 1.0) * (1 + noise * (i * 7 % 10 - 4.5) / 4.5)}
               for case in ("a", "b") for i in range(repetitions)]
    path = results / f"{name}.json"
    path.write_text(json.dumps({"context": {"machine": "m"}, "benchmarks": entries}))
    return path


def compare(before, after, *options):
    done = subprocess.run([bench / "compare", before, after, *options], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


base = result_file("base", 1.0)
status, said, _ = compare(base, base)
assert status == 0 and "0 slower, 0 faster, 2 within the noise" in said, said
status, said, _ = compare(base, result_file("slower", 1.1))
assert status == 1 and "SLOWER suite/a/sluice" in said and "suite/b" not in said, said
status, said, _ = compare(base, result_file("faster", 0.8))
assert status == 0 and "faster suite/a/sluice" in said, said
status, said, _ = compare(base, result_file("little", 1.02))
assert status == 0 and "0 slower" in said, said  # real, but below the threshold
status, said, _ = compare(result_file("loud", 1.0, 0.5), result_file("loud_slower", 1.1, 0.5))
assert status == 0 and "0 slower" in said, said  # large, but lost in the noise
status, said, _ = compare(result_file("few", 1.0, 0.01, 3), result_file("few_slower", 1.2, 0.01, 3))
assert status == 1 and "SLOWER suite/a" in said, said
other = json.loads(base.read_text())
other["context"]["machine"] = "n"
moved = results / "moved.json"
moved.write_text(json.dumps(other))
assert "warning: machine differs" in compare(base, moved)[1]
status, _, said = compare(base, results / "missing.json")
assert status == 2 and "missing.json" in said, said
status, said, _ = compare(results / "run.json", results / "run.json", "--all")
assert status == 0 and "deepbench-train/" in said, said

"""figures_test.py SLUICE_BENCH FOLDER: what is said of the figures, from made-up times.

Every number below is chosen; a ratio is an opponent's time over Sluice's, of the limit Sluice's over it.
"""
import json
import math
import pathlib
import subprocess
import sys

command, folder = map(pathlib.Path, sys.argv[1:])
folder.mkdir(parents=True, exist_ok=True)
benchmarks = []


def add(case, implementation, time, spread=0.0, **fields):
    benchmarks.append({"name": f"{case}/{implementation}_median", "run_name": f"{case}/{implementation}",
                       "run_type": "aggregate", "aggregate_name": "median", "suite": "figures", "case": case,
                       "implementation": implementation, "real_time": time, "cpu_time": time, "time_unit": "us",
                       "p10": time * (1 - spread), "p90": time * (1 + spread), **fields})


def refuse(case, implementation, **fields):
    benchmarks.append({"name": f"{case}/{implementation}", "run_name": f"{case}/{implementation}",
                       "run_type": "iteration", "suite": "figures", "case": case, "implementation": implementation,
                       "error_occurred": True, "error_message": "refused", "real_time": 0.0, **fields})


def figure(name, opponents, at_least=None, aim=None, **more):
    bounds = {"at_least": at_least, "aim": aim}
    return {"figure": name, "opponents": opponents, **{k: v for k, v in bounds.items() if v}, **more}


def compare(name, ratios, bounds, opponents=("pytorch",), **more):
    """Sluice takes 10 us a shape, the opponent `ratio` times that; None: it was not measured."""
    for i, ratio in enumerate(ratios):
        add(f"figures/{name}/{i}", "sluice", 10.0, **figure(name, list(opponents), *bounds), **more)
        if ratio is None:
            refuse(f"figures/{name}/{i}", opponents[0])
        else:
            add(f"figures/{name}/{i}", opponents[0], 10.0 * ratio, **more)


compare("aimed", [6.0, 13.5], (3, 6))
compare("reached", [3.0, 12.0], (3, 6))
compare("on average", [2.0, 8.0], (3, 6))
compare("missed", [1.0, 4.0], (3, 6))
compare("partly", [4.0, None], (3, 6))
compare("absent", [None, None], (3, 6))
compare("only stated", [0.5, 2.0], (None, None))
# Of several opponents the fastest counts, and no other.
add("figures/best/0", "sluice", 10.0, **figure("best", ["cudnn:a", "cudnn:b"], 1.2, 1.8))
for implementation, time in (("cudnn:a", 30.0), ("cudnn:b", 13.0), ("cudnn:c", 1.0), ("pytorch", 2.0)):
    add("figures/best/0", implementation, time)
# 4 % below, the two ranges being 3 % each: within noise, which not every figure allows for.
compare("noisy", [0.96], (1.0, None), within_noise=True, spread=0.03)
compare("quiet", [0.96], (1.0, None), within_noise=True, spread=0.01)
compare("strict", [0.96], (1.0, None), spread=0.03)
# The limit: at most so many times it, of two algorithms alone.
for i, (time, algorithm) in enumerate(((15.0, "persistent_block"), (24.0, "persistent_cluster"), (90.0, "stepwise"))):
    add(f"figures/limit/{i}", "sluice", time, algorithm=algorithm, limit_us=10.0, **figure("limit", ["limit"], 2.5, 1.6))
add("figures/slow/0", "sluice", 26.0, algorithm="persistent_block", limit_us=10.0, **figure("slow", ["limit"], 2.5, 1.6))

context = {"device": "cuda:0", "machine": "A made-up GPU", "date": "2026-01-01"}
made, read = folder / "made_up.json", folder / "figures.json"
made.write_text(json.dumps({"context": context, "benchmarks": benchmarks}))
table = subprocess.run([command, "--read", made, "--out", read], check=True, capture_output=True, text=True).stdout
rows = {row["figure"]: row for row in json.loads(read.read_text())["context"]["figures"]}

expected = {  # verdict, shapes, measured, geometric mean, worst, its case
    "aimed": ("aim reached", 2, 2, 9.0, 6.0, 0), "reached": ("reached", 2, 2, 6.0, 3.0, 0),
    "on average": ("reached on average", 2, 2, 4.0, 2.0, 0), "missed": ("not reached", 2, 2, 2.0, 1.0, 0),
    "partly": ("reached so far", 2, 1, 4.0, 4.0, 0), "absent": ("not measured", 2, 0, None, None, None),
    "only stated": ("stated", 2, 2, 1.0, 0.5, 0), "best": ("reached", 1, 1, 1.3, 1.3, 0),
    "noisy": ("reached", 1, 1, 0.96, 0.96, 0), "quiet": ("not reached", 1, 1, 0.96, 0.96, 0),
    "strict": ("not reached", 1, 1, 0.96, 0.96, 0),
    "limit": ("reached", 2, 2, math.sqrt(1.5 * 2.4), 2.4, 1), "slow": ("not reached", 1, 1, 2.6, 2.6, 0)}
assert list(rows) == list(expected), list(rows)
for name, (verdict, shapes, measured, mean, worst, case) in expected.items():
    row = rows[name]
    assert (row["verdict"], row["shapes"], row["measured"]) == (verdict, shapes, measured), row
    if mean is None:
        assert "worst" not in row, row
        continue
    assert math.isclose(row["geometric_mean"], mean, rel_tol=1e-9), row
    assert math.isclose(row["worst"], worst, rel_tol=1e-9), row
    assert row["worst_case"] == f"figures/{name}/{case}", row
for line in ("figure, reached: at least 3x, aim 6x, geometric mean 6x over 2 of 2 shapes, worst 3x "
             "(figures/reached/0): reached\n",
             "figure, limit: within 2.5x, aim 1.6x, geometric mean 1.9x over 2 of 2 shapes, worst 2.4x "
             "(figures/limit/1): reached\n", "figure, absent: at least 3x, aim 6x, not measured\n"):
    assert line in table, f"{line}is not in\n{table}"

"""plot_test.py BENCH RESULTS SLUICE_BENCH: bench/plot.py draws what the results hold."""
import pathlib
import subprocess
import sys

bench, results, _ = map(pathlib.Path, sys.argv[1:])
folder = results / "pictures"
done = subprocess.run([sys.executable, bench / "plot.py", results / "run.json", "--out", folder])
if done.returncode == 77:
    print("skipped: matplotlib is not installed (python3-matplotlib)")
    sys.exit(77)
assert done.returncode == 0
for name in ("ratios-deepbench-train", "ratios-deepbench-infer", "roofline", "scaling"):
    assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG"), name
    assert "<svg" in (folder / f"{name}.svg").read_text(), name

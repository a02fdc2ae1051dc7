"""pytorch_peer_test.py BENCH RESULTS SLUICE_BENCH: PyTorch computes the same and joins the table."""
import json
import pathlib
import subprocess
import sys

bench, results, command = map(pathlib.Path, sys.argv[1:])
try:
    import torch  # noqa: F401
except ImportError:
    print("skipped: PyTorch is not installed for", sys.executable)
    sys.exit(77)
out = results / "pytorch.json"
subprocess.run([sys.executable, bench / "pytorch_peer.py", results / "run.json", "--out", out, "--min-time", "0.001",
                "--repeat", "3"], check=True)
refused = [entry for entry in json.loads(out.read_text())["benchmarks"] if entry.get("error_occurred")]
for entry in refused:
    assert "gru_reset_before" in entry["case"], f"{entry['case']}: {entry['error_message']}"
table = subprocess.run([command, "--read", f"{results / 'run.json'},{out}"], check=True, capture_output=True,
                       text=True).stdout
assert "deepbench-train, pytorch / sluice: geometric mean" in table, table
for figure in ("PyTorch, same type: at least 3x, aim 6x, geometric mean",
               "PyTorch packed sequences, IMDB's lengths: at least 8x, aim 30x, geometric mean"):
    assert f"figure, {figure}" in table, table

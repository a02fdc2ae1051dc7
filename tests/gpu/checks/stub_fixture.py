"""A build of stubs (stub_program.py) for the tests of a visit, and what the stubs finished and left behind."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

from running import report as reports

HERE = pathlib.Path(__file__).resolve().parent
ROOM = HERE.parent  # of the visit's scripts
PROGRAMS = ["sluice", "sluice-bench", "predictions", "kernels_persistent_test", "engine_persistent_test",
            "engine_persistent_gradient_test", "engine_shared_input_test", "kernels_norm_test", "gpu_real_shapes",
            "gpu_probe_cooperative_admission", "gpu_probe_mma", "gpu_cudnn_comparison", "gpu_repeated_passes"]
TOOLS = ["nvidia-smi", "compute-sanitizer"]
FAMILIES = ["Block/P.block_b1_h1_t1_cuda", "Cluster/P.cluster_b1_h1_t1_cuda", "Grid/P.grid_b1_h1_t1_cuda"]


def make_stub(path):
    path.write_text(f"#!{sys.executable} -SE\n" + (HERE / "stub_program.py").read_text())
    path.chmod(0o755)


class Fixture(unittest.TestCase):
    """A build of stubs, and what they finished."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="visit_test_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()
        self.build, self.out, self.ledger = self.folder / "build", self.folder / "out", self.folder / "ledger"
        (self.build / "bin").mkdir(parents=True)
        (self.folder / "path").mkdir()
        for name in PROGRAMS:
            make_stub(self.build / "bin" / name)
        for name in TOOLS:
            make_stub(self.folder / "path" / name)
        (self.build / "manifest.json").write_text(
            json.dumps({"commit": "0" * 40, "bounded": ["gpu_real_shapes"]}))
        self.environment = {**os.environ, "PATH": f"{self.folder}/path:{os.environ['PATH']}",
                            "STUB_LEDGER": str(self.ledger), "STUB_CASES": str(self.folder / "cases")}
        self.cases = {"kernels_persistent_test": FAMILIES + ["Grid/P.grid_b2_h2_t2_cuda"]}

    def command(self, name, *options):
        (self.folder / "cases").write_text(json.dumps(self.cases))
        return [sys.executable, str(ROOM / "visit"), "run", name, "--build", str(self.build), "--out", str(self.out),
                "--silence", "1", *options]

    def start(self, name, *options, **more):
        return subprocess.Popen(self.command(name, *options), env=self.environment, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, errors="replace", **more)

    def visit(self, name, *options, code=0, **more):
        """Its report and what it printed, whose end is all that a reader sees."""
        process = self.start(name, *options, **more)
        text, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, code, text)
        self.nothing_lives()
        return self.report(), text

    def report(self, whole=True):
        found = reports.read(self.out / "report.jsonl")
        if whole:
            self.assertEqual(reports.problems(found), [])
        return found

    def result(self, found, name):
        results = [one for one in found.cases if one["name"].endswith(name)]
        self.assertEqual(len(results), 1, (name, results))
        return results[0]["result"], results[0]["detail"]

    def done(self, word="done"):
        lines = self.ledger.read_text().splitlines() if self.ledger.exists() else []
        return [line.partition(" ")[2] for line in lines if line.startswith(word + " ")]

    def living(self):
        """Processes that name this test's folder, or that a stub left behind."""
        found = []
        for name in os.listdir("/proc"):
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    line = file.read()
                with open(f"/proc/{name}/environ", "rb") as file:
                    mine = str(self.ledger).encode() in file.read()
            except OSError:
                continue
            if mine and line:
                found.append((name, line))
        return found

    def nothing_lives(self, within=5.0):
        end = time.monotonic() + within
        while self.living() and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(self.living(), [])

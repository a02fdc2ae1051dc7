"""`visit keep` with made-up reports and times: what is filed where, what is refused, and that twice is as once.
SLUICE_BENCH names the real one, for one of the tests."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from keeping import filed
from running import constants

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCRIPTS = ("visit", "running", "preparing", "keeping")
H100, H200 = "NVIDIA H100 80GB HBM3", "NVIDIA H200"
BENCH = '''#!/usr/bin/env python3
"""sluice-bench --read FILE --out FILE --csv FILE"""
import json, sys
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
document = json.load(open(options["--read"]))
figures = [one["figure_row"] for one in document["benchmarks"] if "figure_row" in one]
if figures:
    document["context"]["figures"] = figures
json.dump(document, open(options["--out"], "w"))
open(options["--csv"], "w").write("name,real_time\\n")
for one in document["benchmarks"]:
    print(one["run_name"], one["real_time"])
'''
PREDICTIONS = '''#!/usr/bin/env python3
import os, sys
sys.exit("no constants of it") if os.environ.get("STUB_FAILS") else print("# Predictions", *sys.argv[1:3])
'''


def case(name, result="passed", stage="tests", detail="a reason", **more):
    return {"kind": "case", "stage": stage, "name": name, "result": result, "detail": "" if result == "passed" else detail,
            "seconds": 0.5, **more}


PROBES = [case("launches/whole_gpu", stage="probes",
               values={"us_from_end_to_start_in_graph": 0.91, "us_of_smallest_kernel": 1.5}),
          case("cluster_exchange/blocks8", stage="probes", values={"latency_us": 0.25, "clock_hz": 1.9e9}),
          case("cluster_exchange/blocks16", stage="probes", values={"latency_us": 0.42, "clock_hz": 1.755e9}),
          case("launches/memory", stage="probes", values={"bytes_per_second": 3.0e12}),
          case("launches/cache", "skipped", stage="probes", values={"bytes_per_second": 1.0})]  # does not count


def write_report(folder, visit="first", gpu=H100, time="2026-12-01T10:20:30Z", cases=(), end=True, cut=0, **head):
    """`cut`: bytes that are missing at its end."""
    counts = {one: sum(each["result"] == one for each in cases) for one in ("passed", "failed", "skipped", "cut")}
    code = 1 if counts["failed"] else 3 if counts["cut"] else 0
    lines = [{"kind": "head", "schema": 2, "visit": visit, "time": time, "commit": "abc123" + "0" * 34, "seconds": 230,
              "machine": {"gpu": gpu, "driver": "580.1"}, "versions": {}, "dry": False, **head}, *cases]
    if end:
        lines.append({"kind": "end", "seconds": 200, "counts": counts, "exit": code, "stuck": False})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.jsonl").write_text(text[:len(text) - cut])
    return folder


def write_times(folder, times, name="timings.json", device="cuda:0", **context):
    benchmarks = [{"name": f"{run}_median", "run_name": run, "real_time": time, "outputs": ["a digest"], **more}
                  for run, time, more in times]
    document = {"context": {"device": device, "machine": "a GPU", "date": "2026-12-01", **context}, "benchmarks": benchmarks}
    (folder / name).write_text(json.dumps(document))


FIGURE = {"figure_row": {"figure": "PyTorch, same type", "against": ["pytorch"], "at_least": 3, "aim": 6, "shapes": 4,
                         "measured": 4, "geometric_mean": 4.21, "worst": 2.9, "worst_case": "figures/x",
                         "verdict": "reached on average"}}


class Keep(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.work, self.root = pathlib.Path(work.name), pathlib.Path(work.name) / "root"
        for name in SCRIPTS:
            self.copied(f"tests/gpu/{name}")
        self.copied("engine/choice/gpu_rates.cpp")
        self.copied("bench/plot.py")
        (self.root / "README.md").write_text("before\n<!-- gpu-figures: begin -->\nnothing yet\n<!-- gpu-figures: end -->\nafter\n")
        for name, text in (("sluice-bench", BENCH), ("predictions", PREDICTIONS)):
            path = self.root / "build" / "bin" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)

    def copied(self, name):
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, self.root / name)

    def keep(self, *arguments, code=0, **environment):
        done = subprocess.run([sys.executable, self.root / "tests" / "gpu" / "visit", "keep", *arguments],
                              capture_output=True, text=True, env={**os.environ, **environment}, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def all_files(self):
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in self.root.rglob("*") if path.is_file()}

    def message(self):
        return (self.root / ".carry" / "commit-message.txt").read_text()

    def reports(self):
        return sorted(path.name for path in (self.root / "tests" / "gpu-reports").glob("*"))

    def refused(self, *arguments, words=(), code=1):
        before = self.all_files()
        done = self.keep(*arguments, code=code)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(self.all_files(), before, "something was filed")

    # --- What is filed ---

    def test_files_a_whole_visit(self):
        out = write_report(self.work / "out", cases=[*PROBES, case("a"), case("b", "failed", detail="wrong bits"),
                                                     case("c", "failed", detail="wrong bits"), case("d", "skipped"),
                                                     case("e", "cut", detail="no time left")])
        write_times(out, [("figures/x/sluice", 10.0, FIGURE)])
        write_times(out, [("figures/x/pytorch", 42.0, {})], name="pytorch.json")
        (out / "ncu.csv").write_text("kernel,cycles\n")
        self.keep(out)
        self.assertEqual(self.reports(), ["20261201T102030Z-nvidia-h100-80gb-hbm3-first.jsonl"])
        filed = self.root / "tests" / "gpu-reports" / self.reports()[0]
        self.assertEqual(filed.read_bytes(), (out / "report.jsonl").read_bytes())
        folder = self.root / "bench" / "results" / "nvidia-h100-80gb-hbm3-2026-12-01"
        self.assertEqual((folder / "table.txt").read_text(), "figures/x/sluice 10.0\nfigures/x/pytorch 42.0\n")
        joined = json.loads((folder / "results.json").read_text())
        self.assertNotIn("outputs", joined["benchmarks"][0])
        self.assertEqual((folder / "ncu.csv").read_text(), "kernel,cycles\n")
        about = (folder / "README.md").read_text()
        self.assertIn("- first, commit abc123" + "0" * 34 + ": 5 passed, 2 failed, 2 skipped, 1 not run", about)
        self.assertEqual((self.root / "bench" / "predictions-h100.md").read_text(), "# Predictions --gpu h100\n")
        readme = (self.root / "README.md").read_text()
        self.assertTrue(readme.startswith("before\n") and readme.endswith("after\n") and "nothing yet" not in readme)
        self.assertIn(f"{H100}, driver 580.1, 2026-12-01, commit `abc123000000`, visits first:\n"
                      "5 passed, 2 failed, 2 skipped, 1 not run.", readme)
        self.assertIn("| PyTorch, same type | 3x | 6x | 4.21x on average of 4 of 4 shapes, worst 2.9x: reached on average |\n",
                      readme)
        message = self.message()
        self.assertTrue(message.startswith(f"GPU: first on {H100}: 2 failed\n\n"), message)
        self.assertIn("5 passed, 2 failed, 2 skipped, 1 not run.", message)
        self.assertIn("  2: wrong bits (tests b, ...)\n", message)
        self.assertIn("  1: no time left (tests e)\n", message)

    def test_names_the_constants_that_probes_replace(self):
        done = self.keep(write_report(self.work / "out", cases=PROBES))
        kept = json.loads((self.root / "bench" / "results" / "nvidia-h100-80gb-hbm3-2026-12-01" / "probes.json").read_text())
        self.assertEqual(kept["probes"]["launches/memory"], {"bytes_per_second": 3.0e12})
        rows = {row["name"]: (row["old"], row["new"]) for row in kept["constants"]}
        # The old ones as engine/choice/gpu_rates.cpp of this tree has them.
        source = (ROOT / "engine" / "choice" / "gpu_rates.cpp").read_text()
        gap = re.search(r"rates\.dependent_kernel = ([^;]+);", source)[1]
        self.assertEqual(rows["dependent_kernel"], (gap, "0.91 * kMicro"))
        exchange = re.search(r"rates\.cluster_exchange = \{[^,]+, ([^}]+)\};", source)[1]
        self.assertEqual(rows["cluster_exchange.target"], (exchange, "0.42 * kMicro"))  # of the largest cluster
        self.assertEqual(rows["cluster_exchange.floor"][1], "0.25 * kMicro")            # the least
        bandwidth = re.search(r'hopper\("NVIDIA H100", ([^)]+)\)', source)[1]
        self.assertEqual(rows["bandwidth"], (bandwidth, "3 * kTera"))
        self.assertEqual(rows["clock"][1], "1.755e+09")
        self.assertNotIn("grid_exchange.target", rows)  # was not measured
        self.assertNotIn("cache_bandwidth", rows)
        self.assertIn(f"dependent_kernel: {gap} -> 0.91 * kMicro", done.stdout)

    def test_every_constant_is_one_of_the_source(self):
        source = (ROOT / "engine" / "choice" / "gpu_rates.cpp").read_text()
        probes = {}
        for _, names, key, _, _ in constants.REPLACED:
            probes.setdefault(names[0], {})[key] = 1.0
        rows = constants.replaced(probes, source, "h200")
        self.assertEqual(len(rows), len(constants.REPLACED))
        self.assertEqual([row["name"] for row in rows if row["old"] is None or row["change"] is None], [])

    def test_the_default_card(self):
        out = write_report(self.work / "out", gpu=H200, cases=[case("a")])
        write_times(out, [("a/sluice", 1.0, {})])
        self.keep(out)
        self.assertEqual((self.root / "bench" / "predictions.md").read_text(), "# Predictions --gpu h200\n")
        self.assertIn("No figure has been measured yet.", (self.root / "README.md").read_text())
        self.assertTrue(self.message().startswith(f"GPU: first on {H200}: nothing failed\n"))

    def test_twice_is_as_once(self):
        out = write_report(self.work / "out", cases=[*PROBES, case("a", "failed")])
        write_times(out, [("a/sluice", 1.0, FIGURE)])
        write_times(out, [("a/pytorch", 2.0, {})], name="pytorch.json", peers={"pytorch": "2.11"})
        self.keep(out)
        before = self.all_files()
        done = self.keep(out)
        self.assertIn("all of it was filed before", done.stdout)
        self.assertEqual(self.all_files(), before)
        # Nor when the constants have been replaced since.
        rates = self.root / "engine" / "choice" / "gpu_rates.cpp"
        rates.write_text(re.sub(r"dependent_kernel = [0-9.]+", "dependent_kernel = 0.91", rates.read_text()))
        before = self.all_files()
        self.keep(out)
        self.assertEqual(self.all_files(), before)

    def test_two_visits_in_one_folder(self):
        """A run of rest and speed: both reports, and times of another day's... of the same day joined."""
        first = write_report(self.work / "first", cases=[case("a"), case("b", "failed")])
        write_times(first, [("x/sluice", 1.0, {}), ("y/sluice", 2.0, {})])
        self.keep(first)
        both = self.work / "both"
        write_report(both / "rest", "rest", time="2026-12-01T11:00:00Z", cases=[case("c")])
        speed = write_report(both / "speed", "speed", time="2026-12-01T11:10:00Z", cases=[case("d"), case("e", "cut")])
        write_times(speed, [("y/sluice", 20.0, {}), ("z/sluice", 3.0, {})])
        self.keep(both)
        self.assertEqual([name.split("-")[-1] for name in self.reports()], ["first.jsonl", "rest.jsonl", "speed.jsonl"])
        table = (self.root / "bench" / "results" / "nvidia-h100-80gb-hbm3-2026-12-01" / "table.txt").read_text()
        self.assertEqual(table, "x/sluice 1.0\ny/sluice 20.0\nz/sluice 3.0\n")  # what was measured again is new
        readme = (self.root / "README.md").read_text()
        self.assertIn("visits first, rest, speed:\n3 passed, 1 failed, 0 skipped, 1 not run.", readme)
        self.assertTrue(self.message().startswith(f"GPU: rest and speed on {H100}: nothing failed\n"))
        # Kept again in the other order, it is the same; a visit made again takes the older one's place.
        write_report(self.work / "again", time="2026-12-01T12:00:00Z", cases=[case("a"), case("b")])
        self.keep(self.work / "again")
        self.assertIn("4 passed, 0 failed", (self.root / "README.md").read_text())

    def test_another_day_and_another_card(self):
        self.keep(write_report(self.work / "old", cases=[case("a", "failed")]))
        self.keep(write_report(self.work / "new", time="2026-12-03T10:00:00Z", cases=[case("a")]))
        self.keep(write_report(self.work / "other", gpu=H200, cases=[case("a"), case("b")]))
        readme = (self.root / "README.md").read_text()
        self.assertNotIn("2026-12-01, commit `abc123000000`, visits first:\n0 passed", readme)
        self.assertIn(f"{H100}, driver 580.1, 2026-12-03", readme)
        self.assertIn(f"{H200}, driver 580.1, 2026-12-01", readme)

    def test_the_report_of_the_visit_before(self):
        out = write_report(self.work / "out", "rest", time="2026-12-01T09:00:00Z", cases=[case("a")])
        (out / "report.jsonl").rename(out / "report.previous.jsonl")
        write_report(out, "speed", cases=[case("b")])
        self.keep(out)
        self.assertEqual([name.split("-")[-1] for name in self.reports()], ["rest.jsonl", "speed.jsonl"])

    def test_a_report_cut_in_half(self):
        out = write_report(self.work / "out", cases=[case("a"), case("b")], end=False, cut=20)
        done = self.keep(out)
        self.assertIn("cut in half", done.stdout)
        self.assertEqual(len(self.reports()), 1)
        self.assertIn("Incomplete: the last line is cut in half.", self.message())
        self.assertIn("Incomplete: it has no end", self.message())
        self.assertIn("first (killed before its end)", (self.root / "README.md").read_text())
        whole = write_report(self.work / "whole", cases=[case("a"), case("b")])
        self.keep(whole)  # takes the place of its half
        path = self.root / "tests" / "gpu-reports" / self.reports()[0]
        self.assertEqual(path.read_bytes(), (whole / "report.jsonl").read_bytes())
        self.keep(out)  # and the half does not come back
        self.assertEqual(path.read_bytes(), (whole / "report.jsonl").read_bytes())

    def test_times_that_cannot_be_used(self):
        out = write_report(self.work / "out", cases=[case("a")])
        write_times(out, [("a/sluice", 1.0, {})], device="cpu")
        (out / "pytorch.json").write_text('{"context": {}, "bench')
        done = self.keep(out)
        self.assertIn("measured on a CPU", done.stderr)
        self.assertIn("no result file", done.stderr)
        self.assertFalse((self.root / "bench" / "results").exists())
        self.assertEqual(len(self.reports()), 1)

    def test_a_program_that_fails_keeps_nothing_else_back(self):
        out = write_report(self.work / "out", cases=[case("a")])
        write_times(out, [("a/sluice", 1.0, FIGURE)])
        done = self.keep(out, code=1, STUB_FAILS="yes")
        self.assertIn("no constants of it", done.stderr)
        self.assertEqual(len(self.reports()), 1)
        self.assertIn("PyTorch, same type", (self.root / "README.md").read_text())
        self.assertIn("1 passed", self.message())

    # --- What is refused ---

    def test_a_rehearsal(self):
        out = write_report(self.work / "out", dry=True, cases=[case("a")])
        self.refused(out, words=["rehearsal"])
        before = self.all_files()
        self.assertIn("1 passed", self.keep(out, "--dry-report").stdout)
        self.assertEqual(self.all_files(), before)

    def test_a_report_that_contradicts_itself(self):
        out = write_report(self.work / "out", cases=[case("a", "failed")])
        path = out / "report.jsonl"
        path.write_text(path.read_text().replace('"exit": 1', '"exit": 0'))
        self.refused(out, words=["its exit code is 0, but something failed"])

    def test_a_report_of_another_kind(self):
        self.refused(write_report(self.work / "out", schema=1), words=["schema 1"])
        self.refused(write_report(self.work / "noon", time="at noon"), words=["no report that can be filed"])
        self.refused(write_report(self.work / "nothing", machine={}), words=["no report that can be filed"])

    def test_no_report(self):
        (self.work / "empty").mkdir()
        self.refused(self.work / "empty", words=["report.jsonl"], code=2)
        self.refused(self.work / "nowhere", words=["nowhere"], code=2)

    def test_without_a_build(self):
        out = write_report(self.work / "out", cases=[case("a")])
        write_times(out, [("a/sluice", 1.0, {})])
        shutil.rmtree(self.root / "build")
        self.refused(out, words=["--target sluice-bench predictions"])
        (out / "timings.json").unlink()
        self.keep(out)  # no times, no need of it

    def test_a_readme_without_marks(self):
        (self.root / "README.md").write_text("nothing\n")
        done = self.keep(write_report(self.work / "out", cases=[case("a")]), code=1)
        self.assertIn("gpu-figures: begin", done.stderr)
        self.assertEqual(len(self.reports()), 1)

    # --- With the real thing ---

    @unittest.skipUnless(os.environ.get("SLUICE_BENCH"), "SLUICE_BENCH names no sluice-bench")
    def test_with_sluice_bench(self):
        shutil.copy2(os.environ["SLUICE_BENCH"], self.root / "build" / "bin" / "sluice-bench")
        out = write_report(self.work / "out", cases=[case("a")])
        median = {"run_type": "aggregate", "aggregate_name": "median", "suite": "figures", "case": "figures/x",
                  "cpu_time": 1.0, "time_unit": "us"}
        write_times(out, [("figures/x/sluice", 10.0, {**median, "implementation": "sluice", "figure": "beside PyTorch",
                                                      "opponents": ["pytorch"], "at_least": 3, "aim": 6})])
        write_times(out, [("figures/x/pytorch", 50.0, {**median, "implementation": "pytorch"})], name="pytorch.json")
        self.keep(out)
        self.assertIn("| beside PyTorch | 3x | 6x | 5x on average of 1 of 1 shapes, worst 5x: reached |\n",
                      (self.root / "README.md").read_text())
        before = self.all_files()
        self.keep(out)
        self.assertEqual(self.all_files(), before)

    def test_the_project_s_own_marks(self):
        """README.md of this tree holds what `visit keep` would write from the reports of this tree."""
        text = (ROOT / "README.md").read_text()
        self.assertIn(f"{filed.BEGIN}\n{filed.section(ROOT)}{filed.END}\n", text)


if __name__ == "__main__":
    unittest.main()

"""`visit run` with stubs in place of the GPU, the programs and the tools: the whole of it. Without arguments this runs
the tests of its parts too (guarded_test.py, builds_test.py, report_test.py, ended_test.py)."""

import json
import os
import resource
import subprocess
import sys
import time
import unittest

from running import report as reports
from running import run

from .stub_fixture import FAMILIES, PROGRAMS, ROOM, Fixture, make_stub


class Visits(Fixture):
    """The whole of it."""

    def setUp(self):
        super().setUp()
        self.cases["sluice-bench"] = ["shape/inference/lstm/T25/B64/I512/H512/bfloat16",
                                      "shape/lstm/T25/B64/I512/H512/bfloat16"]

    def small(self, text):
        """What a reader of the last 8,000 characters sees."""
        end = text[-8000:]
        self.assertIn("== visit ", end)
        return end[end.index("== visit "):]

    def test_all_passes(self):
        found, text = self.visit("first")
        self.assertEqual(found.end["counts"]["failed"] + found.end["counts"]["cut"], 0)
        self.assertEqual(found.head["machine"]["gpu"], "Stub GPU H100")
        self.assertEqual((found.head["commit"], found.head["bounded"]), ("0" * 40, ["gpu_real_shapes"]))
        self.assertEqual(found.stages(), ["machine", "probes", "tiny", "persistent", "shapes", "timings", "memcheck"])
        values = next(one for one in found.cases if one["name"] == "sluice info")["values"]
        self.assertEqual((values["clusters_of_16"], values["clusters_of_8"]), (7, 15))
        self.assertIn("warning: the programs are of commit", text)
        end = self.small(text)
        for name in found.stages():
            self.assertRegex(end, rf"(?m)^{name} .* passed")
        self.assertIn("0.4/0 | 0.2/0.3 | 0.1/0 | 0.9/0 | 0.8/0 cudnn:standard (2.00x)", end)
        self.assertIn("sluice info: clusters_of_8 15, clusters_of_16 7", end)
        self.assertIn("exit code 0", end)
        self.assertLessEqual(set(os.listdir(self.out)), set(run.FILES))
        self.assertEqual(self.done().count(f"kernels_persistent_test {FAMILIES[0]}"), 2)  # tiny, memcheck

    def test_rest(self):
        found, _ = self.visit("rest")
        self.assertEqual(found.stages(), ["machine", "tests", "cudnn", "repeats", "training", "checks", "initcheck"])
        checked = [one["name"] for one in found.cases if one["stage"] == "initcheck"]
        self.assertEqual(checked, [f"initcheck kernels_persistent_test {name}" for name in FAMILIES])

    def test_failures_are_grouped_and_the_exit_code_is_1(self):
        self.cases["kernels_persistent_test"] = FAMILIES + [f"Suite.fails_{i}" for i in range(300)]
        found, text = self.visit("first", "--only", "machine,tiny,persistent", code=1)
        self.assertEqual(found.end["counts"]["failed"], 300)
        self.assertIn("300x persistent", self.small(text))

    def test_whatever_happens_the_end_is_short(self):
        names = [f"Suite.{'long_' * 30}{word}_{i}" for i in range(40) for word in ("fails", "skips")]
        self.cases.update({name: names for name in PROGRAMS if name.endswith("_test") or name.startswith("gpu_")})
        self.cases["sluice-bench"] = [f"shape/{'x' * 200}{i}" for i in range(90)]
        _, text = self.visit("first", code=1)
        end = self.small(text)
        for words in ("== visit first", "ms forward/backward", "== Failed (", "== Not run (", "exit code 1"):
            self.assertIn(words, end)

    def test_time_is_kept_and_cut_is_3(self):
        self.cases["gpu_real_shapes"] = ["chatter", "never"]
        began = time.monotonic()
        found, text = self.visit("first", "--seconds", "6", "--silence", "20", "--only", "shapes,timings", code=3)
        self.assertLess(time.monotonic() - began, 9)
        self.assertIn("no time left for this stage (it had run for", self.result(found, "chatter")[1])
        self.assertEqual(self.result(found, "never")[0], "cut")
        self.assertEqual(found.counts("timings")["passed"], 2)  # has its own share
        self.assertIn("exit code 3", self.small(text))

    def test_a_hang_is_told_from_want_of_time(self):
        """The stage's time ends while a case has been silent for more than half of what makes it a hang."""
        self.cases["gpu_real_shapes"] = ["one", "hang"]
        found, _ = self.visit("first", "--seconds", "12", "--silence", "4", "--only", "shapes,memcheck,timings", code=1)
        self.assertIn("hang: no end within 4 s", self.result(found, "hang")[1])

    def test_no_gpu(self):
        (self.folder / "path" / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
        process = self.start("first")
        text, _ = process.communicate(timeout=20)
        self.assertEqual((process.returncode, len(text.splitlines())), (77, 1), text)
        self.assertFalse(self.out.exists())

    def test_programs_that_find_no_gpu_end_the_visit(self):
        info = json.dumps({"devices": [], "cuda_problem": "old driver"})
        (self.build / "bin" / "sluice").write_text(f"#!/bin/sh\necho '{info}'\n")
        found, _ = self.visit("first", code=1)
        self.assertIn("old driver", self.result(found, "sluice info")[1])
        self.assertEqual(self.done("begin"), [])

    def test_a_hang_of_sluice_info_ends_the_visit(self):
        self.environment["STUB_INFO"] = "hang"
        found, _ = self.visit("first", code=1)
        self.assertIn("hang: no end within", self.result(found, "sluice info")[1])
        self.assertEqual(self.done("begin"), ["sluice info"])

    def test_wrong_usage(self):
        for options in (["--only", "nothing"], ["--seconds", "0"], ["--build", str(self.folder / "none")], ["--what"]):
            process = self.start("first", *options)
            text, _ = process.communicate(timeout=20)
            self.assertEqual(process.returncode, 2, text)
        self.assertNotIn("Traceback", text)

    def test_a_missing_program_is_not_a_success(self):
        (self.build / "bin" / "gpu_real_shapes").unlink()
        found, _ = self.visit("first", "--only", "shapes", code=3)
        self.assertIn("not run: it is not in", self.result(found, "gpu_real_shapes")[1])

    def test_one_that_does_not_say_its_cases(self):
        self.environment["STUB_START"] = "gpu_real_shapes:list"
        found, _ = self.visit("first", "--only", "shapes", code=1)
        self.assertIn("libnone.so", self.result(found, "gpu_real_shapes")[1])

    def test_a_full_disk_loses_no_result(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))

        self.environment["STUB_LEDGER"] = os.devnull
        process = self.start("first", "--only", "machine,tiny,persistent,shapes", preexec_fn=limit)
        text, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, text)
        self.assertIn("report.jsonl cannot be written", text)
        self.assertLessEqual((self.out / "report.jsonl").stat().st_size, 1500)
        saved = self.report(whole=False)
        printed = [json.loads(line) for line in text.splitlines() if line.startswith('{"kind"')]
        names = [one["name"] for one in saved.cases + printed if one["kind"] == "case"]
        for name in FAMILIES:
            self.assertIn(f"kernels_persistent_test {name}", names)
        self.assertEqual((saved.wrong, saved.broken_line, printed[-1]["kind"]), ([], False, "end"))
        self.assertIn("exit code 1", self.small(text))

    def test_nobody_reads(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            code = subprocess.run(self.command("first", "--only", "tiny"), env=self.environment, stdout=full,
                                  stderr=full, check=False, timeout=30).returncode
        self.assertEqual((code, self.report().end["exit"]), (0, 0))

    def test_closed_streams(self):
        code = subprocess.run(["/bin/sh", "-c", '"$@" <&- >&- 2>&-', "sh", *self.command("first", "--only", "tiny")],
                              env=self.environment, check=False, timeout=30).returncode
        self.assertEqual((code, self.report().counts()["passed"]), (0, 3))

    def test_speed_and_deepbench_and_ncu(self):
        self.cases["sluice-bench"] = [f"figures/{one}/lstm" for one in ("large", "pytorch", "packed", "step", "limit")]
        self.cases["sluice-bench"].append("deepbench-train/lstm")
        make_stub(self.folder / "path" / "ncu")
        for name in ("speed", "deepbench", "ncu"):
            found, _ = self.visit(name)
            self.assertEqual(found.stages(), [one.name for one in run.VISITS[name]])
        values = [one["values"] for one in found.cases if one["name"] == "slowest of cluster"]
        self.assertEqual(values, [{"Registers Per Thread": 255.0}])
        self.assertEqual((self.out / "ncu.csv").read_text().count("slow_kernel"), 4)

    def test_the_report_before_is_kept(self):
        self.visit("first", "--only", "machine")
        self.visit("first", "--only", "tiny")
        self.assertEqual(reports.read(self.out / "report.previous.jsonl").stages(), ["machine"])
        self.assertLessEqual(len(os.listdir(self.out)), 6)


# They mostly wait, each for its own processes: so all parts at once.
VISITS = [f"checks.visit_test.Visits.{name}" for name in unittest.TestLoader().getTestCaseNames(Visits)]
PARTS = [["checks.report_test", "checks.builds_test"], ["checks.guarded_test"], VISITS[::2], VISITS[1::2],
         ["checks.ended_test.Ended.test_by_sigkill"], ["checks.ended_test.Ended.test_by_sigterm"]]


def main():
    if len(sys.argv) > 1:
        return unittest.main()
    parts = [subprocess.Popen([sys.executable, "-B", "-m", "unittest", *part], cwd=ROOM, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True) for part in PARTS]
    failed = 0
    for part, process in zip(PARTS, parts):
        text, _ = process.communicate()
        print(f"== {part[0]} ...\n{text if process.returncode else text.splitlines()[-3]}", flush=True)
        failed |= process.returncode
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

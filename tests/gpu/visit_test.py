#!/usr/bin/env python3
"""`visit run` with stubs in place of the GPU, the programs and the tools (stub_program.py): no hang counts as a success,
no result that was ready is lost, nothing outlives a visit, and what is printed last tells all of it."""

import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import child
import guarded
import protocols
import report as reports
import run as running
import stages
import summary
import visit_run

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
        (self.build / "manifest.json").write_text('{"commit": "' + "0" * 40 + '"}')
        self.environment = {**os.environ, "PATH": f"{self.folder}/path:{os.environ['PATH']}",
                            "STUB_LEDGER": str(self.ledger), "STUB_CASES": str(self.folder / "cases")}
        self.cases = {"kernels_persistent_test": FAMILIES + ["Grid/P.grid_b2_h2_t2_cuda"]}

    def command(self, name, *options):
        (self.folder / "cases").write_text(json.dumps(self.cases))
        return [sys.executable, str(HERE / "visit"), "run", name, "--build", str(self.build), "--out", str(self.out),
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


class Cases(Fixture):
    """guarded.py, program by program."""

    def run_cases(self, names, program="kernels_persistent_test", start="", **limits):
        visit = visit_run.Visit(self.folder, 60.0, time.monotonic(), silence=1.0)
        (self.folder / "cases").write_text(json.dumps({program: names}))
        environment = {**self.environment, "STUB_START": start}
        protocol = protocols.GoogleTest() if program.endswith("_test") else protocols.JsonLines()
        path = self.build / "bin" / program
        job = guarded.Job("stage", path, protocol, names, environment, label=program, prefix=program + " ",
                          silence=0.5, **limits)
        guarded.run(visit, job)
        self.last = visit
        self.nothing_lives()
        return {one["name"].removeprefix(program).strip(): (one["result"], one["detail"]) for one in visit.cases}

    def test_every_result_is_taken(self):
        found = self.run_cases(["S.a_cuda", "S.fails", "S.skips", "S.b"])
        self.assertEqual([result for result, _ in found.values()], ["passed", "failed", "skipped", "passed"])
        self.assertIn("expected 1, got 2", found["S.fails"][1])
        self.assertIn("does not fit", found["S.skips"][1])

    def test_a_hang_is_named_and_the_rest_goes_on(self):
        for program in ("kernels_persistent_test", "gpu_real_shapes"):
            found = self.run_cases(["S.a", "S.hang", "S.b"], program)
            self.assertEqual(found["S.hang"][0], "failed")
            self.assertIn("hang: no end within 0.5 s", found["S.hang"][1])
            self.assertEqual((found["S.a"][0], found["S.b"][0]), ("passed", "passed"))

    def test_one_that_ignores_sigterm_ends_all_the_same(self):
        self.assertIn("hang", self.run_cases(["S.stubborn"])["S.stubborn"][1])

    def test_printing_without_end_is_a_hang_too(self):
        found = self.run_cases(["S.chatter", "S.b"], longest=1.0)
        self.assertIn("though it goes on printing", found["S.chatter"][1])
        self.assertEqual(found["S.b"][0], "passed")

    def test_three_hangs_leave_out_the_rest_of_their_kind(self):
        names = [f"Grid/P.hang_{i}" for i in "abcde"] + ["Block/P.a", "Block/P.hang_b", "S.c"]
        found = self.run_cases(names)
        self.assertEqual([found[name][0] for name in names],
                         ["failed"] * 3 + ["cut"] * 2 + ["passed", "failed", "passed"])
        self.assertIn("3 cases of grid hung", found["Grid/P.hang_d"][1])

    def test_a_crash_is_its_case_s_failure(self):
        for program in ("kernels_persistent_test", "gpu_real_shapes"):
            found = self.run_cases(["S.a", "S.crash", "S.b"], program)
            self.assertEqual(found["S.crash"][0], "failed")
            self.assertIn("SIGSEGV", found["S.crash"][1])
            self.assertEqual((found["S.a"][0], found["S.b"][0]), ("passed", "passed"))

    def test_a_broken_context_fails_one_case_alone(self):
        for program in ("kernels_persistent_test", "gpu_real_shapes"):
            found = self.run_cases(["S.a", "S.broken", "S.b", "S.c"], program)
            self.assertEqual([found[name][0] for name in ("S.a", "S.broken", "S.b", "S.c")],
                             ["passed", "failed", "passed", "passed"])
            self.assertTrue(next(one for one in self.last.cases if one["name"].endswith("S.broken"))["broken"])

    def test_a_death_between_cases_is_the_program_s_failure(self):
        found = self.run_cases(["S.abort_after", "S.b"])
        self.assertEqual((found["S.abort_after"][0], found["S.b"][0]), ("passed", "passed"))
        self.assertIn("SIGABRT", found[""][1])
        found = self.run_cases(["S.abort_after"])
        self.assertIn("all its cases had ended, yet it died of SIGABRT", found[""][1])

    def test_a_program_that_runs_nothing_has_failed(self):
        for start, words in (("nothing", "ran none of 2 cases"), ("crash", "SIGSEGV"), ("hang", "nothing printed")):
            found = self.run_cases(["S.a", "S.b"], start="kernels_persistent_test:" + start)
            self.assertEqual((found[""][0], found["S.a"][0], found["S.b"][0]), ("failed", "cut", "cut"))
            self.assertIn(words, found[""][1])

    def test_one_that_cannot_be_executed(self):
        (self.build / "bin" / "kernels_persistent_test").write_bytes(b"\x7fELF garbage")
        found = self.run_cases(["S.a"])
        self.assertIn("could not be started: Exec format error", found[""][1])
        self.assertEqual(found["S.a"][0], "cut")

    def test_garbage_and_megabytes(self):
        found = self.run_cases(["S.garbage", "S.b"])
        self.assertEqual((found["S.garbage"][0], found["S.b"][0]), ("passed", "passed"))
        self.assertIn("not asked for: Suite.never_cuda", found[""][1])

    def test_results_of_strangers_and_second_results_do_not_count(self):
        found = self.run_cases(["S.stranger", "S.twice"])
        self.assertEqual((found["S.stranger"][0], found["S.twice"][0]), ("passed", "passed"))
        self.assertIn("Suite.never_asked_cuda", found[""][1])
        self.assertEqual(len(self.last.cases), 3)

    def test_nothing_that_a_program_started_outlives_it(self):
        found = self.run_cases(["S.forks", "S.b"])
        self.assertEqual([result for result, _ in found.values()], ["passed", "passed"])

    def test_parts_errors_and_values(self):
        found = self.run_cases(["one"], "gpu_real_shapes")
        self.assertEqual(set(found), {"one/part", "one"})
        self.assertEqual(self.last.cases[0]["errors"], {"y": 1e-7, "dx": None})
        self.assertEqual(self.last.cases[1]["values"], {"us": 1.5})

    def test_stuck(self):
        """No process here survives SIGKILL; so kill() says that one does."""
        kill = child.Child.kill
        self.addCleanup(setattr, child.Child, "kill", kill)
        child.Child.kill = lambda process, wait=0: kill(process, wait) and False
        found = self.run_cases(["S.a", "S.hang", "S.b"])
        self.assertEqual([found[name][0] for name in ("S.a", "S.hang", "S.b")], ["passed", "failed", "cut"])
        self.assertIn("GPU stuck", found["S.hang"][1])
        self.assertEqual(found["S.b"][1], "GPU stuck")
        self.assertEqual(self.last.must_end(), "GPU stuck")
        self.assertEqual(self.done(), ["kernels_persistent_test S.a"])


class Sanitizer(Fixture):
    def checked(self, names):
        visit = visit_run.Visit(self.folder, 60.0, time.monotonic(), silence=1.0)
        protocol = protocols.Sanitized(str(self.folder / "path" / "compute-sanitizer"), "racecheck")
        guarded.run(visit, guarded.Job("checks", self.build / "bin" / "kernels_norm_test", protocol, names,
                                       self.environment, label="racecheck", prefix="racecheck "))
        return visit.cases

    def test_errors_are_their_case_s_and_large_kernels_a_skip(self):
        cases = self.checked([f"Block/P.block_{one}_cuda" for one in ("a", "racy", "trap", "b")])
        self.assertEqual([one["result"] for one in cases], ["passed", "failed", "skipped", "passed"])
        self.assertIn("Race reported", cases[1]["detail"])
        self.assertIn("more registers", cases[2]["detail"])

    def test_a_tool_that_does_not_work_here_is_a_skip(self):
        self.environment["STUB_SANITIZER"] = "Device not supported"
        self.assertEqual([(one["result"], one["detail"]) for one in self.checked(["S.a_cuda", "S.fails_cuda"])],
                         [("skipped", "compute-sanitizer does not work here: Device not supported")] * 2)

    def test_an_error_that_no_case_shows(self):
        self.environment["STUB_SANITIZER"] = "ERROR SUMMARY: 2 errors"
        details = [one["detail"] for one in self.checked(["S.a_cuda"])]
        self.assertIn("the sanitizer counts 2, which no case shows", details)


class Names(unittest.TestCase):
    def test_google_tests(self):
        text = ("note\nSuite/0.  # TypeParam = float\n  one\n  DISABLED_two\n"
                "Block/P.\n  a_cuda  # GetParam() = 5\n  a_cuda\n")
        self.assertEqual(protocols.GoogleTest().names(text), ["Suite/0.one", "Block/P.a_cuda"])

    def test_sizes_and_families(self):
        names = ["lstm/T512/B64/I512/H512", "Grid/P.grid_lstm_b3_h34_t7_cuda", "a/persistent_grid", "row_blocks",
                 "cluster_x"]
        self.assertEqual([stages.family(name) for name in names], ["", "grid", "grid", "", "cluster"])
        self.assertEqual(stages.size(names[0]), 512 * 64 * 512 * 512)
        self.assertEqual(stages.smallest(["h9_t9", "h1_t2", "h3_t3"], 2), ["h1_t2", "h3_t3"])

    def test_lines(self):
        lines = child.Lines()
        self.assertEqual(lines.feed(b"a\nb"), ["a"])
        self.assertEqual(lines.feed(b"c\r\n\xff\n"), ["bc", "\ufffd"])
        first = lines.feed(b"x" * (2 * child.LONGEST_LINE))
        self.assertEqual([len(line) for line in first + lines.feed(b"y" * 99)], [child.LONGEST_LINE])
        self.assertEqual([line[-3:] for line in lines.feed(b"z\nnext\n")], ["yyz", "ext"])


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
        self.assertEqual(found.head["commit"], "0" * 40)
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
        self.assertLessEqual(set(os.listdir(self.out)), set(running.FILES))
        self.assertEqual(self.done().count(f"kernels_persistent_test {FAMILIES[0]}"), 2)  # tiny, memcheck

    def test_rest(self):
        found, _ = self.visit("rest")
        self.assertEqual(found.stages(), ["machine", "tests", "cudnn", "repeats", "training", "checks"])

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
            self.assertEqual(found.stages(), [one.name for one in running.VISITS[name]])
        values = [one["values"] for one in found.cases if one["name"] == "slowest of cluster"]
        self.assertEqual(values, [{"Registers Per Thread": 255.0}])
        self.assertEqual((self.out / "ncu.csv").read_text().count("slow_kernel"), 4)

    def test_the_report_before_is_kept(self):
        self.visit("first", "--only", "machine")
        self.visit("first", "--only", "tiny")
        self.assertEqual(reports.read(self.out / "report.previous.jsonl").stages(), ["machine"])
        self.assertLessEqual(len(os.listdir(self.out)), 6)


# A stage, and the program whose third case (or only act) hangs there.
STAGES = {"machine": ("sluice", "info"), "probes": ("gpu_probe_mma", ""),
          "tiny": ("kernels_persistent_test", "Grid/P.grid_{}"), "persistent": ("engine_persistent_test", "Suite.{}"),
          "shapes": ("gpu_real_shapes", ""), "timings": ("sluice-bench", ""), "memcheck": ("kernels_persistent_test", "Grid/P.grid_{}")}


class Ended(Fixture):
    """Ended from outside in the midst of each stage, by SIGKILL and by SIGTERM."""

    def until_it_hangs(self, stage):
        program, form = STAGES[stage]
        hang = (form or "{}").format("hang")
        self.cases.update({name: ["one", "two"] for name in PROGRAMS})
        for name in PROGRAMS:
            if name.endswith("_test"):
                self.cases[name] = ["Block/P.block_one", "Cluster/P.cluster_two"]
        self.environment["STUB_INFO"] = "hang" if stage == "machine" else ""
        if stage == "machine":
            hang = "info"
        else:
            self.cases[program] = self.cases[program] + [hang]
        options = ["--silence", "60", "--only", stage]
        process = self.start("first", *options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        end = time.monotonic() + 30
        while f"{program} {hang}" not in self.done("begin") and time.monotonic() < end:
            time.sleep(0.02)
        self.assertIn(f"{program} {hang}", self.done("begin"))
        time.sleep(0.4)  # what was printed before is read by now
        return process

    def check_all_is_there(self):
        """Every case that ended is in the report, and none that did not has passed."""
        found = self.report(whole=False)
        passed = [one["name"] for one in found.cases if one["result"] == "passed"]
        finished = [one for one in self.done() if not one.startswith("sluice info")]
        for name in finished:
            self.assertTrue(any(one.endswith(name.partition(" ")[2]) for one in passed), (name, passed))
        self.assertFalse([name for name in passed if "hang" in name])
        return found

    def test_by_sigkill(self):
        for stage in STAGES:
            with self.subTest(stage):
                self.ledger.unlink(missing_ok=True)
                process = self.until_it_hangs(stage)
                process.kill()
                process.communicate(timeout=10)
                self.nothing_lives()
                if stage == "machine":  # before the head
                    continue
                found = self.check_all_is_there()
                self.assertTrue(found.killed)
                self.assertFalse(found.broken_line)
                self.assertIn("it has no end: the visit was killed", " ".join(reports.problems(found)))

    def test_by_sigterm(self):
        for stage in STAGES:
            with self.subTest(stage):
                self.ledger.unlink(missing_ok=True)
                process = self.until_it_hangs(stage)
                process.terminate()
                time.sleep(0.05)
                process.terminate()  # as timeout does
                text, _ = process.communicate(timeout=10)
                self.assertEqual(process.returncode, 3, text)
                self.nothing_lives()
                found = self.check_all_is_there()
                self.assertEqual(reports.problems(found), [])
                self.assertIn("exit code 3", text[-300:])


class Reports(unittest.TestCase):
    def read(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write(text)
            file.flush()
            return reports.read(file.name)

    head = json.dumps({"kind": "head", "schema": 2, "visit": "first", "time": "t", "commit": "c", "seconds": 1,
                       "machine": {}, "versions": {}, "dry": False}) + "\n"
    case = json.dumps(reports.case_line("s", "n", "passed", "", 0.1, {})) + "\n"

    def end(self, code=0, **counts):
        counts = {**dict.fromkeys(reports.RESULTS, 0), **counts}
        return json.dumps({"kind": "end", "seconds": 1, "counts": counts, "exit": code, "stuck": False}) + "\n"

    def test_whole(self):
        self.assertEqual(reports.problems(self.read(self.head + self.case + self.end(passed=1))), [])

    def test_what_is_wrong_is_said(self):
        failed = self.case.replace("passed", "failed").replace('"detail": ""', '"detail": "why"')
        for text, sentence in ((self.head + self.case, "killed"), (self.head + self.case[:-9], "cut in half"),
                               (self.case + self.end(passed=1), "the head's schema"),
                               (self.head + self.case + self.end(), "the end counts"),
                               (self.head + failed + self.end(failed=1), "exit code is 0, but"),
                               (self.head + failed.replace("why", "") + self.end(1, failed=1), "does not say why"),
                               (self.head + "nonsense\n" + self.end(), "no JSON object"),
                               (self.head + self.case.replace("passed", "ok") + self.end(), "result is none of")):
            self.assertIn(sentence, " ".join(reports.problems(self.read(text))))

    def test_errors_join_their_case(self):
        line = json.dumps({"kind": "errors", "stage": "s", "name": "n", "errors": {"y": 1.0}}) + "\n"
        self.assertEqual(self.read(self.head + self.case + line).cases[0]["errors"], {"y": 1.0})

    def test_messages_that_differ_in_numbers_are_alike(self):
        self.assertEqual(summary.alike("at 0xff01: 1.5e-3 > 2"), summary.alike("at 0xab: 7 > 31"))


# They mostly wait, each for its own processes: so all parts at once.
VISITS = [f"Visits.{name}" for name in unittest.TestLoader().getTestCaseNames(Visits)]
PARTS = [["Names", "Reports", "Sanitizer"], ["Cases"], VISITS[::2], VISITS[1::2], ["Ended.test_by_sigkill"],
         ["Ended.test_by_sigterm"]]


def main():
    if len(sys.argv) > 1:
        return unittest.main()
    parts = [subprocess.Popen([sys.executable, __file__, *part], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True) for part in PARTS]
    failed = 0
    for part, process in zip(PARTS, parts):
        text, _ = process.communicate()
        print(f"== {part[0]} ...\n{text if process.returncode else text.splitlines()[-3]}", flush=True)
        failed |= process.returncode
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

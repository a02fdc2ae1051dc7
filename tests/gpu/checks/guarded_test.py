"""guarded.py and the protocols: no hang, crash or broken context counts as a success or costs another case."""

import json
import time
import unittest

from running import child, guarded, protocols, stages, under_way

from .stub_fixture import ROOM, Fixture


class Cases(Fixture):
    """guarded.py, program by program."""

    def run_cases(self, names, program="kernels_persistent_test", start="", **limits):
        visit = under_way.Visit(self.folder, 60.0, time.monotonic(), silence=1.0)
        (self.folder / "cases").write_text(json.dumps({program: names}))
        environment = {**self.environment, "STUB_START": start}
        protocol = protocols.GoogleTest() if program.endswith("_test") else protocols.JsonLines()
        path = self.build / "bin" / program
        job = guarded.Job("stage", path, protocol, names, environment, label=program, prefix=program + " ",
                          silence=0.5, start=0.5 if start == "hang" else 20.0, **limits)  # a stub may start late
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

    def test_a_kernel_that_says_where_it_hangs(self):
        """However much it says, the next case is another process's; three of a kind leave out the rest."""
        for program in ("kernels_persistent_test", "gpu_real_shapes"):
            names = ["S.a", "Grid/P.waits_a", "S.b", "Grid/P.waits_b", "Grid/P.waits_c", "Grid/P.d", "S.c"]
            found = self.run_cases(names, program)
            self.assertEqual([found[name][0] for name in names],
                             ["passed", "failed", "passed", "failed", "failed", "cut", "passed"])
            self.assertRegex(found["Grid/P.waits_a"][1], "^hang: sluice: persistent_grid: block 3, thread 0 waits more "
                             "than 5 s for round 7 .*and 2999 threads more.*unspecified launch failure")
            self.assertIn("3 cases of grid hung", found["Grid/P.d"][1])

    def test_what_the_kernels_say_is_known(self):
        kernels = ROOM.parents[1] / "kernels" / "time_loops" / "persistent"
        said = [line.replace("%u", "3").replace("%d", "5") for path in sorted(kernels.glob("*.*h"))
                for line in path.read_text().splitlines() if "waits more than" in line]
        self.assertGreaterEqual(len(said), 2)
        for line in said:
            self.assertRegex(line, protocols.WAITS_IN_VAIN)

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
        visit = under_way.Visit(self.folder, 60.0, time.monotonic(), silence=1.0)
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


if __name__ == "__main__":
    unittest.main()

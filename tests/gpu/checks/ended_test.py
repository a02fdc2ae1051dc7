"""A visit that is ended from outside in the midst of each stage loses no result, and nothing outlives it."""

import time
import unittest

from running import report as reports

from .stub_fixture import PROGRAMS, Fixture


# A stage, and the program whose third case (or only act) hangs there.
STAGES = {"machine": ("sluice", "info"), "probes": ("gpu_probe_mma", ""),
          "tiny": ("kernels_persistent_test", "Grid/P.grid_{}"), "persistent": ("engine_persistent_test", "Suite.{}"),
          "shapes": ("gpu_real_shapes", ""), "timings": ("sluice-bench", ""),
          "memcheck": ("kernels_persistent_test", "Grid/P.grid_{}")}


class Ended(Fixture):
    """Ended from outside in the midst of each stage, by SIGKILL and by SIGTERM."""

    def until_it_hangs(self, stage):
        program, form = STAGES[stage]
        hang = (form or "{}").format("forks_hang")
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


if __name__ == "__main__":
    unittest.main()

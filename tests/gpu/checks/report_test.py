"""report.py: what is wrong with a report is said; summary.py: messages that are alike are one."""

import json
import os
import tempfile
import unittest
import unittest.mock

from running import report as reports
from running import summary


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

    def test_a_full_disk(self):
        """No line is lost or written in half, and what can be given up makes room."""
        with tempfile.TemporaryDirectory() as folder:
            path, said, rooms = os.path.join(folder, "report.jsonl"), [], [True, False]
            writer = reports.Writer(path, said.append, lambda: rooms.pop(0) if rooms else False)
            pwrite, room = os.pwrite, [100]

            def full(number, data, offset):
                return pwrite(number, data[:max(0, room[0] - offset)], offset)

            with unittest.mock.patch("os.pwrite", full):
                for index in range(9):
                    writer.line({"kind": "case", "name": f"case {index}"})
                self.assertEqual(len(said), 1)
                self.assertEqual(rooms, [])
                with open(path, encoding="utf-8") as file:
                    self.assertTrue(file.read().endswith("}\n"))
                room[0] = 1000
                self.assertTrue(writer.flush())
            self.assertEqual([one["name"] for one in reports.read(path).cases], [f"case {index}" for index in range(9)])

    def test_messages_that_differ_in_numbers_are_alike(self):
        self.assertEqual(summary.alike("at 0xff01: 1.5e-3 > 2"), summary.alike("at 0xab: 7 > 31"))


if __name__ == "__main__":
    unittest.main()

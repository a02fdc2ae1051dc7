"""timings_test BUILD: the table of a visit by the real sluice-bench, on the CPU, and the real predictions: what was
measured, predicted, the limit and the peer of a shape stand on one line."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

from running import builds, timings, under_way

BUILD = pathlib.Path(sys.argv[1])
SHAPE = "lstm,T25,B64,I512,H512"
STEP = {"case": "figures/step/lstm/V30000", "aggregate_name": "median", "cell": "lstm", "pass": "training step",
        "dtype": "float32", "B": 64, "H": 64}


class Table(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.visit = under_way.Visit(BUILD, 60.0, time.monotonic())
        self.visit.build, self.visit.out = builds.Build(BUILD, False), pathlib.Path(folder.name)

    def predict(self, gpu):
        self.visit.machine, self.visit.predictions = {"gpu": gpu}, {}
        timings.predict(self.visit)
        return self.visit.predictions

    def test_all_shapes_are_predicted(self):
        found = [self.predict(gpu) for gpu in ("NVIDIA H100 80GB HBM3", "NVIDIA H200")]
        for shape in timings.SEVEN:
            key = (*(part.lstrip("TBIH") for part in shape.split(",")), "bfloat16")
            for predictions in found:
                self.assertIn("predicted", predictions.get(key, {}), key)
        self.assertEqual([predictions[key]["gpu"] for predictions in found], ["NVIDIA H100", "NVIDIA H200"])

    def test_what_belongs_together_is_one_line(self):
        self.assertIn(SHAPE, timings.SEVEN)
        path = self.visit.out / "timings.json"
        subprocess.run([self.visit.build.program("sluice-bench"), "--device", "cpu", "--shape", SHAPE, "--shape",
                        SHAPE + ",inference", "--dtype", "bfloat16", "--peers", "sluice:stepwise", "--min-time", "1e-6",
                        "--repeat", "1", "--out", path], check=True, capture_output=True)
        document = json.loads(path.read_text())
        medians = [one for one in document["benchmarks"] if one.get("implementation") == "sluice:stepwise"]
        document["benchmarks"] += [{**one, "implementation": "cudnn:standard"} for one in medians]
        document["benchmarks"] += [{**STEP, "implementation": "sluice", "real_time": 4000.0},
                                   {**STEP, "implementation": "pytorch", "real_time": 9000.0}]
        path.write_text(json.dumps(document))
        row = self.predict("NVIDIA H200")["lstm", "25", "64", "512", "512", "bfloat16"]
        lines = timings.table(self.visit, 2000)
        predicted = "/".join(f"{number:.3g}" for number in row["predicted"])
        number = r"-?[0-9.e+-]+"
        pair = f"{number}/{number}"
        self.assertEqual(len(lines), 3, lines)
        self.assertRegex("\n".join(lines), rf"(?m)^lstm T25 B64 I512 H512 bfloat16 \w+: {pair} \| "
                         rf"{re.escape(predicted)} \| {pair} \| ({pair}) \| \1 cudnn:standard \({number}x\)$")
        self.assertIn("figures/step/lstm/V30000: -/4 | -/- | -/- | -/- | -/9 pytorch (2.25x)", lines)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

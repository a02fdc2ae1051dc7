"""pytorch_peer.py's results in Google Benchmark's JSON schema (bench/report/report.h), written case by case."""

import json
import os
import sys
import tempfile

import numpy as np

SHAPE = ("suite", "case", "cell", "pass", "T", "B", "N", "I", "H", "L", "D", "V", "E", "dtype", "flops", "limit_us",
         "lengths", "axis", "value")


def fail(message):
    print(f"pytorch_peer: {message}", file=sys.stderr)
    sys.exit(2)


def read_results(path):
    """A result file of sluice-bench or of pytorch_peer.py."""
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        if not isinstance(document["context"], dict) or not isinstance(document["benchmarks"], list):
            raise ValueError("expected an object with context and benchmarks")
        return document
    except (OSError, ValueError, KeyError, TypeError) as error:
        fail(f"{path} is no result file: {error}")


def common(case, family):
    name = case["case"] + "/pytorch"
    return {"name": name, "family_index": family, "per_family_instance_index": 0, "run_name": name, "threads": 1}


def entries_of(case, family, real, cpu, iterations, fields):
    """Of a measured case; seconds of a pass for each repetition, arrays."""
    shared = {**common(case, family), "run_type": "iteration", "repetitions": len(real)}
    for i in range(len(real)):
        yield {**shared, "repetition_index": i, "iterations": iterations, "real_time": real[i] * 1e6,
               "cpu_time": cpu[i] * 1e6, "time_unit": "us"}

    def aggregate(kind, function, unit="time"):
        factor = 1e6 if unit == "time" else 1.0
        return {**shared, "name": f"{shared['name']}_{kind}", "run_type": "aggregate", "aggregate_name": kind,
                "aggregate_unit": unit, "iterations": len(real), "real_time": float(function(real)) * factor,
                "cpu_time": float(function(cpu)) * factor, "time_unit": "us"}

    def deviation(values):
        return np.std(values, ddof=1) if len(values) > 1 else 0.0

    yield aggregate("mean", np.mean)
    median = aggregate("median", np.median)
    median.update({**{key: value for key, value in case.items() if key in SHAPE}, "implementation": "pytorch",
                   "p10": float(np.percentile(real, 10)) * 1e6, "p90": float(np.percentile(real, 90)) * 1e6, **fields})
    if "flops" in case:
        median["tflops"] = case["flops"] / float(np.median(real)) * 1e-12
    yield median
    yield aggregate("stddev", deviation)
    yield aggregate("cv", lambda values: deviation(values) / np.mean(values), "percentage")
    yield aggregate("p10", lambda values: np.percentile(values, 10))
    yield aggregate("p90", lambda values: np.percentile(values, 90))


def error_of(case, family, message):
    return {**common(case, family), "run_type": "iteration", "repetitions": 1, "repetition_index": 0,
            "error_occurred": True, "error_message": message, "iterations": 0, "real_time": 0.0, "cpu_time": 0.0,
            "time_unit": "us", "suite": case["suite"], "case": case["case"], "implementation": "pytorch"}


class Results:
    """The document that grows; with `append` it begins with what the file holds."""

    def __init__(self, path, context, append):
        self.path, self.family = path, -1
        self.document = {"context": context, "benchmarks": []}
        if not append or not os.path.exists(path):
            return
        old = read_results(path)
        for key in ("machine", "device"):
            if old["context"].get(key) != context.get(key):
                fail(f"--append: {path} holds results of {key} {old['context'].get(key)}, this is {context.get(key)}; "
                     "name another --out")
        context["peers"] = {**old["context"].get("peers", {}), **context["peers"]}
        self.document["benchmarks"] = old["benchmarks"]
        self.family = max((each.get("family_index", -1) for each in old["benchmarks"]), default=-1)

    def next_family(self):
        self.family += 1
        return self.family

    def add(self, case, entries):
        """In place of what there is of this case."""
        name = case["case"] + "/pytorch"
        kept = [each for each in self.document["benchmarks"] if each.get("run_name", each["name"]) != name]
        self.document["benchmarks"] = kept + entries

    def write(self):
        """Replaces the file whole, or, with an OSError, not at all."""
        folder, name = os.path.split(os.path.abspath(self.path))
        number, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        try:
            with open(number, "w", encoding="utf-8") as file:
                json.dump(self.document, file, indent=1)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(temporary, 0o666 & ~mask)
            os.replace(temporary, self.path)
        except BaseException:
            os.unlink(temporary)
            raise

"""The JSON report of tests/gpu.sh: what is in it, and whether one is whole."""

import datetime
import json
import pathlib
import re
import sys
import time

RESULTS = ("passed", "failed", "skipped")
SECTIONS = ("tests", "cudnn", "repeat", "training", "sanitizers")


class Report:
    """Collects entries, prints what is not a success, and knows how much time is left."""

    def __init__(self, machine, versions, commit, seconds):
        self.began = time.monotonic()
        self.seconds = seconds
        self.head = {"schema": 1,
                     "time": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                     "commit": commit, "machine": machine, "versions": versions}
        self.results = []

    def elapsed(self):
        return time.monotonic() - self.began

    def time_left(self):
        return self.seconds - self.elapsed()

    def add(self, section, name, result, detail="", **more):
        """`more`: seconds, errors {tensor: number or None}, allowed, ..."""
        self.results.append({"section": section, "name": name, "result": result,
                             "detail": " ".join(detail.split())[:600], **more})
        if result == "failed":
            print(f"failed   {name}: {self.results[-1]['detail']}", flush=True)

    def count(self, section=None):
        return {result: sum(one["result"] == result and section in (None, one["section"])
                            for one in self.results) for result in RESULTS}

    def maximal_errors(self):
        """The largest error of each tensor in each section; None where one was not a number."""
        largest = {}
        for one in self.results:
            of_section = largest.setdefault(one["section"], {})
            for tensor, error in one.get("errors", {}).items():
                before = of_section.get(tensor, 0.0)
                of_section[tensor] = None if error is None or before is None else max(before, error)
        return {section: errors for section, errors in largest.items() if errors}

    def skipped(self, section=None):
        """Reasons, each with how often and where first."""
        reasons = {}
        for one in self.results:
            if one["result"] == "skipped" and section in (None, one["section"]):
                reasons.setdefault(one["detail"], []).append(f"{one['section']} {one['name']}")
        return [{"reason": reason, "count": len(names), "first": names[0]} for reason, names in reasons.items()]

    def whole(self):
        return {**self.head, "seconds": round(self.elapsed(), 1), "counts": self.count(),
                "sections": {section: self.count(section) for section in SECTIONS},
                "maximal_errors": self.maximal_errors(),
                "skipped": self.skipped(), "results": self.results}

    def default_path(self, root):
        stamp = re.sub(r"[-:]", "", self.head["time"])
        gpu = re.sub(r"[^A-Za-z0-9]+", "-", self.head["machine"]["gpu"]).strip("-")
        return pathlib.Path(root) / "tests" / "gpu-reports" / f"{stamp}-{gpu}.json"

    def write(self, path):
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = self.whole()
        results = whole.pop("results")
        head = json.dumps(whole, indent=2, allow_nan=False)
        lines = ",\n".join("    " + json.dumps(one, allow_nan=False) for one in results)
        path.write_text(head[:-2] + ',\n  "results": [\n' + lines + "\n  ]\n}\n")


def problems(report):
    """What is wrong with a report, as sentences; empty if nothing is."""
    found = []

    def expect(condition, sentence):
        if not condition:
            found.append(sentence)

    types = {"schema": int, "time": str, "commit": str, "machine": dict, "versions": dict,
             "seconds": (int, float), "counts": dict, "sections": dict, "maximal_errors": dict,
             "skipped": list, "results": list}
    for key, kind in types.items():
        expect(isinstance(report.get(key), kind), f"{key} is missing or of another type")
    if found:
        return found
    expect(report["schema"] == 1, "schema is not 1")
    for key in ("gpu", "driver", "cpu", "system"):
        expect(isinstance(report["machine"].get(key), str), f"machine.{key} is missing")
    expect(isinstance(report["versions"].get("sluice"), dict), "versions.sluice is missing")
    for index, one in enumerate(report["results"]):
        where = f"results[{index}]"
        expect(one.get("section") in SECTIONS, f"{where}.section is unknown")
        expect(one.get("result") in RESULTS, f"{where}.result is unknown")
        expect(bool(one.get("name")), f"{where}.name is empty")
        expect(one.get("result") == "passed" or one.get("detail"), f"{where} does not say why")
        expect("errors" not in one or all(error is None or isinstance(error, (int, float))
                                          for error in one["errors"].values()), f"{where}.errors has a non-number")
    for result in RESULTS:
        expect(report["counts"].get(result) == sum(one.get("result") == result for one in report["results"]),
               f"counts.{result} is not what the results say")
    return found


if __name__ == "__main__":  # report.py FILE: says what is wrong with it
    with open(sys.argv[1], encoding="utf-8") as file:
        wrong = problems(json.load(file))
    print("\n".join(wrong) or "whole")
    sys.exit(1 if wrong else 0)

#!/usr/bin/env python3
"""The report of a visit, report.jsonl: an object a line, each written when it is known, so that a visit that is killed
leaves what it had found.

    {"kind": "head", "schema": 2, "visit": "first", "time", "commit", "seconds", "machine": {gpu, driver, ...},
     "versions": {...}, "dry": false, "bounded"?}
    {"kind": "case", "stage", "name", "result", "detail", "seconds", "errors"?, "allowed"?, "values"?, "broken"?}
    {"kind": "errors", "stage", "name", "errors": {tensor: number or null}}   of a case above
    {"kind": "end", "seconds", "counts": {result: number}, "exit": 0, 1 or 3, "stuck": false}

"bounded": the programs whose kernels end with a message where they wait in vain; the others are the product's code.
Results: passed, failed; skipped: does not apply here; cut: was planned and did not run or not to its end.

    tests/gpu/running/report.py FILE    says what is wrong with one; exit code 1 if anything is
"""

import errno
import json
import os
import sys

RESULTS = ("passed", "failed", "skipped", "cut")
MOST_DETAIL = 1000  # characters
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Writer:
    """Appends lines. Where the disk takes no more they are kept, and tried again with each line that follows."""

    def __init__(self, path, say, make_room=lambda: False):
        """`make_room`: called where there is none; true if it has made some. Errors: OSError where the file cannot be
        made, except for want of room."""
        self.path, self.say, self.make_room, self.waiting = path, say, make_room, []
        self._file, self._good, self._told = None, 0, False
        self._open()

    def _open(self):
        try:
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            self._complain(error)

    def line(self, one):
        self.waiting.append(json.dumps(one, allow_nan=False) + "\n")
        self.flush()

    def flush(self):
        """True if all is written."""
        try:
            if self._file is None:
                self._open()
            while self.waiting and self._file is not None:
                data = self.waiting[0].encode()
                if os.pwrite(self._file, data, self._good) != len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                self._good += len(data)
                self.waiting.pop(0)
        except OSError as error:
            self._take_back()
            if error.errno in NO_ROOM and self.make_room():
                return self.flush()
            self._complain(error)
        return not self.waiting

    def _complain(self, error):
        if not self._told:
            self._told = True
            self.say(f"{self.path} cannot be written ({error.strerror}): "
                     "results are kept in memory and printed at the end")

    def _take_back(self):
        try:
            if self._file is not None:
                os.ftruncate(self._file, self._good)  # half a line
        except OSError:
            pass

    def sync(self):
        try:
            if self._file is not None:
                os.fsync(self._file)
        except OSError:
            pass


def finite(value):
    """The same without numbers that JSON does not have."""
    if isinstance(value, dict):
        return {str(key): finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(one) for one in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


def case_line(stage, name, result, detail, seconds, more):
    detail = "".join(c if c.isprintable() else " " for c in str(detail))
    detail = " ".join(detail.split())
    if len(detail) > MOST_DETAIL:
        detail = detail[:MOST_DETAIL - 4] + " ..."
    return finite({"kind": "case", "stage": stage, "name": name, "result": result, "detail": detail,
                   "seconds": round(seconds, 3), **more})


class Report:
    """One that was read."""

    def __init__(self):
        self.head, self.cases, self.end = {}, [], None
        self.wrong = []           # sentences
        self.broken_line = False  # the last one is cut in half

    @property
    def killed(self):
        return self.end is None

    def counts(self, stage=None):
        return {result: sum(one.get("result") == result and stage in (None, one.get("stage")) for one in self.cases)
                for result in RESULTS}

    def stages(self):
        return list(dict.fromkeys(one.get("stage") for one in self.cases))


def read(path):
    """Takes a file that ends in the middle of a line, or without its "end". Errors: OSError."""
    with open(path, "rb") as file:
        text = file.read().decode(errors="replace")
    found = Report()
    lines = text.split("\n")
    if lines.pop():
        found.broken_line = True
    for number, line in enumerate(lines, 1):
        try:
            one = json.loads(line)
            if not isinstance(one, dict):
                raise ValueError
        except ValueError:
            found.wrong.append(f"line {number} is no JSON object")
            continue
        _place(found, number, one)
    return found


def _place(found, number, one):
    kind = one.get("kind")
    if found.end is not None:
        found.wrong.append(f"line {number} stands after the end")
    if kind == "head":
        if found.head or number != 1:
            found.wrong.append(f"line {number} is a head; expected it once, first")
        found.head = found.head or one
    elif kind == "case":
        found.cases.append(one)
    elif kind == "errors":
        for case in reversed(found.cases):
            if (case.get("stage"), case.get("name")) == (one.get("stage"), one.get("name")):
                case["errors"] = one.get("errors", {})
                break
        else:
            found.wrong.append(f"line {number} has errors of a case that is not there")
    elif kind == "end":
        found.end = one
    else:
        found.wrong.append(f"line {number} is of no known kind")


def problems(found):
    """What is wrong with a report, as sentences; empty if nothing is."""
    wrong = list(found.wrong)
    types = {"schema": int, "visit": str, "time": str, "commit": str, "seconds": (int, float), "machine": dict,
             "versions": dict, "dry": bool}
    for key, kind in types.items():
        if not isinstance(found.head.get(key), kind):
            wrong.append(f"the head's {key} is missing or of another type")
    if not isinstance(found.head.get("bounded", []), list):
        wrong.append("the head's bounded is no list of programs")
    if found.head.get("schema", 2) != 2:
        wrong.append(f"schema {found.head['schema']} is not 2")
    for index, one in enumerate(found.cases):
        wrong += [f"case {index + 1} ({one.get('name')}): {problem}" for problem in _case_problems(one)]
    if found.broken_line:
        wrong.append("the last line is cut in half")
    if found.end is None:
        wrong.append(f"it has no end: the visit was killed; {len(found.cases)} results are there")
    else:
        wrong += _end_problems(found)
    return wrong


def _case_problems(one):
    if not isinstance(one.get("name"), str) or not one["name"]:
        yield "it has no name"
    if not isinstance(one.get("stage"), str):
        yield "it has no stage"
    if one.get("result") not in RESULTS:
        yield f"its result is none of {', '.join(RESULTS)}"
    elif one["result"] != "passed" and not one.get("detail"):
        yield "it does not say why"
    if not isinstance(one.get("seconds"), (int, float)):
        yield "it has no seconds"
    for key in ("errors", "values"):
        numbers = one.get(key, {})
        if not isinstance(numbers, dict) or not all(n is None or isinstance(n, (int, float)) for n in numbers.values()):
            yield f"its {key} are not numbers"


def _end_problems(found):
    counts = found.counts()
    if found.end.get("counts") != counts:
        yield f"the end counts {found.end.get('counts')}, the cases are {counts}"
    code, stuck = found.end.get("exit"), found.end.get("stuck")
    if code not in (0, 1, 3) or not isinstance(stuck, bool):
        yield "the end has no exit code or does not say whether the GPU was stuck"
    elif code == 0 and (counts["failed"] or counts["cut"] or stuck):
        yield "its exit code is 0, but something failed or was cut"
    elif code == 3 and counts["failed"]:
        yield "its exit code is 3, but something failed"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: tests/gpu/running/report.py FILE")
    sentences = problems(read(sys.argv[1]))
    print("\n".join(sentences) or "whole")
    sys.exit(1 if sentences else 0)

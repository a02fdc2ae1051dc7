"""How the programs of a visit name their cases, take a choice of them, and say how each ended.

A protocol has
  listing(program)           the command that lists all cases
  names(text)                the cases in what it printed
  command(program, names)    (command, standard input, names): runs exactly these names, all of them or as many as one
                             command line holds
  events(line)               what a line says: a list of
      ("begin", name)
      ("part", name, result, detail, more)   one result of a case that gives several
      ("end", name, result, detail, more)    the case's last word; result None: it only ends
      ("alone", name, result, detail, more)  a result outside of any case
      ("note", text)                         something that is wrong and that no case may show
  recorded()                 [(name, {tensor: error})] of what it wrote aside, once it has ended
An event is only told, not believed: guarded.py compares it with what was asked for.
"""

import json
import math
import pathlib
import re

# What the product says of errors that no later call survives (kernels/device/cuda_check.cpp), and what CUDA, cuBLAS and
# PyTorch say of them.
BROKEN = re.compile(
    r"broke the device's context|unspecified launch failure|illegal memory access|illegal instruction|"
    r"misaligned address|device-side assert|hardware stack error|invalid program counter|"
    r"operation not supported on global/shared address space|launch timed out|"
    r"cudaError(IllegalAddress|LaunchTimeout|Assert|HardwareStackError|IllegalInstruction|MisalignedAddress|"
    r"InvalidAddressSpace|InvalidPc|LaunchFailure)\b|CUDA error:? (700|702|710|71[4-9]|721|810)\b")
# What a thread of a kernel with bounded spins says before it traps (kernels/time_loops/persistent/spin_limit.h).
WAITS_IN_VAIN = re.compile(r"sluice: persistent_\w+: .* waits more than \d+ s for ")
# Instrumented kernels need more registers than a block may have; where the driver is shared, tools may not look.
NOT_HERE = re.compile(r"Device not supported|ERR_NVGPUCTRPERM|Failed to initialize the profiler|LibraryNotLoaded")
TOO_LARGE_TO_INSTRUMENT = re.compile(r"too many resources requested for launch|cudaErrorLaunchOutOfResources")
MOST_TEXT = 60000  # characters of a command line's choice, and of a case's text that are kept


def _number(text):
    """None for what JSON has no number for."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


class GoogleTest:
    """A test program, its cases chosen by `chosen`, a filter of GoogleTest's."""

    STATE = re.compile(r"\[ +(RUN|OK|FAILED|SKIPPED) +\] ([^\s,]+)(.*)$")
    TIME = re.compile(r"\((\d+) ms\)$")

    def __init__(self, chosen="*cuda*", before=(), scratch=None):
        """`scratch`: a folder for the errors that cases record; None: they are not looked at."""
        self.chosen, self.before = chosen, list(before)
        self._records = pathlib.Path(scratch) / "records.json" if scratch else None
        self._text, self._kept = [], 0

    def listing(self, program):
        return [program, "--gtest_list_tests", f"--gtest_filter={self.chosen}"]

    def names(self, text):
        suite, found = "", []
        for line in text.splitlines():
            name = line.split("#")[0].strip()
            if not line.startswith(" "):
                suite = name if name.endswith(".") and " " not in name else ""
            elif suite and name and not name.startswith("DISABLED_") and "DISABLED_" not in suite:
                found.append(suite + name)
        return list(dict.fromkeys(found))

    def command(self, program, names):
        chosen, length = [], 0
        for name in names:
            length += len(name) + 1
            if chosen and length > MOST_TEXT:
                break
            chosen.append(name)
        self._text, self._kept = [], 0
        records = [f"--gtest_output=json:{self._records}"] if self._records else []
        command = [*self.before, program, "--gtest_filter=" + ":".join(chosen), "--gtest_color=no", *records]
        return command, None, chosen

    def recorded(self):
        """RecordProperty("error_<tensor>", ...) of each case."""
        try:
            suites = json.loads(self._records.read_text())["testsuites"] if self._records else []
            self._records.unlink()
        except (OSError, ValueError, KeyError, AttributeError):
            return []
        found = []
        for suite in suites:
            for case in suite.get("testsuite", []):
                errors = {key[len("error_"):]: _number(value) for key, value in case.items() if key.startswith("error_")}
                if errors:
                    found.append((f"{suite['name']}.{case['name']}", errors))
        return found

    def events(self, line):
        state = self.STATE.search(line)
        if state is None:
            return self._keep(line)
        kind, name, rest = state.groups()
        if kind == "RUN":
            self._text, self._kept = [], 0
            return [("begin", name)]
        if not self.TIME.search(rest):  # the list at the end
            return []
        if state.start() > 0:
            self._keep(line[:state.start()])
        return [("end", name, *self._result(kind))]

    def _keep(self, line):
        if line.strip() and self._kept < MOST_TEXT:
            self._text.append(line.strip())
            self._kept += len(line)
        return []

    def _result(self, kind):
        said = " ".join(line for line in self._text if not line.endswith(": Skipped"))
        if kind == "OK":
            return "passed", "", {}
        if kind == "SKIPPED":
            return "skipped", said or "GoogleTest skipped it", {}
        return "failed", said or "it does not say why", {"broken": True} if BROKEN.search(said) else {}


class Sanitized(GoogleTest):
    """The same under compute-sanitizer: what it reports between a case's beginning and end is the case's failure."""

    def __init__(self, tool, kind, chosen="*cuda*"):
        # API errors are the tests' own to report: some provoke them.
        super().__init__(chosen, [tool, "--tool", kind, "--error-exitcode", "9", "--report-api-errors", "no",
                                  "--print-limit", "20"])
        self.tool = kind
        self.found = []      # errors of the case under way
        self.useless = ""    # why the tool does not work here
        self.excused = ()    # ends that a skipped case explains, which the program takes for a failure

    def command(self, program, names):
        self.found = []
        return super().command(program, names)

    def events(self, line):
        if line.startswith("========="):
            return self._reported(line.lstrip("= ").strip())
        events = super().events(line)
        if events and events[0][0] == "begin":
            self.found = []
        return events

    def _reported(self, text):
        if NOT_HERE.search(text):
            self.useless = text
        if self.useless:
            return []
        summary = re.match(r"ERROR SUMMARY: (\d+) error", text) or re.match(r"RACECHECK SUMMARY: (\d+) hazard", text)
        if summary:
            return [("note", f"the sanitizer counts {summary[1]}")] if int(summary[1]) else []
        if re.match(r"(Invalid|Error|ERROR|Race|Warning: Race|Barrier|Divergent|Uninit|Program hit|Leaked|Internal|"
                    r"Unable)", text):
            self.found.append(text)
        return []

    def _result(self, kind):
        result, detail, more = super()._result(kind)
        said = " ".join([detail, *self.found])
        if self.useless:
            self.excused = ("exit 1", "exit 9")
            return "skipped", f"compute-sanitizer does not work here: {self.useless}", {}
        if TOO_LARGE_TO_INSTRUMENT.search(said):
            self.excused = ("exit 1", "exit 9")
            return "skipped", "an instrumented kernel needs more registers than a block has", more
        found = [one for one in self.found if not one.startswith("Program hit")]
        if found and result != "failed":
            return "failed", " ".join(found), {"broken": True} if BROKEN.search(said) else {}
        return result, said.strip() if result == "failed" else detail, more


class JsonLines:
    """The programs of tests/gpu that print an object a line (json_lines.h)."""

    RESULTS = ("passed", "failed", "skipped")

    def __init__(self, more=()):
        self.more = list(more)
        self._begun = None

    def listing(self, program):
        return [program, "--list", *self.more]

    def names(self, text):
        return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))

    def command(self, program, names):
        self._begun = None
        return [program, "--cases", "-", *self.more], "\n".join(names) + "\n", names

    def recorded(self):
        return []

    def events(self, line):
        start = line.find("{")
        try:
            said = json.loads(line[start:]) if start >= 0 else None
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            return []
        if isinstance(said.get("begin"), str):
            self._begun = said["begin"]
            return [("begin", self._begun)]
        name, result = said.get("case"), said.get("result")
        if not isinstance(name, str) or result not in self.RESULTS:
            return []
        more = {key: {str(one): _number(number) for one, number in said[key].items()} for key in ("errors", "values")
                if isinstance(said.get(key), dict)}
        if _number(said.get("allowed")) is not None:
            more["allowed"] = _number(said["allowed"])
        if said.get("broken") is True:
            more["broken"] = True
        detail = str(said.get("detail", ""))
        if self._begun is None:
            return [("alone", name, result, detail, more)]
        ends = said.get("end") is True or name == self._begun or "broken" in more
        if not ends or name == self._begun:
            return [("end" if ends else "part", name, result, detail, more)]
        return [("part", name, result, detail, more), ("end", self._begun, None, "", {})]


class Numbered:
    """sluice-bench and pytorch_peer.py: "[i/n] name" begins a case and "[i/n] name done" ends it. `outcome(name)`
    says from what it has written how that went: (result, detail)."""

    LINE = re.compile(r"\[(\d+)/(\d+)\] (.+?)( done)?$")

    def __init__(self, outcome, listed, run):
        """`listed` and `run`: what follows the program to list cases, and to measure those of standard input."""
        self.outcome, self.listed, self.run = outcome, list(listed), list(run)

    def listing(self, program):
        return [program, *self.listed]

    names, recorded = JsonLines.names, JsonLines.recorded

    def command(self, program, names):
        return [program, *self.run], "\n".join(names) + "\n", names

    def events(self, line):
        match = self.LINE.match(line)
        if match is None:
            return []
        name = match[3]
        return [("end", name, *self.outcome(name), {})] if match[4] else [("begin", name)]

"""`visit run ncu`: what the slowest kernel of each kind waits for, by the GPU's own counters."""

import csv
import io
import re

from . import commands, machine, protocols, stages

# A shape of each kind; few steps are enough, since each is like the next.
KINDS = {"block": ("persistent_block", "lstm,T100,B256,I128,H64"),
         "cluster": ("persistent_cluster", "lstm,T100,B64,I512,H512"),
         "grid": ("persistent_grid", "lstm,T100,B64,I1024,H1024"),
         "stepwise": ("stepwise", "lstm,T10,B64,I2048,H2048")}
TIME = "gpu__time_duration.sum"
MOST_KERNELS = 100  # of a run that are timed: some passes
SECTIONS = ("SpeedOfLight", "LaunchStats", "Occupancy", "SchedulerStats", "WarpStateStats", "InstructionStats",
            "MemoryWorkloadAnalysis", "SourceCounters")
WANTED = re.compile(r"time_duration|Duration|Registers Per Thread|Issue Slots Busy|Executed Ipc Active|No Eligible|"
                    r"Stall|L2 Hit Rate|Compute \(SM\) Throughput|Memory Throughput", re.IGNORECASE)


def kernels(visit):
    tool = None if visit.dry else machine.tool("ncu")
    for kind, (algorithm, shape) in KINDS.items():
        name = f"slowest of {kind}"
        if tool is None:
            visit.write("ncu", name, "skipped", "the imagined GPU has no counters" if visit.dry else "no ncu here")
        elif path := stages.program(visit, "ncu", "sluice-bench"):
            _slowest(visit, name, tool, [path, "--device", "cuda", "--shape", shape, "--dtype", "bfloat16",
                                         "--algorithm", algorithm, "--peers", "none", "--no-graph", "--min-time",
                                         "0.000001", "--repeat", "1"])


def _ncu(visit, tool, options, program):
    # The clocks are left as they are: the card is shared with others after us.
    return commands.capture(visit, [tool, "--csv", "--clock-control", "none", *options, *program], visit.environment,
                            4 * visit.silence)


def _table(text):
    """The rows of ncu's CSV, which stand between what the program prints."""
    lines = text.splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith('"ID"')), None)
    rows = [line for line in lines[start:] if line.startswith('"')] if start is not None else []
    return list(csv.DictReader(io.StringIO("\n".join(rows))))


def _number(text):
    try:
        return float(str(text).replace(",", ""))
    except ValueError:
        return None


def _slowest(visit, name, tool, program):
    """Times all kernels of a run, then counts in the one that took longest."""
    timed = _ncu(visit, tool, ["--metrics", TIME, "--launch-count", str(MOST_KERNELS)], program)
    if _said(visit, name, timed):
        return
    times = {}
    for row in _table(timed.text):
        value = _number(row.get("Metric Value"))
        if row.get("Metric Name") == TIME and value is not None:
            times[row["Kernel Name"]] = max(value, times.get(row["Kernel Name"], 0.0))
    if not times:
        return visit.write("ncu", name, "failed", f"ncu names no kernel: {_end_of(timed)}", timed.seconds)
    slowest = max(times, key=times.get)
    base = re.search(r"(\w+)\s*(?:<|\(|$)", slowest)
    options = [part for section in SECTIONS for part in ("--section", section)]
    counted = _ncu(visit, tool, [*options, "--print-details", "all", "--launch-count", "1", "--kernel-name",
                                 f"regex:^{base[1]}$" if base else "regex:."], program)
    if _said(visit, name, counted):
        return
    rows = _table(counted.text)
    values = {row["Metric Name"]: _number(row["Metric Value"])
              for row in rows if WANTED.search(row.get("Metric Name") or "")}
    _keep(visit, rows)
    detail = f"{slowest[:160]}: {times[slowest]:g} ns" if rows else f"ncu counts nothing: {_end_of(counted)}"
    visit.write("ncu", name, "passed" if rows else "failed", detail, timed.seconds + counted.seconds, values=values)


def _end_of(found):
    return " ".join(found.text.split())[-300:]


def _said(visit, name, found):
    """Whether it has ended otherwise than well, which is written down."""
    if found.ok:
        return False
    if found.why == "hang":
        visit.write("ncu", name, "failed", f"hang: no end within {4 * visit.silence:g} s", found.seconds)
    elif found.why:
        visit.write("ncu", name, "cut", found.why, found.seconds)
    elif protocols.NOT_HERE.search(found.text):
        why = protocols.NOT_HERE.search(found.text)[0]
        visit.write("ncu", name, "skipped", f"ncu does not work here: {why}", found.seconds)
    else:
        visit.write("ncu", name, "failed", f"ncu {found.in_words()}", found.seconds)
    return True


def _keep(visit, rows):
    path = visit.out / "ncu.csv"
    try:
        fresh = not path.exists()
        with open(path, "a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0].keys() if rows else [], extrasaction="ignore")
            if fresh:
                writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        visit.say_once(f"{path} cannot be written: {error.strerror}")


STAGES = [stages.Stage("ncu", 230, kernels)]

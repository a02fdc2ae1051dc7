"""sluice-bench and pytorch_peer.py in a visit: both add to one result file each, case by case."""

import importlib.util
import json
import pathlib
import sys

from . import guarded, protocols, stages

SHORT = ("--min-time", "0.01", "--repeat", "5")  # enough for a median; a visit is short
SMALL = ("--small", "--min-time", "0.000001", "--repeat", "2")  # on the imagined GPU times mean nothing
# What pytorch_peer.py wants of the C library; without it, it would start anew and import PyTorch a second time.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 32)}


def entries(path):
    """The medians and errors of a result file; [] where there is none, or none yet."""
    try:
        benchmarks = json.loads(pathlib.Path(path).read_text())["benchmarks"]
        return [one for one in benchmarks if "case" in one and
                (one.get("aggregate_name") == "median" or one.get("error_occurred"))]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def outcome(path, name, own):
    """What a case that is over is worth: failed where `own` - an implementation - was not measured, or one computes
    something else; what others refuse is said."""
    found = [one for one in entries(path) if one["case"] == name]
    errors = [(one.get("implementation", ""), str(one.get("error_message", "")))
              for one in found if one.get("error_occurred")]
    wrong = [f"{who}: {what}" for who, what in errors if who == own or "differs" in what]
    if wrong:
        return "failed", "; ".join(wrong)
    others = "; ".join(f"{who}: {what}" for who, what in errors)
    if not any(one.get("implementation") == own for one in found):
        return "failed", f"{pathlib.Path(path).name} holds no {own} of it" + (f"; {others}" if others else "")
    return "passed", f"without {others}" if others else ""


def sluice_bench(visit, stage, options, choose=None, few=1, **job):
    """Measures what `options` and `choose(names)` take, into timings.json."""
    path = stages.program(visit, stage, "sluice-bench")
    if path is None:
        return
    out = visit.out / "timings.json"
    common = ["--device", "cuda", *options, *(SMALL if visit.dry else SHORT)]
    protocol = protocols.Numbered(lambda name: outcome(out, name, "sluice"), [*common, "--list"],
                                  [*common, "--cases", "-", "--append", "--out", str(out)])
    # It ends with 1 where a peer failed, which the case says.
    stages.cases(visit, stage, path, protocol, choose, few, prefix="", excused=("exit 1",), **job)


def pytorch(visit, stage, wanted):
    """PyTorch on the cases in timings.json whose names `wanted` (a compiled expression) matches."""
    timings, out = visit.out / "timings.json", visit.out / "pytorch.json"
    for package in ("torch", "numpy"):
        if importlib.util.find_spec(package) is None:
            return visit.write(stage, "all", "skipped", f"no {package} here")
    names = [one["case"] for one in entries(timings)
             if one.get("implementation") == "sluice" and not one.get("error_occurred") and wanted.search(one["case"])
             and "pytorch" in one.get("opponents", ["pytorch"])]
    if not names:
        return visit.write(stage, "all", "cut", "not run: Sluice measured none of the cases that PyTorch was to")
    script = str(visit.root / "bench" / "pytorch_peer.py")
    options = [*SHORT, *(["--device", "cpu"] if visit.dry else [])]
    protocol = protocols.Numbered(lambda name: outcome(out, name, "pytorch"), [],
                                  [script, str(timings), "--cases", "-", "--append", "--out", str(out), *options])
    # Python's packages bring their own CUDA libraries: ours and the toolkit's would mix with them.
    environment = {**visit.plain_environment, **KEEP_MEMORY}
    job = guarded.Job(stage, pathlib.Path(sys.executable), protocol, list(dict.fromkeys(names)), environment,
                      label="pytorch_peer.py", silence=visit.silence, start=4 * visit.silence, families=False,
                      excused=("exit 1",))
    return guarded.run(visit, job)

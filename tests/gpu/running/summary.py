"""What a visit prints last: all that matters, in at most 8,000 characters, since whoever runs it may see no more."""

import re

from . import constants, timings
from .report import RESULTS

MOST = 7900
OF_STAGES, OF_VALUES, OF_TABLE, OF_FAILURES, OF_NOT_RUN = 1100, 1100, 2300, 1900, 1000


def alike(text):
    """Messages that differ in numbers and addresses alone are one."""
    text = re.sub(r"0x[0-9a-fA-F]+", "#", text)
    return re.sub(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", "#", text)[:200]


def groups(cases):
    """[(how many, the first's name, its detail)], the most frequent first."""
    found = {}
    for one in cases:
        found.setdefault((one["stage"], alike(one["detail"])), []).append(one)
    return sorted(((len(ones), ones[0]) for ones in found.values()), key=lambda group: -group[0])


def _shortened(text, most):
    return text if len(text) <= most else text[:most - 4] + " ..."


def _fitting(lines, most, what):
    """As many lines as fit, and how many are left out."""
    kept, used = [], 0
    for line in lines:
        if used + len(line) + 60 > most:
            kept.append(f"... and {len(lines) - len(kept)} more {what}")
            break
        kept.append(line)
        used += len(line) + 1
    return kept


def _stage_lines(visit, planned):
    lines = []
    for name in planned:
        counts = visit.counts[name]
        said = ", ".join(f"{counts[result]} {result}" for result in RESULTS if counts[result])
        warning = "  NOTHING RAN" if not counts["passed"] and not counts["failed"] else ""
        lines.append(f"{name:<12} {visit.stage_seconds.get(name, 0.0):5.1f} s  {said or 'nothing'}{warning}")
    return lines


def _value_lines(visit):
    """What the machine is like, and what the probes found: as constants of the cost model, where they are some."""
    def lines(stage, width):
        return [_shortened(f"{one['name']}: " + ", ".join(f"{key} {value:.4g}" for key, value in one["values"].items()
                                                        if value is not None), width)
                for one in visit.cases if one["stage"] == stage and one.get("values")]

    return lines("machine", 240) + (_constants(visit) or lines("probes", 110))


def _constants(visit):
    probes = {one["name"]: one["values"] for one in visit.cases if one["stage"] == "probes" and one.get("values")}
    try:
        source = (visit.root / "engine" / "choice" / "gpu_rates.cpp").read_text()
        card = re.search(r"h100|h200", visit.machine.get("gpu", "").lower())
        return constants.lines(constants.replaced(probes, source, card[0] if card else ""))
    except Exception:  # pylint: disable=broad-except
        return []  # the values themselves, then


def _group_lines(cases, width):
    lines = []
    for count, first in groups(cases):
        times = f"{count}x " if count > 1 else ""
        lines.append(_shortened(f"{times}{first['stage']}: {_shortened(first['name'], 110)}: {first['detail']}", width))
    return lines


def text(visit, planned, code):
    """The whole of it. `planned`: names of stages; `code`: the visit's exit code."""
    failed = [one for one in visit.cases if one["result"] == "failed"]
    not_run = [one for result in ("cut", "skipped") for one in visit.cases if one["result"] == result]
    parts = [[visit.title()], _fitting(_stage_lines(visit, planned), OF_STAGES, "stages")]
    try:
        table = timings.table(visit, OF_TABLE)
    except Exception as error:  # pylint: disable=broad-except
        # A result file of another form: the rest must still be said.
        table = [_shortened(f"no table of times: {type(error).__name__}: {error}", 200)]
    parts += [_fitting(_value_lines(visit), OF_VALUES, "cases with numbers"), table]
    if failed:
        lines = _fitting(_group_lines(failed, 330), OF_FAILURES, "kinds of failure")
        parts.append([f"== Failed ({len(failed)})"] + lines)
    if not_run:
        parts.append([f"== Not run ({len(not_run)})"] + _fitting(_group_lines(not_run, 200), OF_NOT_RUN, "reasons"))
    meaning = {0: "all that was planned passed", 1: "something failed", 3: "cut short"}[code]
    total = ", ".join(f"{visit.count(result)} {result}" for result in RESULTS)
    stuck = "GPU stuck: a process outlived SIGKILL; nothing was started after it. " if visit.stuck else ""
    last = f"{stuck}{total} in {visit.elapsed():.0f} s; exit code {code}: {meaning}"
    body = "\n".join("\n".join(part) for part in parts if part)
    body = "".join(c if c.isprintable() or c == "\n" else "?" for c in body)
    return _shortened(body, MOST - len(last)) + "\n" + last

"""`visit keep`, back from the machine with the GPU: checks what a visit wrote and files it.

The report goes to tests/gpu-reports/, times with their table and pictures, counters and what the probes found to
bench/results/<gpu>-<date>/, the measured times beside the predictions for that card to bench/predictions.md (H200) or
bench/predictions-<card>.md, the figures to README.md. A message for the commit goes to .carry/commit-message.txt, and
says what ran, what failed and what did not run. Keeping the same again changes nothing. A report cut in half is kept,
and the message says so.

Exit codes: 0 filed; 1 a report is refused, or a program of the build failed; 2 wrong usage."""

import argparse
import json
import pathlib
import sys

from running import constants
from running import report as reports

from . import filed, results

ROOT = pathlib.Path(__file__).resolve().parents[3]
REPORTS = ("report.previous.jsonl", "report.jsonl")
DEFAULT_CARD = "h200"  # bench/predictions.md is for it
MESSAGE = pathlib.Path(".carry") / "commit-message.txt"
MOST_FAILURES = 12  # lines of them in the message


def options(parser):
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folders", nargs="+", metavar="FOLDER",
                        help="what a run wrote to --out, or a folder of such folders")
    parser.add_argument("--build", metavar="DIR", help="with bin/sluice-bench and bin/predictions, for any device "
                        "(default: build, else build/visit)")
    parser.add_argument("--dry-report", action="store_true", 
                        help="check reports of a rehearsal too; they are not filed")


def say(text):
    print(f"visit keep: {text}", file=sys.stderr)


def main(args):
    try:
        kept = [one for folder in args.folders for one in _checked(pathlib.Path(folder), args.dry_report)]
        if all(one.filed is None for one in kept):
            print("nothing to file: a rehearsal's report is checked alone")
            return 0
        kept = [one for one in kept if one.filed is not None]
        return _file(kept, _programs(args.build, kept))
    except Refused as refusal:
        say(str(refusal))
        return refusal.code


class Refused(Exception):
    def __init__(self, text, code=1):
        super().__init__(text)
        self.code = code


class Kept:
    """A report that came back. filed: None for a rehearsal's. gaps: what it does not hold, as sentences."""

    def __init__(self, path, report, gaps):
        self.path, self.folder, self.report, self.gaps = path, path.parent, report, gaps
        self.filed = None if report.head["dry"] else filed.Filed(report)


# --- Checking ---

def _checked(folder, dry_too):
    if not folder.is_dir():
        raise Refused(f"{folder}: expected a folder that a visit wrote, found none", 2)
    paths = [path for place in [folder, *sorted(one for one in folder.iterdir() if one.is_dir())]
             for path in (place / name for name in REPORTS) if path.is_file()]
    if not paths:
        raise Refused(f"{folder}: expected a report.jsonl in it or in a folder of it, found none", 2)
    return [_read(path, dry_too) for path in paths]


def _read(path, dry_too):
    report = reports.read(path)
    wrong = reports.problems(report)
    gaps = [one for one in wrong if one.startswith(("the last line is cut", "it has no end"))]
    others = [one for one in wrong if one not in gaps]
    if others:
        raise Refused(f"{path} is no report that can be filed: {'; '.join(others[:5])}")
    if report.head["dry"] and not dry_too:
        raise Refused(f"{path} is a rehearsal's, not of a GPU; --dry-report checks it without filing")
    try:
        kept = Kept(path, report, gaps)
    except (KeyError, ValueError, AttributeError) as error:
        raise Refused(f"{path} is no report that can be filed: its head: {error}") from error
    print(f"{path}: {report.head['visit']} on {report.head['machine'].get('gpu')}: "
          f"{filed.counts_text(report.counts())}{''.join('; ' + gap for gap in gaps)}")
    return kept


def _programs(build, kept):
    """{name: path} of sluice-bench and predictions, where times came back."""
    if not any((one.folder / name).exists() for one in kept for name in results.SOURCES):
        return {}
    folders = [pathlib.Path(build)] if build else [ROOT / "build", ROOT / "build" / "visit"]
    for folder in folders:
        found = {name: (folder / "bin" / name).resolve() for name in ("sluice-bench", "predictions")}
        if all(path.is_file() for path in found.values()):
            return found
    places = " and ".join(str(folder) for folder in folders)
    raise Refused(f"there are times to join, and {places} lack bin/sluice-bench or bin/predictions: "
                  "cmake --preset cpu && cmake --build --preset cpu --target sluice-bench predictions")


# --- Filing ---

def _file(kept, programs):
    """Returns the exit code: what cannot be made of the times keeps nothing else from being filed."""
    changed, rows, status = [one.filed.name for one in kept if _file_report(one)], {}, 0

    def attempt(work, *arguments):
        nonlocal status
        try:
            return work(*arguments)
        except results.Failure as failure:
            say(str(failure))
            status = 1
            return []

    for machine in dict.fromkeys(one.filed.machine for one in kept):
        of_machine = [one for one in kept if one.filed.machine == machine]
        folder = ROOT / "bench" / "results" / machine
        changed += attempt(_file_times, of_machine, folder, programs)
        changed += attempt(_file_predictions, of_machine[0].filed, folder, programs)
        rows[machine] = _file_probes(of_machine, folder)
        for one in of_machine:
            counters = one.folder / "ncu.csv"
            if counters.exists() and results.write(folder / "ncu.csv", counters.read_text(errors="replace")):
                changed.append("ncu.csv")
        if folder.is_dir():
            results.write(folder / "README.md", _about(of_machine))
    if attempt(filed.update_readme, ROOT):
        changed.append("README.md")
    message = _message(kept, rows)
    (ROOT / MESSAGE.parent).mkdir(exist_ok=True)
    results.write(ROOT / MESSAGE, message)
    print(f"\n{'filed anew: ' + ', '.join(dict.fromkeys(changed)) if changed else 'all of it was filed before'}\n"
          f"\nThe commit's message, in {MESSAGE} (git add {filed.FOLDER} bench README.md && git commit -F {MESSAGE}):"
          "\n")
    print(message, end="")
    return status


def _file_report(one):
    """True if it was not there. A whole report is never replaced by half of it."""
    path = ROOT / filed.FOLDER / one.filed.name
    if path.exists():
        there = reports.read(path)
        if len(there.cases) > len(one.report.cases) or (one.report.killed and not there.killed):
            say(f"{path.relative_to(ROOT)} is there already and holds more; it stays")
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    data = one.path.read_bytes()
    if path.exists() and path.read_bytes() == data:
        return False
    path.write_bytes(data)
    return True


def _file_times(of_machine, folder, programs):
    folders = dict.fromkeys(one.folder for one in of_machine)
    parts = [part for place in folders for part in results.documents(place, say)]
    return [f"{folder.name}/"] if parts and results.join(parts, folder, programs["sluice-bench"], ROOT, say) else []


def _file_predictions(machine, folder, programs):
    """Beside the times that were joined, if any were."""
    if not programs or not (folder / "results.json").exists():
        return []
    if not machine.card:
        say(f"no predictions for {machine.gpu}: engine/choice/gpu_rates.cpp has no constants of it")
        return []
    path = ROOT / "bench" / ("predictions.md" if machine.card == DEFAULT_CARD else f"predictions-{machine.card}.md")
    text = results.output_of([programs["predictions"], "--gpu", machine.card, "--measured", folder / "results.json"])
    return [f"bench/{path.name}"] if results.write(path, text) else []


def _file_probes(of_machine, folder):
    """The constants that they replace."""
    probes = {}
    for one in of_machine:
        for case in one.report.cases:
            if case.get("stage") == "probes" and case["result"] == "passed" and case.get("values"):
                probes[case["name"]] = case["values"]
    path = folder / "probes.json"
    if not probes:
        return []
    last = of_machine[-1].filed
    if path.exists():  # of a visit before on that day
        before = json.loads(path.read_text())
        probes = {**before["probes"], **probes}
        if probes == before["probes"]:  # with the constants as they were then
            return before["constants"]
    source = (ROOT / "engine" / "choice" / "gpu_rates.cpp").read_text()
    rows = constants.replaced(probes, source, last.card)
    content = {"machine": last.gpu, "driver": last.driver, "date": last.date, "commit": last.commit, "probes": probes,
               "constants": rows}
    results.write(path, json.dumps(content, indent=1) + "\n")
    return rows


def _about(of_machine):
    """A README for the folder of results: of all reports of that machine and day."""
    first = of_machine[0].filed
    same = [one for one in filed.all_of(ROOT) if one.machine == first.machine]
    lines = [f"# {first.gpu}, {first.date}\n", f"Driver {first.driver}. Visits (`tests/gpu/visit run`):\n"]
    for one in same:
        gap = ", killed before its end" if one.report.killed else ""
        lines.append(f"- {one.visit}, commit {one.commit}: {filed.counts_text(one.report.counts())}{gap} "
                     f"(`{filed.FOLDER}/{one.name}`)")
    return "\n".join(lines) + """

`results.json`: all times, joined by `visit keep`; `table.txt`, `results.csv` and the pictures show them;
`probes.json`: what the probes found and the constants of `engine/choice/gpu_rates.cpp` that it replaces; `ncu.csv`:
counters. Not all of them came of each day.
"""


# --- The commit's message ---

def _message(kept, rows):
    kept = list({one.filed.name: one for one in kept}.values())
    first = kept[0].filed
    visits = " and ".join(dict.fromkeys(one.filed.visit for one in kept))
    failed = sum(one.report.counts()["failed"] for one in kept)
    lines = [f"GPU: {visits} on {first.gpu}: {f'{failed} failed' if failed else 'nothing failed'}", ""]
    for one in kept:
        lines.append(f"visit run {one.filed.visit}, {one.filed.time:%Y-%m-%d %H:%M} UTC, {one.filed.gpu}, driver "
                     f"{one.filed.driver}, commit {one.filed.commit[:12]}:")
        lines.append(f"{filed.counts_text(one.report.counts())}.")
        lines += [f"Incomplete: {gap}." for gap in one.gaps]
        end = one.report.end or {}
        if end.get("stuck"):
            lines.append("The GPU was stuck: a process did not die.")
        lines += _grouped("Failed", [case for case in one.report.cases if case["result"] == "failed"])
        lines += _grouped("Not run", [case for case in one.report.cases if case["result"] == "cut"])
        lines.append("")
    for machine, of_machine in rows.items():
        if of_machine:
            lines += ["What the probes found in place of constants of engine/choice/gpu_rates.cpp", f"({machine}):"]
            lines += [f"  {line}" for line in constants.lines(of_machine)] + [""]
    return "\n".join(lines).rstrip() + "\n"


def _grouped(word, cases):
    """A line for each message, with how often and where first."""
    groups = {}
    for case in cases:
        groups.setdefault(str(case.get("detail", "")), []).append(f"{case['stage']} {case['name']}")
    shown = sorted(groups.items(), key=lambda item: -len(item[1]))[:MOST_FAILURES]
    lines = [f"  {len(names)}: {detail[:160]} ({names[0]}{', ...' if len(names) > 1 else ''})"
             for detail, names in shown]
    if len(groups) > len(shown):
        lines.append(f"  and {len(groups) - len(shown)} messages more")
    return [f"{word}:", *lines] if lines else []

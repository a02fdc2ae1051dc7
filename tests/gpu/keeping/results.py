"""What a visit measured, joined to bench/results/<gpu>-<date>/: one result file of all visits of a day, with its table,
lines for a spreadsheet and pictures."""

import json
import pathlib
import subprocess
import sys
import tempfile

SOURCES = ("timings.json", "pytorch.json")  # of sluice-bench and of pytorch_peer.py


class Failure(Exception):
    """Says what was asked of which program, and what it said."""


def output_of(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(str(part) for part in command)} ended with {done.returncode}: "
                      f"{(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def write(path, text):
    """True if it was not there with these words."""
    if path.exists() and path.read_text() == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return True


def documents(folder, say):
    """The result files of a folder that hold measurements of a GPU."""
    found = []
    for name in SOURCES:
        path = folder / name
        if not path.exists():
            continue
        try:
            one = json.loads(path.read_text())
            entries, device = one["benchmarks"], one["context"].get("device", "")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            say(f"{path} is no result file and is left out: {error}")
            continue
        if device == "cpu":
            say(f"{path} was measured on a CPU and is left out")
        elif entries:
            found.append(one)
    return found


def _joined(parts):
    """One document; a benchmark that was measured again takes the place of the older one. Without the outputs' digests,
    which only pytorch_peer.py reads."""
    context, groups = {}, {}
    for document in parts:
        peers = {**context.get("peers", {}), **document["context"].get("peers", {})}
        context = context or {key: value for key, value in document["context"].items() if key != "figures"}
        if peers:
            context["peers"] = peers
        fresh = {}
        for entry in document["benchmarks"]:
            entry = {key: value for key, value in entry.items() if key != "outputs"}
            fresh.setdefault(entry.get("run_name", entry.get("name")), []).append(entry)
        groups.update(fresh)
    return {"context": context, "benchmarks": [entry for group in groups.values() for entry in group]}


def join(parts, folder, bench, root, say):
    """Adds `parts` to folder/results.json. True if that changed anything. Errors: Failure."""
    path = folder / "results.json"
    if path.exists():
        parts = [json.loads(path.read_text()), *parts]
    with tempfile.TemporaryDirectory() as work:
        joined, out, csv = (pathlib.Path(work) / name for name in ("joined.json", "results.json", "results.csv"))
        joined.write_text(json.dumps(_joined(parts), indent=1))
        table = output_of([bench, "--read", joined, "--out", out, "--csv", csv])
        changed = write(path, out.read_text())
        changed = write(folder / "results.csv", csv.read_text()) or changed
        changed = write(folder / "table.txt", table) or changed
    if changed or not list(folder.glob("*.svg")):
        _pictures(path, folder, root, say)
    return changed


def _pictures(path, folder, root, say):
    done = subprocess.run([sys.executable, root / "bench" / "plot.py", path, "--out", folder], capture_output=True,
                          text=True, check=False)
    if done.returncode == 77:
        say("no pictures: matplotlib is missing here")
    elif done.returncode != 0:
        say(f"no pictures: bench/plot.py: {done.stderr.strip()[-200:]}")


def figures(folder):
    """The rows that sluice-bench made of the figures, or []."""
    try:
        return json.loads((folder / "results.json").read_text())["context"].get("figures", [])
    except (OSError, ValueError, KeyError):
        return []

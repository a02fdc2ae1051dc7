"""The seven timings of `visit run first`, and the table of what was measured beside what was predicted, the limit and
the fastest peer."""

import json
import re

from . import benchmarks, commands

# predictions.md's shapes without the two that take seconds: where a kernel of each kind should win or lose.
SEVEN = ("lstm,T400,B256,I128,H64", "lstm,T25,B64,I512,H512", "lstm,T512,B64,I512,H512", "lstm,T25,B64,I1024,H1024",
         "lstm,T1024,B16,I768,H768", "gru,T1500,B32,I1024,H1024", "lstm,T25,B64,I2048,H2048")
# persist_dynamic is compiled for each problem, which takes seconds: `visit run speed` has it.
PEERS = "sluice:stepwise,cudnn:standard,cudnn:persist_static,cudnn:persist_static_small_h"
SMALL = ("lstm,T5,B8,I32,H32",)  # for the imagined GPU


def stage(visit):
    """Forward alone and both passes; cuDNN and stepwise beside Sluice's own choice."""
    options = ["--dtype", "bfloat16", "--algorithm", "own", "--peers", PEERS]
    for shape in SMALL if visit.dry else SEVEN:
        options += ["--shape", shape + ",inference", "--shape", shape]  # shape/inference/... and shape/...
    benchmarks.sluice_bench(visit, "timings", options, few=2)


def predict(visit):
    """Reads what the cost model says into visit.predictions."""
    path = visit.build.program("predictions")
    if path is None:
        return
    known = re.search(r"[hH]\d00|[aA]100|[bB]\d00", visit.machine.get("gpu", ""))
    command = [path, *(["--gpu", known[0].lower()] if known else []), "--json"]
    found = commands.capture(visit, command, visit.environment, visit.silence)
    for line in found.text.splitlines() if found.ok else []:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            visit.predictions[_shape_of_prediction(row)] = row


def _shape_of_prediction(row):
    numbers = row.get("arithmetic", row.get("dtype", ""))
    return tuple(str(row.get(key, "")).lower() for key in ("cell", "T", "B", "I", "H")) + (str(numbers).lower(),)


def _shape_of_entry(entry):
    return tuple(str(entry.get(key, "")).lower() for key in ("cell", "T", "B", "I", "H", "dtype"))


class _Row:
    """All that is known of a shape: {implementation: {pass: (ms, limit in ms)}}."""

    def __init__(self, name):
        self.name, self.times, self.algorithm, self.predicted = name, {}, "", None

    def pair(self, implementation, which=0):
        """(forward, backward) in ms: backward is what training takes beyond inference; without inference
        (None, both passes)."""
        of = self.times.get(implementation, {})
        forward = of.get("inference", (None, None))[which]
        both = of.get("training", (None, None))[which]
        return forward, (both - forward if None not in (forward, both) else both)

    def peers(self, prefix):
        return [name for name in self.times if name.startswith(prefix)]

    def best(self):
        """(pair, name) of the fastest peer in each pass apart."""
        pairs = [(self.pair(name), name) for name in self.times if name.startswith(("cudnn", "pytorch", "onednn"))]
        columns = []
        for index in (0, 1):
            known = [(pair[index], name) for pair, name in pairs if pair[index] is not None]
            columns.append(min(known, default=(None, "")))
        names = list(dict.fromkeys(name for _, name in columns if name))
        return (columns[0][0], columns[1][0]), "+".join(names)

    def ratio(self):
        """The fastest peer's time over Sluice's, of all passes together; inf without a peer."""
        ours, theirs = self.pair("sluice"), self.best()[0]
        both = [(a, b) for a, b in zip(ours, theirs) if a and b]
        return sum(b for _, b in both) / sum(a for a, _ in both) if both else float("inf")


def _rows(visit):
    rows = {}
    for file in ("timings.json", "pytorch.json"):
        for one in benchmarks.entries(visit.out / file):
            if one.get("error_occurred") or "real_time" not in one:
                continue
            ragged = "/ragged" if one.get("lengths") else ""
            shape = _shape_of_entry(one) + (ragged, str(one.get("L", 1)), str(one.get("D", 1)))
            if "cell" not in one or "T" not in one:  # a training step
                shape = (one["case"],)
            name = one["case"] if len(shape) == 1 else "{} T{} B{} I{} H{} {}".format(*shape[:6]) + ragged
            row = rows.setdefault(shape, _Row(name))
            limit = one.get("limit_us")
            times = row.times.setdefault(one.get("implementation", ""), {})
            which = "inference" if one.get("pass") == "inference" else "training"
            times[which] = (one["real_time"] * 1e-3, limit * 1e-3 if limit else None)
            if one.get("implementation") == "sluice":
                row.algorithm = one.get("algorithm", row.algorithm)
                row.predicted = visit.predictions.get(shape[:6])
    return [row for row in rows.values() if "sluice" in row.times]


def _text(pair):
    return "/".join("-" if one is None else f"{one:.3g}" for one in pair)


def table(visit, most_characters):
    """Lines: milliseconds forward/backward. Where not all fit, those come first that do worst against their peers."""
    rows = _rows(visit)
    if not rows:
        return []
    head = "ms forward/backward, or -/both: measured | predicted | limit | stepwise | fastest peer (its time over ours)"
    lines, used = [], len(head)
    rows.sort(key=_Row.ratio)
    for row in rows:
        predicted = row.predicted or {}
        peer, name = row.best()
        ratio = row.ratio()
        algorithm = row.algorithm and " " + row.algorithm.replace("persistent_", "")
        line = (f"{row.name}{algorithm}: {_text(row.pair('sluice'))} | "
                f"{_text(_pair_of(predicted, 'predicted'))} | {_text(row.pair('sluice', 1))} | "
                f"{_text(row.pair('sluice:stepwise'))} | {_text(peer)} {name.replace('persist_', '')}"
                + (f" ({ratio:.2f}x)" if ratio != float("inf") else ""))
        if used + len(line) + 40 > most_characters:
            lines.append(f"... and {len(rows) - len(lines)} shapes more in timings.json")
            break
        lines.append(line)
        used += len(line) + 1
    return [head, *lines]


def _pair_of(row, key):
    """From a row of predictions: "key": [forward, backward], or {"forward", "backward"}."""
    value = row.get(key)
    if isinstance(value, dict):
        value = [value.get("forward"), value.get("backward")]
    numbers = [one if isinstance(one, (int, float)) else None for one in value] if isinstance(value, list) else []
    return tuple(numbers[:2]) if len(numbers) >= 2 else (None, None)

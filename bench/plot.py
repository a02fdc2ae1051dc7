#!/usr/bin/env python3
"""Draws result files of sluice-bench as PNG and SVG.

    python3 bench/plot.py results.json [more.json ...] --out FOLDER

  ratios     time of each peer over Sluice's, for every case of the layer suites: above 1 Sluice is
             faster; the geometric mean of each peer in the legend
  roofline   TFLOP/s of layers and products against their multiplications and additions a byte, under
             the device's limits
  scaling    time against T, B, H, L and the vocabulary, relative to the first point; and the
             bytes held for a training pass against T

Of several files, later ones add peers and cases. Needs Python 3.9 and matplotlib.
"""

import argparse
import collections
import json
import math
import pathlib
import sys

try:
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
except ImportError:
    print("plot.py: matplotlib is missing (Debian: python3-matplotlib)", file=sys.stderr)
    sys.exit(77)

COLOURS = {"sluice": "#c8102e", "onednn": "#0068b5", "pytorch": "#ee9b00", "cudnn:standard": "#76b900"}


def read(paths):
    context, medians = None, {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        context = context or document["context"]
        for entry in document["benchmarks"]:
            if entry.get("aggregate_name") == "median" and "case" in entry:
                medians[(entry["case"], entry["implementation"])] = entry
    return context, medians


def title(context, text):
    return f"{text}\n{context['machine']}, {context['device_description']}, {context['dtype']}, {context['date'][:10]}"


def save(figure, folder, name):
    figure.tight_layout()
    for kind in ("png", "svg"):
        figure.savefig(folder / f"{name}.{kind}", dpi=130, metadata={"Date": None} if kind == "svg" else None)
    plt.close(figure)
    print(folder / f"{name}.png")


def colour(name, i):
    return COLOURS.get(name, f"C{i}")


def label(case):
    parts = [part for part in case.split("/")[1:] if part not in ("float32", "padded", "bucketed")]
    return " ".join(parts)


# --- Ratios ----------------------------------------------------------------------------------------

def draw_ratios(context, medians, folder):
    suites = collections.OrderedDict()
    for (case, name), entry in medians.items():
        if name != "sluice" and (case, "sluice") in medians and name != "input-product":
            suites.setdefault(entry["suite"], {}).setdefault(name, []).append(
                (case, entry["real_time"] / medians[(case, "sluice")]["real_time"]))
    for suite, peers in suites.items():
        cases = [case for case in dict.fromkeys(case for case, _ in medians) if medians_of(medians, case, suite)]
        cases = [case for case in cases if any(case == each for rows in peers.values() for each, _ in rows)]
        figure, axes = plt.subplots(figsize=(10, 1.6 + 0.24 * len(cases)))
        for i, (peer, rows) in enumerate(peers.items()):
            mean = math.exp(sum(math.log(ratio) for _, ratio in rows) / len(rows))
            axes.plot([ratio for _, ratio in rows], [cases.index(case) for case, _ in rows], "o",
                      color=colour(peer, i), label=f"{peer}: geometric mean {mean:.2f}, worst "
                                                   f"{min(ratio for _, ratio in rows):.2f}")
        axes.axvline(1.0, color="black", linewidth=0.8)
        axes.set_xscale("log")
        ticks = [t for t in (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 50, 100)
                 if axes.get_xlim()[0] <= t <= axes.get_xlim()[1]]
        axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
        axes.minorticks_off()
        axes.set_yticks(range(len(cases)), [label(case) for case in cases], fontsize=8)
        axes.invert_yaxis()
        axes.grid(alpha=0.3)
        axes.set_xlabel("the peer's time over Sluice's (right of 1: Sluice is faster)")
        axes.legend(loc="best", fontsize=8)
        axes.set_title(title(context, suite), fontsize=10)
        save(figure, folder, f"ratios-{suite}")


def medians_of(medians, case, suite):
    return (case, "sluice") in medians and medians[(case, "sluice")]["suite"] == suite


# --- Roofline --------------------------------------------------------------------------------------

def intensity(entry):
    """Multiplications and additions for each byte that must move."""
    if entry.get("flops") and entry.get("bytes_moved"):
        return entry["flops"] / entry["bytes_moved"]
    if entry.get("flops") and entry.get("compulsory_bytes"):
        return entry["flops"] / entry["compulsory_bytes"]
    return None


def draw_roofline(context, medians, folder):
    limits = context.get("limits", {})
    if "tflops" not in limits:
        return
    figure, axes = plt.subplots(figsize=(9, 6))
    rates = limits["gigabytes_per_second"]
    rates = rates if isinstance(rates, dict) else {"memory": rates}
    peak = limits["tflops"]
    xs = [2.0 ** (e / 8) for e in range(-16, 97)]
    for i, (footprint, rate) in enumerate(rates.items()):
        axes.plot(xs, [min(peak, x * rate * 1e-3) for x in xs], color="black", linewidth=1,
                  alpha=1.0 - 0.7 * i / max(1, len(rates)), linestyle=["-", "--", "-.", ":"][i % 4],
                  label=f"{rate:.0f} GB/s ({footprint}), {peak:.2f} TFLOP/s")
    groups = collections.defaultdict(list)
    for (_, name), entry in medians.items():
        x = intensity(entry)
        if x and entry.get("tflops") and name != "input-product":
            groups[(entry["suite"], name)].append((x, entry["tflops"]))
    markers = {"deepbench-train": "o", "deepbench-infer": "^", "kernels": "s"}
    for i, ((suite, name), points) in enumerate(groups.items()):
        if suite in markers:
            axes.plot(*zip(*points), markers[suite], color=colour(name, i), alpha=0.7, label=f"{name}, {suite}",
                      linestyle="")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=10)
    axes.set_xlabel("FLOP a byte that must move")
    axes.set_ylabel("TFLOP/s")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    axes.set_title(title(context, "roofline"), fontsize=10)
    save(figure, folder, "roofline")


# --- Scaling ---------------------------------------------------------------------------------------

def draw_scaling(context, medians, folder):
    curves, memory = collections.OrderedDict(), collections.OrderedDict()
    for (_, name), entry in medians.items():
        if entry["suite"] == "scaling" and "axis" in entry:
            curves.setdefault(entry["axis"], {}).setdefault((entry["cell"], name), []).append(
                (entry["value"], entry["real_time"]))
        if entry["suite"] == "memory" and "bytes" in entry:
            memory.setdefault((entry["cell"], name), []).append((entry["T"], entry["bytes"] / 2 ** 20))
    panels = len(curves) + (1 if memory else 0)
    if panels == 0:
        return
    columns = min(3, panels)
    figure, grid = plt.subplots(-(-panels // columns), columns, squeeze=False,
                                figsize=(4.2 * columns, 3.6 * -(-panels // columns)))
    all_axes = list(grid.flat)
    for axes, (axis, series) in zip(all_axes, curves.items()):
        for i, ((cell, name), points) in enumerate(series.items()):
            points.sort()
            axes.plot(*zip(*points), "o-", label=f"{cell}, {name}", color=f"C{i}")
        first = min(points[0] for points in series.values())
        last = max(points[-1][0] for points in series.values())
        axes.plot([first[0], last], [first[1], first[1] * last / first[0]], ":", color="grey", label="proportional")
        axes.set_xscale("log")
        axes.set_yscale("log")
        values = sorted({value for points in series.values() for value, _ in points})
        axes.set_xticks(values, [f"{value:g}" for value in values], fontsize=7)
        axes.minorticks_off()
        axes.set_xlabel(axis)
        axes.set_ylabel("us a pass")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7)
    if memory:
        axes = all_axes[len(curves)]
        for i, ((cell, name), points) in enumerate(memory.items()):
            points.sort()
            axes.plot(*zip(*points), "o-", label=f"{cell}, {name}", color=f"C{i}")
        axes.set_xlabel("T")
        axes.set_ylabel("MiB held for a training pass")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7)
    for axes in all_axes[panels:]:
        axes.axis("off")
    figure.suptitle(title(context, "how cost grows"), fontsize=10)
    save(figure, folder, "scaling")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+")
    parser.add_argument("--out", required=True, help="folder for the pictures")
    args = parser.parse_args()
    folder = pathlib.Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    context, medians = read(args.results)
    draw_ratios(context, medians, folder)
    draw_roofline(context, medians, folder)
    draw_scaling(context, medians, folder)


if __name__ == "__main__":
    main()

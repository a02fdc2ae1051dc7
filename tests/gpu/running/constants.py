"""The constants of engine/choice/gpu_rates.cpp that a visit's probes replace."""

import re

MICRO, TERA = 1e-6, 1e12
CLUSTERS = [f"cluster_exchange/blocks{blocks}" for blocks in (16, 8, 4, 2)]
GRIDS = [f"flag_barrier/grid{blocks}" for blocks in (48, 64, 16, 128)]
# (constant, probes, value, its unit in SI, the unit that gpu_rates.cpp writes or None), as probes/README.md has it. The
# first probe that ran counts; of a latency's floor the least.
REPLACED = [
    ("multiprocessors", ["limits/device"], "multiprocessors", 1, None),
    ("clock", CLUSTERS, "clock_hz", 1, None),
    ("bandwidth", ["launches/memory"], "bytes_per_second", 1, "kTera"),
    ("cache_bandwidth", ["launches/cache"], "bytes_per_second", 1, "kTera"),
    ("exchange_bytes_per_clock", CLUSTERS, "bytes_per_clock", 1, None),
    ("block_exchange.target", ["flag_barrier/block"], "us_per_round_2048B", MICRO, "kMicro"),
    ("cluster_exchange.floor", CLUSTERS, "latency_us", MICRO, "kMicro"),
    ("cluster_exchange.target", CLUSTERS, "latency_us", MICRO, "kMicro"),
    ("grid_exchange.floor", GRIDS, "us_per_round_plain", MICRO, "kMicro"),
    ("grid_exchange.target", GRIDS, "latency_us", MICRO, "kMicro"),
    ("dependent_kernel", ["launches/whole_gpu"], "us_from_end_to_start_in_graph", MICRO, "kMicro"),
    ("smallest_kernel", ["launches/one_block"], "us_of_smallest_kernel", MICRO, "kMicro"),
]
UNITS = {"kMicro": MICRO, "kTera": TERA, None: 1}
NUMBER = r"[0-9][0-9.]*(?:e[+-]?[0-9]+)?"


def _old(source, name, card):
    """As it stands in the source, or None."""
    name, _, part = name.partition(".")
    if name == "bandwidth":  # what each card gives hopper()
        match = re.search(rf'hopper\("[^"]*{card}[^"]*", ([^)]+)\)', source, re.IGNORECASE) if card else None
    else:
        match = re.search(rf"rates\.{name} = ([^;]+);", source)
    if match is None:
        return None
    text = match[1].strip()
    if part:
        both = text.strip("{}").split(",")
        text = both[1 if part == "target" else 0].strip() if len(both) == 2 else text
    return text


def _number(text):
    match = re.fullmatch(rf"({NUMBER})(?: \* (\w+))?", text or "")
    return float(match[1]) * UNITS.get(match[2], 1) if match else None


def _found(probes, names, key, least):
    """(probe, value) or None. What is 0 or missing was not measured."""
    found = [(name, probes[name][key]) for name in names if probes.get(name, {}).get(key)]
    return min(found, key=lambda one: one[1]) if least and found else next(iter(found), None)


def replaced(probes, source, card):
    """`probes`: {case: {key: number}}; `source`: the text of gpu_rates.cpp; `card`: "h100", "h200" or "". Returns
    {"name", "old", "new", "change", "from"} of each that was measured; the new one as the source would have it."""
    rows = []
    for name, names, key, unit, written in REPLACED:
        found = _found(probes, names, key, name.endswith(".floor"))
        if found is None:
            continue
        value = found[1] * unit
        new = f"{value / UNITS[written]:.3g} * {written}" if written else f"{value:.4g}"
        old = _old(source, name, card)
        before = _number(old)
        rows.append({"name": name, "old": old, "new": new, "change": round(value / before, 3) if before else None,
                     "from": f"{found[0]} {key}"})
    return rows


def lines(rows):
    return [f"{row['name']}: {row['old'] or 'not there'} -> {row['new']}"
            f"{' (%.2f times)' % row['change'] if row['change'] else ''}, {row['from']}" for row in rows]

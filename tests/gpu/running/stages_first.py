"""`visit run first`: is the machine what it is taken for, do the kernels end, are they right, are they fast.
In the order of what the rest stands on, and of what a first run is most likely to find."""

import json

from . import commands, machine, stages, timings

# gpu_probe_<name>, in the order of what would stop or mislead the most; others follow.
PROBES = ("cooperative_admission", "limits", "cluster_exchange", "flag_barrier", "mma", "cudnn_contact", "graph_updates",
          "launches", "lanes")
CLOCKS = {"clocks.sm": "sm_mhz", "clocks.mem": "memory_mhz", "clocks.max.sm": "most_sm_mhz",
          "clocks.max.mem": "most_memory_mhz", "power.limit": "power_limit_w", "temperature.gpu": "temperature_c"}


def about_machine(visit):
    """Clocks, and what `sluice info` finds: a device or why there is none, and how many clusters are resident."""
    stage = "machine"
    if visit.dry:
        visit.write(stage, "clocks", "skipped", "the imagined GPU has none")
    else:
        commands.single(visit, stage, "clocks", machine.query(*CLOCKS), visit.plain_environment, _clocks)
    if stages.program(visit, stage, "sluice") is not None:
        commands.settle(visit, stage, "sluice info", visit.info, lambda text: _info(visit, text))
        if not visit.info.ok:
            visit.give_up("not even sluice info gets as far as the GPU")


def _clocks(text):
    values = {}
    for key, word in zip(CLOCKS.values(), (text.splitlines() or [""])[0].split(",")):
        try:
            values[key] = float(word)
        except ValueError:
            pass  # [N/A]
    return "passed", ", ".join(f"{key} {value:g}" for key, value in values.items()), {"values": values}


def _info(visit, text):
    try:
        info = json.loads(text)
        devices = [one for one in info.get("devices", []) if str(one.get("device", "")).startswith("cuda")]
    except (ValueError, AttributeError):
        return "failed", f"expected a JSON object, got {text[:200]}", {}
    if not devices and ("devices" in info or info.get("cuda_problem")):
        visit.give_up("the programs find no GPU")
        return "failed", f"it finds no GPU though nvidia-smi does: {info.get('cuda_problem')}", {}
    values = {}
    for device in devices[:1]:
        clusters = device.get("cluster_limits") or {}
        values = {f"clusters_of_{blocks}": number for blocks, number in clusters.items()}
        values["multiprocessors"] = device.get("multiprocessors")
    detail = ", ".join(f"{key} {value}" for key, value in values.items())
    cudnn = f"cuDNN {info['cudnn']}" if info.get("cudnn") else f"no cuDNN: {info.get('cudnn_problem')}"
    return "passed", f"{detail}; {cudnn}", {"values": values}


def probes(visit):
    """Each a small program; what they measure are the constants of engine/choice/gpu_rates.cpp."""
    found = visit.build.programs("gpu_probe_*")
    if not found:
        visit.write("probes", "gpu_probe_*", "cut", f"not run: there are none in {visit.build.bin}")

    def place(path):
        name = path.name[len("gpu_probe_"):]
        return PROBES.index(name) if name in PROBES else len(PROBES), name

    for path in sorted(found, key=place):
        stages.json_lines(visit, "probes", path.name, families=False)


def tiny(visit):
    """The smallest case of block, cluster and grid."""
    def choose(names):
        visit.chosen["tiny"] = stages.smallest_of_each(names, 1)
        return visit.chosen["tiny"]

    stages.google_tests(visit, "tiny", stages.PERSISTENT[0], choose, few=3)


def persistent(visit):
    """What is left of the persistent kernels' tests."""
    done = set(visit.chosen.get("tiny", []))
    for name in stages.PERSISTENT:
        stages.google_tests(visit, "persistent", name, lambda names: [one for one in names if one not in done])


def shapes(visit):
    """Real shapes against stepwise, three times bit for bit."""
    stages.json_lines(visit, "shapes", "gpu_real_shapes", few=1)


def memcheck(visit):
    tool = stages.sanitizer(visit, "memcheck")
    if tool:
        stages.sanitized(visit, "memcheck", tool, "memcheck", stages.PERSISTENT[0],
                         lambda names: stages.smallest_of_each(names, 3))


STAGES = [stages.Stage("machine", 14, about_machine), stages.Stage("probes", 44, probes), stages.Stage("tiny", 40, tiny),
          stages.Stage("persistent", 28, persistent), stages.Stage("shapes", 40, shapes),
          stages.Stage("timings", 48, timings.stage), stages.Stage("memcheck", 26, memcheck)]

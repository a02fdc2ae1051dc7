"""Whole trainings by the command: the same bits each time, and the same losses as on the CPU."""

import hashlib
import json
import pathlib
import shutil

from . import commands, stages

LIMIT = 60.0  # seconds of one training


def _train(visit, stage, name, device, options):
    """(captured, the last epoch's training loss or None, a digest of the weights or None); a failure is written."""
    folder = pathlib.Path(visit.scratch) / "training"
    shutil.rmtree(folder, ignore_errors=True)
    command = [visit.build.program("sluice"), "train", "--out", folder, "--device", device, "--seed", "1", "--json",
               *options]
    found = commands.capture(visit, command, visit.environment, LIMIT)
    losses = []
    for line in found.text.splitlines():
        try:
            losses.append(json.loads(line)["train_loss"])
        except (ValueError, KeyError, TypeError):
            pass
    try:
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.glob("*.safetensors")))).hexdigest()
    except OSError:
        digest = None
    shutil.rmtree(folder, ignore_errors=True)
    if not found.ok or not losses:
        if found.why == "hang":
            visit.hangs["sluice train"] += 1
            visit.write(stage, name, "failed", f"hang: a training on {device} has no end within {LIMIT:g} s",
                        found.seconds)
        else:
            visit.write(stage, name, "cut" if found.why else "failed",
                        found.why or f"a training on {device} {found.in_words()}", found.seconds)
        return found, None, None
    return found, losses[-1], digest


def _may_train(visit, stage, name):
    if visit.hangs["sluice train"] >= visit.most_hangs:
        visit.write(stage, name, "cut", f"left out: {visit.most_hangs} trainings hung")
        return False
    if visit.scratch is None:
        visit.write(stage, name, "cut", "not run: no folder for its model")
        return False
    return stages.program(visit, stage, "sluice") is not None


def same_bits(visit, stage, cell, times):
    """One training, `times` times."""
    name = f"training {cell} {times} times"
    if not _may_train(visit, stage, name):
        return
    options = ["--cell", cell, "--count", "64" if visit.dry else "512", "--epochs", "1", "--hidden", "32", "--embed",
               "32", "--batch", "32", "--dropout", "0.2"]
    digests, seconds = [], 0.0
    for _ in range(times):
        found, loss, digest = _train(visit, stage, name, "cuda", options)
        seconds += found.seconds
        if loss is None:
            return
        digests.append(digest)
    different = len(set(digests))
    if different == 1:
        visit.write(stage, name, "passed", "one set of weights", seconds)
    else:
        visit.write(stage, name, "failed", f"{different} different sets of weights in {times} runs", seconds)


def beside_the_cpu(visit):
    """The same steps on the GPU and on the CPU. Sums in another order: a few steps agree closely, hundreds less so."""
    stage = "training"
    cases = [("first-steps", 1e-3, ["--count", "64" if visit.dry else "640", "--epochs", "1", "--batch", "64"])]
    if not visit.dry:
        cases.append(("demo", 0.05, ["--count", "8000", "--epochs", "2", "--lr", "0.003"]))
    for name, allowed, options in cases:
        if not _may_train(visit, stage, name):
            continue
        on_gpu, gpu_loss, _ = _train(visit, stage, name, "cuda", options)
        if gpu_loss is None:
            continue
        on_cpu, cpu_loss, _ = _train(visit, stage, name, "cpu", options)
        if cpu_loss is None:
            continue
        error = abs(gpu_loss - cpu_loss) / abs(cpu_loss) if cpu_loss else float("inf")
        visit.write(stage, name, "passed" if error <= allowed else "failed",
                    f"loss {gpu_loss} on the GPU, {cpu_loss} on the CPU; they may differ by {allowed:g}",
                    on_gpu.seconds + on_cpu.seconds, errors={"train_loss": error}, allowed=allowed)

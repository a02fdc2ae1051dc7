#!/usr/bin/env python3
"""PyTorch on the cases of a sluice-bench result file, in the same JSON schema.

    build/bin/sluice-bench --small --out run.json
    python3 bench/pytorch_peer.py run.json --out pytorch.json
    build/bin/sluice-bench --read run.json,pytorch.json --out all.json     # one table of both

Takes each layer (suites deepbench-*, features, scaling, memory) and each training step (imdb) that
Sluice measured, and of the suite figures what is to be compared with PyTorch, makes the same inputs and weights (bench/layers/random_numbers.h), compares norms
and random projections of every output with those in the file, and times what agrees: layers by
torch.nn.RNN, LSTM and GRU, training by autograd with gradients freed first (set_to_none).
As many threads as Sluice had; denormals flushed; TF32 off except in cases of dtype tf32; on CUDA
time is taken by events. A layer's inputs are rotated over as many bytes as Sluice's were.
Ragged rows are packed sequences. What PyTorch's layers do not have is listed as refused.

Needs Python 3.9, NumPy and PyTorch.
"""

import argparse
import datetime
import json
import math
import os
import platform
import re
import sys
import time

import numpy as np
import torch

sys.dont_write_bytecode = True
from peer_numbers import Refusal
from pytorch_layer import Layer
from pytorch_step import Step

# glibc: memory that is freed stays with the process instead of being mapped anew in each pass.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 32)}


# --- Times (bench/measure/sampling.cpp) -------------------------------------------------------------

def time_passes(subject, first, passes, cuda):
    if not cuda:
        cpu, start = time.process_time(), time.perf_counter()
        for i in range(passes):
            subject.run(first + i)
        return time.perf_counter() - start, time.process_time() - cpu
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    cpu = time.process_time()
    begin.record()
    for i in range(passes):
        subject.run(first + i)
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) * 1e-3, time.process_time() - cpu


def sample(subject, min_time, repeat, cuda):
    """Seconds of a pass, wall and processor, for each repetition; and passes in a repetition."""
    time_passes(subject, 0, 1, cuda)
    done, passes = 1, 1
    while True:
        seconds, _ = time_passes(subject, done, passes, cuda)
        done += passes
        if seconds >= min_time / 4:
            break
        passes *= 2
    iterations = max(1, math.ceil(min_time * passes / seconds))
    slow = seconds / passes > 2
    real, cpu = [], []
    for _ in range(min(repeat, 3) if slow else repeat):
        if not slow:
            time_passes(subject, done, 1, cuda)
        pair = time_passes(subject, done + 1, iterations, cuda)
        done += 1 + iterations
        real.append(pair[0] / iterations)
        cpu.append(pair[1] / iterations)
    return np.array(real), np.array(cpu), iterations


# --- Google Benchmark's schema ----------------------------------------------------------------------

def entries_of(case, family, real, cpu, iterations, fields):
    name = case["case"] + "/pytorch"
    common = {"name": name, "family_index": family, "per_family_instance_index": 0, "run_name": name,
              "run_type": "iteration", "repetitions": len(real), "threads": 1}
    for i in range(len(real)):
        yield {**common, "repetition_index": i, "iterations": iterations, "real_time": real[i] * 1e6,
               "cpu_time": cpu[i] * 1e6, "time_unit": "us"}

    def aggregate(kind, function, unit="time"):
        factor = 1e6 if unit == "time" else 1.0
        return {**common, "name": f"{name}_{kind}", "run_type": "aggregate", "aggregate_name": kind,
                "aggregate_unit": unit, "iterations": len(real), "real_time": float(function(real)) * factor,
                "cpu_time": float(function(cpu)) * factor, "time_unit": "us"}

    def deviation(values):
        return np.std(values, ddof=1) if len(values) > 1 else 0.0

    yield aggregate("mean", np.mean)
    median = aggregate("median", np.median)
    shape = {key: value for key, value in case.items()
             if key in ("suite", "case", "cell", "pass", "T", "B", "N", "I", "H", "L", "D", "V", "E",
                        "dtype", "flops", "limit_us", "lengths", "axis", "value")}
    median.update({**shape, "implementation": "pytorch", "p10": float(np.percentile(real, 10)) * 1e6,
                   "p90": float(np.percentile(real, 90)) * 1e6, **fields})
    if "flops" in case:
        median["tflops"] = case["flops"] / float(np.median(real)) * 1e-12
    yield median
    yield aggregate("stddev", deviation)
    yield aggregate("cv", lambda values: deviation(values) / np.mean(values), "percentage")
    yield aggregate("p10", lambda values: np.percentile(values, 10))
    yield aggregate("p90", lambda values: np.percentile(values, 90))


def refusal_of(case, family, message):
    name = case["case"] + "/pytorch"
    return {"name": name, "family_index": family, "per_family_instance_index": 0, "run_name": name,
            "run_type": "iteration", "repetitions": 1, "repetition_index": 0, "threads": 1,
            "error_occurred": True, "error_message": message, "iterations": 0, "real_time": 0.0,
            "cpu_time": 0.0, "time_unit": "us", "suite": case["suite"], "case": case["case"],
            "implementation": "pytorch"}


def measure(case, args, context, family):
    device, cuda = args.device, args.device != "cpu"
    cache = int(context.get("inputs_rotated_over_bytes_more_than", 0))
    tf32 = case.get("dtype") == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    try:
        if cuda and not torch.cuda.is_available():
            raise Refusal("this PyTorch finds no CUDA device")
        if "outputs" in case:
            subject = Layer(case, device, cache)
        elif "first_loss" in case:
            subject = Step(case, device, cache)
        else:
            raise Refusal("no outputs in the file to compare with")
        difference, output = subject.largest_difference()
        if not difference <= subject.allowed():
            raise Refusal(f"not timed: its {output} differs from Sluice's by {difference:.2g}; "
                          f"allowed are {subject.allowed():.2g}")
        real, cpu, iterations = sample(subject, args.min_time, args.repeat, cuda)
        return list(entries_of(case, family, real, cpu, iterations, {"difference": difference}))
    except (Refusal, RuntimeError) as refusal:
        return [refusal_of(case, family, str(refusal))]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", help="a result file of sluice-bench")
    parser.add_argument("--out", required=True, help="result file to write")
    parser.add_argument("--filter", default="", help="only cases in which this regular expression matches")
    parser.add_argument("--min-time", type=float, help="seconds of a repetition; default: as in the file")
    parser.add_argument("--repeat", type=int, help="repetitions; default: as in the file")
    parser.add_argument("--threads", type=int, help="default: as in the file")
    args = parser.parse_args()
    if not KEEP_MEMORY.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **KEEP_MEMORY})
    with open(args.results, encoding="utf-8") as file:
        run = json.load(file)
    context = run["context"]
    args.min_time = args.min_time or context["min_time"]
    args.repeat = args.repeat or context["repeat"]
    args.device = context["device"]
    threads = args.threads or context.get("threads") or context["num_cpus"]
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)

    cases = [each for each in run["benchmarks"]
             if each.get("implementation") == "sluice" and each.get("aggregate_name") == "median"
             and each["suite"] != "kernels" and re.search(args.filter, each["case"])
             and "pytorch" in each.get("opponents", ["pytorch"])]
    benchmarks = []
    for family, case in enumerate(cases):
        print(f"[{family + 1}/{len(cases)}] {case['case']}", file=sys.stderr)
        benchmarks += measure(case, args, context, family)
    document = {"context": {**context, "executable": "bench/pytorch_peer.py",
                            "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
                            "python": platform.python_version(), "pytorch_threads": threads,
                            "peers": {"pytorch": torch.__version__}},
                "benchmarks": benchmarks}
    with open(args.out, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")
    refused = [each for each in benchmarks if each.get("error_occurred")]
    print(f"{len(cases) - len(refused)} cases measured, {len(refused)} refused", file=sys.stderr)
    for each in refused:
        print(f"  {each['case']}: {each['error_message']}", file=sys.stderr)


if __name__ == "__main__":
    main()

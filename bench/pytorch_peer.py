#!/usr/bin/env python3
"""PyTorch on the cases of a sluice-bench result file, in the same JSON schema.

    build/bin/sluice-bench --small --out run.json
    python3 bench/pytorch_peer.py run.json --out pytorch.json
    build/bin/sluice-bench --read run.json,pytorch.json --out all.json     # one table of both

Takes each layer (suites deepbench-*, features, scaling, memory, shape) and each training step (imdb)
that Sluice measured, and of the suite figures what is to be compared with PyTorch, makes the same inputs
and weights (bench/layers/random_numbers.h) and compares norms and random projections of every output with
those in the file, both on the device itself, and times what agrees: layers by torch.nn.RNN, LSTM and GRU,
training by autograd with gradients freed first (set_to_none).
As many threads as Sluice had; denormals flushed; TF32 off except in cases of dtype tf32; on CUDA
time is taken by events. A layer's inputs are rotated over as many bytes as Sluice's were.
Ragged rows are packed sequences. What PyTorch's layers do not have is listed as refused.

--out is replaced whole after each case, which "[i/n] NAME" begins and "[i/n] NAME done" ends on standard
error; what fails is an entry with its message, and the next case follows.
Exit codes: 0; 1 where a case failed, or nothing could be written; 2 wrong usage; 3 where a case broke the
device's context: what was measured is written, and another process can measure the rest.

Needs Python 3.9, NumPy and PyTorch.
"""

import argparse
import datetime
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
from peer_results import Results, entries_of, error_of, fail, read_results
from pytorch_layer import Layer
from pytorch_step import Step

# glibc: memory that is freed stays with the process instead of being mapped anew in each pass.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 32)}

MESSAGE = 2000  # characters of an error


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


# --- Cases ------------------------------------------------------------------------------------------

def measure(case, args, context, family):
    """(entries, whether it failed rather than was refused)"""
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
        return list(entries_of(case, family, real, cpu, iterations, {"difference": difference})), False
    except Refusal as refusal:
        return [error_of(case, family, str(refusal))], False
    except Exception as error:  # PyTorch's, CUDA's, cuDNN's, or that there is no memory
        return [error_of(case, family, f"{type(error).__name__}: {error}"[:MESSAGE])], True


def why_broken(cuda):
    """What the device says of everything before, if it takes no more work; empty if it does."""
    if not cuda or not torch.cuda.is_initialized():
        return ""
    try:
        torch.cuda.synchronize()
        return ""
    except Exception as error:
        return str(error).splitlines()[0] if str(error) else type(error).__name__


def chosen_cases(run, args):
    cases = [each for each in run["benchmarks"]
             if each.get("implementation") == "sluice" and each.get("aggregate_name") == "median"
             and each["suite"] != "kernels" and "pytorch" in each.get("opponents", ["pytorch"])]
    if args.cases:
        try:
            with open(sys.stdin.fileno() if args.cases == "-" else args.cases, encoding="utf-8") as file:
                names = list(dict.fromkeys(filter(None, file.read().splitlines())))
        except OSError as error:
            fail(f"--cases: cannot read {args.cases}: {error.strerror}")
        by_name = {each["case"]: each for each in cases}
        for name in names:
            if name not in by_name:
                fail(f"--cases: {args.results} has no case '{name}' to be compared with PyTorch")
        cases = [by_name[name] for name in names]
    try:
        return [each for each in cases if re.search(args.filter, each["case"])]
    except re.error:
        fail(f"--filter: '{args.filter}' is no regular expression")


def write(results):
    """False if it could not; a later try may, and what was there stays."""
    try:
        results.write()
        return True
    except OSError as error:
        print(f"pytorch_peer: cannot write {results.path}: {error.strerror}", file=sys.stderr)
        return False


def measure_all(cases, args, context, results):
    """The exit code."""
    code, cuda = 0, args.device != "cpu"
    for i, case in enumerate(cases):
        print(f"[{i + 1}/{len(cases)}] {case['case']}", file=sys.stderr, flush=True)
        entries, failed = measure(case, args, context, results.next_family())
        code = max(code, int(failed))
        results.add(case, entries)
        broken = why_broken(cuda)
        if broken:
            if not failed:
                results.add(case, [error_of(case, results.family, f"the device's context is broken: {broken}")])
            print(f"pytorch_peer: {case['case']} broke the device's context: {broken}; {len(cases) - i - 1} cases are "
                  "left", file=sys.stderr, flush=True)
            write(results)
            return 3
        if cuda:
            torch.cuda.empty_cache()  # the next case's sizes are others
        written = write(results)
        print(f"[{i + 1}/{len(cases)}] {case['case']} done", file=sys.stderr, flush=True)
        if i + 1 == len(cases) and not written:
            code = 1
    return code


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", help="a result file of sluice-bench")
    parser.add_argument("--out", required=True, help="result file to write")
    parser.add_argument("--append", action="store_true",
                        help="keep what --out holds already; a case that is measured again replaces its old entries")
    parser.add_argument("--filter", default="", help="only cases in which this regular expression matches")
    parser.add_argument("--cases", help="exactly the cases named in this file, a line each; - is standard input")
    parser.add_argument("--min-time", type=float, help="seconds of a repetition; default: as in the file")
    parser.add_argument("--repeat", type=int, help="repetitions; default: as in the file")
    parser.add_argument("--threads", type=int, help="default: as in the file")
    parser.add_argument("--device", help="cpu, cuda or cuda:N; default: as in the file")
    args = parser.parse_args()
    if not KEEP_MEMORY.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **KEEP_MEMORY})
    run = read_results(args.results)
    context = run["context"]
    args.min_time = args.min_time or context["min_time"]
    args.repeat = args.repeat or context["repeat"]
    args.device = args.device or context["device"]
    threads = args.threads or context.get("threads") or context["num_cpus"]
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)

    cases = chosen_cases(run, args)
    folder = os.path.dirname(os.path.abspath(args.out))
    if not os.path.isdir(folder):
        fail(f"--out: there is no folder {folder}; make it first")
    results = Results(args.out,
                      {**context, "executable": "bench/pytorch_peer.py", "device": args.device,
                       "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
                       "python": platform.python_version(), "pytorch_threads": threads,
                       "peers": {"pytorch": torch.__version__}}, args.append)
    code = 0 if cases or write(results) else 1
    code = max(code, measure_all(cases, args, context, results))
    ours = {case["case"] for case in cases}
    errors = [each for each in results.document["benchmarks"] if each.get("error_occurred") and each["case"] in ours]
    print(f"{len(cases) - len(errors)} cases measured, {len(errors)} refused or failed", file=sys.stderr)
    for each in errors:
        print(f"  {each['case']}: {each['error_message']}", file=sys.stderr)
    if code == 3:
        sys.stderr.flush()
        os._exit(3)  # what is on the device could be waited for without end
    sys.exit(code)


if __name__ == "__main__":
    main()

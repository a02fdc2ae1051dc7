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

PROJECTIONS = 8
STREAMS = {"inputs": 1, "parameters": 2, "signs": 3, "lengths": 4, "tokens": 5}
ALLOWED = {"float32": 1e-4, "tf32": 5e-3, "float16": 5e-3, "bfloat16": 4e-2}
ROTATED_AT_MOST = 1 << 30  # bytes
# glibc: memory that is freed stays with the process instead of being mapped anew in each pass.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 32)}


# --- The numbers that sluice-bench makes (bench/layers/random_numbers.h) ---------------------------

def random_words(stream, first, count):
    with np.errstate(over="ignore"):
        z = np.arange(first, first + count, dtype=np.uint64)
        z = (z + np.uint64((STREAMS[stream] << 40) + 1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return (z ^ (z >> np.uint64(31))) >> np.uint64(40)


def random_numbers(stream, first, count, scale=1.0):
    return np.float32(scale) * (random_words(stream, first, count).astype(np.float32)
                                * np.float32(2.0 ** -23) - np.float32(1))


def differences(name, values, digest):
    """Estimated |a - b| / |b| of an output from its norm and projections."""
    values = values.detach().double().cpu().numpy().reshape(-1)
    if values.size != digest["size"]:
        raise Refusal(f"output {name} has {values.size} numbers, Sluice's {digest['size']}")
    projections = np.zeros(PROJECTIONS)
    step = 1 << 20
    for begin in range(0, values.size, step):
        part = values[begin:begin + step]
        words = random_words("signs", PROJECTIONS * begin, PROJECTIONS * part.size)
        signs = np.where(words.reshape(-1, PROJECTIONS) < (1 << 23), -1.0, 1.0)
        projections += part @ signs
    norm = digest["norm"] or 1.0
    apart = np.sqrt(np.mean((projections - np.array(digest["projections"])) ** 2))
    return max(apart, abs(np.linalg.norm(values) - digest["norm"])) / norm


class Refusal(Exception):
    pass


# --- Layers ----------------------------------------------------------------------------------------

class Layer:
    """torch.nn's layer with Sluice's numbers; run(i) is one pass on the i-th inputs."""

    def __init__(self, case, device, cache_bytes):
        self.case, self.training = case, case["pass"] == "training"
        self.type = {"tf32": torch.float32}.get(case["dtype"]) or getattr(torch, case["dtype"])
        cell, hidden = case["cell"], case["H"]
        if case.get("recurrent_dropout") or case.get("layer_dropout") or case.get("input_dropout"):
            raise Refusal("torch.nn's layers have no dropout whose mask is constant over time")
        kinds = {"lstm": (torch.nn.LSTM, {}), "gru": (torch.nn.GRU, {}),
                 "rnn_tanh": (torch.nn.RNN, {"nonlinearity": "tanh"}),
                 "rnn_relu": (torch.nn.RNN, {"nonlinearity": "relu"})}
        if cell not in kinds:
            raise Refusal(f"torch.nn has no {cell}")
        kind, options = kinds[cell]
        self.layer = kind(case["I"], hidden, num_layers=case["L"], bidirectional=case["D"] == 2,
                          **options)
        first = 0
        with torch.no_grad():
            for weight in self.layer.parameters():
                numbers = random_numbers("parameters", first, weight.numel(), 1 / math.sqrt(hidden))
                weight.copy_(torch.from_numpy(numbers).view_as(weight))
                first += weight.numel()
        self.layer.to(device, self.type)
        self.lengths = torch.tensor(case["lengths"]) if "lengths" in case else None
        if self.lengths is not None:
            # Sluice's rows are sorted by falling length, those of equal length in their order.
            order = torch.argsort(self.lengths, descending=True, stable=True)
            self.sizes = torch.tensor([int((self.lengths > t).sum()) for t in range(case["T"])])
        if not self.training:
            self.layer.eval().requires_grad_(False)

        def inputs(begin, width):
            count = case["N"] * width
            copies = 1
            if cache_bytes:
                size = count * torch.finfo(self.type).bits // 8
                copies = max(1, min(cache_bytes * 5 // 4, ROTATED_AT_MOST) // size)
            original = torch.from_numpy(random_numbers("inputs", begin, count)).to(device, self.type)
            shape = (case["N"], width) if self.lengths is not None else (case["T"], case["B"], width)
            return [original.view(shape).clone() for _ in range(copies)]

        self.x = inputs(0, case["I"])
        self.dy = inputs(case.get("second_begin", 0), case["D"] * hidden) if self.training else []
        if self.training:
            for x in self.x:
                x.requires_grad_()

    def forward(self, x):
        if self.lengths is None:
            return self.layer(x)[0]
        packed = torch.nn.utils.rnn.PackedSequence(x, self.sizes)
        return self.layer(packed)[0].data

    def run(self, i):
        x = self.x[i % len(self.x)]
        if not self.training:
            with torch.inference_mode():
                return self.forward(x)
        x.grad = None
        for weight in self.layer.parameters():
            weight.grad = None
        y = self.forward(x)
        y.backward(self.dy[i % len(self.dy)])
        return y

    def largest_difference(self):
        y = self.run(0)
        outputs = {"y": y}
        if self.training:
            outputs["dx"] = self.x[0].grad
            for name, weight in self.layer.named_parameters():
                outputs["d " + name] = weight.grad
        digest = self.case["outputs"]
        if set(digest) != set(outputs):
            raise Refusal(f"outputs {sorted(outputs)} against Sluice's {sorted(digest)}")
        return max((differences(name, value, digest[name]), name) for name, value in outputs.items())

    def allowed(self):
        return max(ALLOWED[self.case["dtype"]], 5e-3 if self.case["cell"] == "rnn_relu" else 0)


# --- Training steps (bench/layers/training_step.h) --------------------------------------------------

QUANTILES = [20, 84, 120, 136, 146, 158, 171, 184, 202, 224, 251, 289, 331, 390]
CUT_AT_400, CUT_AT_1000 = np.array(QUANTILES + [400, 400, 400]), np.array(QUANTILES + [478, 636, 1000])
UNKNOWN = 1


def dropped(values, rate, shape):
    """Times a mask of this shape, scaled by 1 / (1 - rate)."""
    return values * torch.empty(shape, device=values.device).bernoulli_(1 - rate).div_(1 - rate)


class Step:
    """Embedding, layer, pooling, sigmoid unit, Adam: fused, padded to the longest row of the batch.
    The recipe's layer runs in both directions, so its rows are packed."""

    def __init__(self, case, device, _):
        self.case, self.device, self.training = case, device, True
        self.recipe = case.get("recipe", False)
        vocabulary, embedding, hidden, batch = case["V"], case["E"], case["H"], case["B"]
        layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[case["cell"]]
        self.embedding = torch.nn.Embedding(vocabulary, embedding)
        self.layer = layer(embedding, hidden, bidirectional=self.recipe)
        self.head = torch.nn.Linear(hidden * (2 if self.recipe else 1), 1)
        modules = torch.nn.ModuleList([self.embedding, self.layer, self.head])
        first = 0
        with torch.no_grad():
            for module in modules:
                first = (first + 63) // 64 * 64  # the parts of Sluice's flat buffer are aligned
                for weight in module.parameters():
                    numbers = random_numbers("parameters", first, weight.numel(), 0.1)
                    weight.copy_(torch.from_numpy(numbers).view_as(weight))
                    first += weight.numel()
        modules.to(device)
        self.parameters = list(modules.parameters())
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-3, eps=1e-4 if self.recipe else 1e-8,
                                          fused=True)
        self.averages = [weight.detach().clone() for weight in self.parameters]
        self.batches = self.make_batches(vocabulary, batch)

    def make_batches(self, vocabulary, batch):
        rows, longest = self.case["batches"] * batch, self.case.get("longest", 400)
        quantiles = CUT_AT_1000 if longest > 400 else CUT_AT_400
        words = random_words("lengths", 0, rows).astype(np.int64)
        place, within = words % 16, words // 16 % 64
        lengths = quantiles[place] + (quantiles[place + 1] - quantiles[place]) * within // 64
        if self.case["bucketed"]:
            lengths.sort()
        made = []
        for begin in range(0, rows, batch):
            own = lengths[begin:begin + batch]
            steps = int(own.max()) if self.case["bucketed"] else longest
            x = np.zeros((steps, batch), np.int64)
            for i, length in enumerate(own):
                word = random_words("tokens", longest * (begin + i), length).astype(np.int64)
                power = 1 << word % 13
                tokens = (power + word // 16 % power) % (vocabulary - 2) + 2
                x[0 if self.case["bucketed"] else steps - length:, i][:length] = tokens
            if not self.case["bucketed"]:
                own = np.full(batch, steps)
            made.append((torch.from_numpy(x).to(self.device), torch.from_numpy(own),
                         torch.from_numpy(own - 1).to(self.device),
                         (torch.arange(begin, begin + batch) % 2).float().to(self.device)))
        return made

    def pooled(self, embedded, lengths, last):
        if not self.recipe:
            y, _ = self.layer(embedded)
            return y[last, torch.arange(len(last), device=self.device)]
        packed = torch.nn.utils.rnn.pack_padded_sequence(embedded, lengths, enforce_sorted=False)
        y, _ = torch.nn.utils.rnn.pad_packed_sequence(self.layer(packed)[0], padding_value=-math.inf)
        return y.amax(0)

    def loss(self, x, lengths, last, label, training):
        if training and self.recipe:
            x = x.masked_fill(torch.rand(x.shape, device=self.device) < 0.4, UNKNOWN)
        embedded = self.embedding(x)
        if training:
            embedded = dropped(embedded, 0.6 if self.recipe else 0.2, (1, *embedded.shape[1:]))
        features = self.pooled(embedded, lengths, last)
        if training and self.recipe:
            features = dropped(features, 0.3, features.shape)
        return torch.nn.functional.binary_cross_entropy_with_logits(self.head(features)[:, 0], label)

    def run(self, i):
        loss = self.loss(*self.batches[i % len(self.batches)], True)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        if self.recipe:
            with torch.no_grad():
                torch._foreach_lerp_(self.averages, self.parameters, 1 - 0.998)

    def largest_difference(self):
        with torch.no_grad():
            loss = float(self.loss(*self.batches[0], False))
        return abs(loss - self.case["first_loss"]) / self.case["first_loss"], "first loss"

    def allowed(self):
        return ALLOWED[self.case["dtype"]]


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

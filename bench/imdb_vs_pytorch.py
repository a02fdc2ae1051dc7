#!/usr/bin/env python3
"""One epoch of training on reviews: `sluice train` beside PyTorch, on the same batches.

The network is that of the Keras lesson: vocabulary 10,000, embedding 128, one LSTM or GRU of 64
units, dropout 0.2 on its input (a mask a row, constant over time), one sigmoid unit; texts of at
most 400 tokens, batches of 64, Adam, float32, CPU.

Both sides see the same tokens, lengths and batches: the reviews are tokenised here, written as a
CSV file of plain words for Sluice, and batched for PyTorch in the order in which Sluice shuffles.
Two modes:
  padded    every text is padded in front to 400 tokens, as Keras does
  bucketed  texts keep their lengths; batches hold texts of like length

PyTorch runs with the best of its own settings, found by short probes: padding to the longest text
of the batch (oneDNN's LSTM) or packed sequences, batch first or time first, fused or foreach Adam,
the C library's allocator as it comes or told to keep its memory. Its batches are ready in memory
before its clock starts, and its first ones are not timed. Sluice's rate is what its report says:
training steps, with the batches prepared meanwhile.

Runs alternate (Sluice, PyTorch, Sluice, PyTorch, ...), and the ratio is that of the medians.
Memory is the peak resident size of each process.

Needs Python 3.9, NumPy and PyTorch, and the built command. Example:
  python3 bench/imdb_vs_pytorch.py --data imdb/train.csv.gz --cells lstm gru --batches 100
"""

import argparse
import collections
import csv
import gzip
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

VOCABULARY, EMBEDDING, HIDDEN, DROPOUT, MAX_LENGTH, BATCH = 10000, 128, 64, 0.2, 400, 64
BUCKET_BATCHES, SEED, WARM_UP = 50, 1, 3
MODES = ("padded", "bucketed")
# glibc: memory that is freed stays with the process instead of being mapped anew in each step.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 32)}


# --- The reviews ---------------------------------------------------------------------------------

def read_reviews(path):
    """Tokens of each review, by words and punctuation, and the labels."""
    csv.field_size_limit(1 << 30)
    split = re.compile(r"\w+(?:'\w+)*|[^\w\s]").findall
    opened = gzip.open(path, "rt", encoding="utf-8", newline="") if str(path).endswith(".gz") \
        else open(path, encoding="utf-8", newline="")
    with opened as file:
        rows = csv.DictReader(file)
        reviews = [(split(re.sub(r"<br\s*/?>", " ", row["text"]).lower()), int(row["label"]))
                   for row in rows]
    return [tokens for tokens, _ in reviews], [label for _, label in reviews]


def number_words(texts):
    """The most frequent words as numbers from 1; every other word is 0. The last MAX_LENGTH."""
    counts = collections.Counter(word for text in texts for word in text)
    most = counts.most_common(VOCABULARY - 3)  # padding, unknown and the word for all others
    number = {word: i for i, (word, _) in enumerate(most, start=1)}
    return [[number.get(word, 0) for word in text[-MAX_LENGTH:]] or [0] for text in texts]


def synthetic_reviews(count):
    """As many, as long, and as repetitive as IMDB's: log-normal lengths, words by Zipf's law."""
    random = np.random.default_rng(SEED)
    lengths = np.clip(np.exp(random.normal(5.34, 0.62, count)), 10, MAX_LENGTH).astype(int)
    weights = 1.0 / np.arange(2, VOCABULARY - 1)
    words = random.choice(len(weights), size=int(lengths.sum()), p=weights / weights.sum())
    ends = np.cumsum(lengths)
    return [words[end - length:end].tolist() for end, length in zip(ends, lengths)], \
        random.integers(0, 2, count).tolist()


def write_reviews(path, texts, labels):
    """The same tokens as text: Sluice's tokeniser takes each word as one token."""
    with open(path, "w", encoding="ascii") as file:
        file.write("label,text\n")
        for text, label in zip(texts, labels):
            file.write(f"{label},{' '.join('w%d' % word for word in text)}\n")


# --- The order of the batches: Sluice's own shuffle (host/data/batches.h, random_sequence.h) ------

class RandomSequence:
    """Philox4x32-10 with the key and counter of host/data/random_sequence.h, stream `shuffle`."""

    def __init__(self, seed, draws):
        blocks = (draws + 3) // 4 + 64
        word = [np.arange(blocks, dtype=np.uint64), *(np.zeros(blocks, np.uint64) for _ in range(3))]
        low = np.uint64(0xFFFFFFFF)
        key = [seed & 0xFFFFFFFF, (seed >> 32) ^ ((0x73687566 * 0x9E3779B9) & 0xFFFFFFFF)]
        for _ in range(10):
            a, b = np.uint64(0xD2511F53) * word[0], np.uint64(0xCD9E8D57) * word[2]
            word = [(b >> np.uint64(32)) ^ word[1] ^ np.uint64(key[0]), b & low,
                    (a >> np.uint64(32)) ^ word[3] ^ np.uint64(key[1]), a & low]
            key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
        self.words = iter(np.stack(word, axis=1).reshape(-1).tolist())

    def below(self, bound):
        product = next(self.words) * bound
        if product & 0xFFFFFFFF < bound:
            while product & 0xFFFFFFFF < (1 << 32) % bound:
                product = next(self.words) * bound
        return product >> 32

    def shuffle(self, values):
        for i in range(len(values), 1, -1):
            j = self.below(i)
            values[i - 1], values[j] = values[j], values[i - 1]


def batch_rows(lengths, mode):
    """Row numbers of each batch of the first epoch."""
    rows = list(range(len(lengths)))
    random = RandomSequence(SEED, 2 * len(rows) + 1000)
    random.shuffle(rows)
    if mode == "padded":
        return [rows[i:i + BATCH] for i in range(0, len(rows), BATCH)]
    window = BATCH * BUCKET_BATCHES
    for start in range(0, len(rows), window):
        rows[start:start + window] = sorted(rows[start:start + window], key=lambda r: -lengths[r])
    starts = list(range(0, len(rows), BATCH))
    random.shuffle(starts)
    return [rows[i:i + BATCH] for i in starts]


# --- PyTorch, in a process of its own --------------------------------------------------------------

def peak_resident_bytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def run_pytorch(job):
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence

    torch.set_num_threads(job["threads"])
    torch.set_flush_denormal(True)
    torch.manual_seed(SEED)
    packed, batch_first = job["setting"]["packed"], job["setting"]["batch_first"]
    padded_mode = job["mode"] == "padded"
    data = np.load(job["reviews"])
    tokens, ends, labels = data["tokens"], data["ends"], data["labels"]
    lengths = np.diff(ends, prepend=0)

    def make_batch(rows):
        steps = MAX_LENGTH if padded_mode else int(lengths[rows].max())
        x = np.zeros((len(rows), steps), np.int32)
        for i, row in enumerate(rows):
            text = tokens[ends[row] - lengths[row]:ends[row]]
            x[i, steps - len(text) if padded_mode else 0:][:len(text)] = text
        x = torch.from_numpy(x if batch_first else np.ascontiguousarray(x.T))
        own = torch.from_numpy(np.full(len(rows), steps) if padded_mode else lengths[rows])
        return x, own, torch.from_numpy(labels[rows]).float()

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            layer = torch.nn.LSTM if job["cell"] == "lstm" else torch.nn.GRU
            self.embedding = torch.nn.Embedding(int(tokens.max()) + 1, EMBEDDING)  # V as Sluice's
            self.recurrent = layer(EMBEDDING, HIDDEN, batch_first=batch_first)
            self.head = torch.nn.Linear(HIDDEN, 1)

        def forward(self, x, own):
            batch = len(own)
            mask = torch.empty((batch, 1, EMBEDDING) if batch_first else (1, batch, EMBEDDING))
            embedded = self.embedding(x) * mask.bernoulli_(1 - DROPOUT).div_(1 - DROPOUT)
            if packed:
                _, state = self.recurrent(pack_padded_sequence(
                    embedded, own, batch_first=batch_first, enforce_sorted=False))
                last = (state[0] if isinstance(state, tuple) else state)[-1]
            else:
                y, _ = self.recurrent(embedded)
                each = torch.arange(batch)
                last = y[each, own - 1] if batch_first else y[own - 1, each]
            return self.head(last)[:, 0]

    plan = batch_rows(lengths.tolist(), job["mode"])
    if job["batches"]:
        plan = plan[:job["batches"]]
    batches = [make_batch(rows) for rows in plan]
    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, **{job["setting"]["adam"]: True})
    loss_sum, reviews = 0.0, 0
    for i, (x, own, target) in enumerate(batches[:WARM_UP] + batches):
        if i == WARM_UP:
            loss_sum, start = 0.0, time.perf_counter()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(x, own), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(own)
    seconds = time.perf_counter() - start
    reviews = sum(len(rows) for rows in plan)
    steps = sum(int(own.sum()) for _, own, _ in batches)
    print(json.dumps({"examples_per_second": reviews / seconds, "tokens": steps,
                      "tokens_per_second": steps / seconds, "train_loss": loss_sum / reviews,
                      "peak_memory_bytes": peak_resident_bytes()}))


def pytorch(job, setting):
    environment = {**os.environ, **(KEEP_MEMORY if setting["keep_memory"] else {})}
    done = subprocess.run([sys.executable, "-W", "ignore", __file__,
                           "--pytorch", json.dumps({**job, "setting": setting})],
                          env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"PyTorch failed with {setting}")
    return json.loads(done.stdout)


def best_setting(job, batches):
    """Each choice in turn, the best kept: the allocator, packing, the layout, the optimiser."""
    best = {"packed": False, "batch_first": False, "adam": "fused", "keep_memory": False}
    probe = {**job, "batches": batches}
    rate = pytorch(probe, best)["examples_per_second"]
    choices = [("keep_memory", True), ("packed", True), ("batch_first", True), ("adam", "foreach")]
    for key, value in choices:
        if key == "packed" and job["mode"] == "padded":
            continue  # all lengths are equal
        other = {**best, key: value}
        other_rate = pytorch(probe, other)["examples_per_second"]
        print(f"  probe: {key}={value}: {other_rate:.0f} reviews/s, before {rate:.0f}")
        if other_rate > rate:
            best, rate = other, other_rate
    return best


# --- Sluice ----------------------------------------------------------------------------------------

def sluice(command, job, folder):
    arguments = [command, "train", "--data", job["csv"], "--validation-split", "0", "--json",
                 "--out", str(folder), "--vocab", str(VOCABULARY), "--max-length", str(MAX_LENGTH),
                 "--embed", str(EMBEDDING), "--cell", job["cell"], "--hidden", str(HIDDEN),
                 "--input-dropout", str(DROPOUT), "--batch", str(BATCH), "--epochs", "1",
                 "--seed", str(SEED), "--threads", str(job["threads"]), "--device", "cpu"]
    arguments += ["--padding", "pre"] if job["mode"] == "padded" \
        else ["--bucketing", str(BUCKET_BATCHES)]
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}\n{done.stderr}")
    report = next(line for line in map(json.loads, done.stdout.splitlines()) if "epoch" in line)
    report["tokens"] = round(report["tokens_per_second"] * report["seconds"])
    return report


# --- Together --------------------------------------------------------------------------------------

def cpu_name():
    with open("/proc/cpuinfo") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.processor()


def median_of(reports, key):
    return statistics.median(report[key] for report in reports)


def compare(args, job, folder):
    print(f"\n{job['cell'].upper()}, {job['mode']}")
    setting = best_setting(job, args.probe_batches)
    print("  PyTorch's best: " + ", ".join(f"{key}={value}" for key, value in setting.items()))
    runs = {"sluice": [], "pytorch": []}
    for i in range(args.rounds):
        runs["sluice"].append(sluice(args.sluice, job, folder / f"{job['cell']}-{job['mode']}-{i}"))
        runs["pytorch"].append(pytorch(job, setting))
        for name, reports in runs.items():
            report = reports[-1]
            print(f"  {name:8}{report['examples_per_second']:8.0f} reviews/s"
                  f"{report['tokens_per_second']:11.0f} tokens/s"
                  f"{report['peak_memory_bytes'] / 2**20:8.0f} MiB   loss {report['train_loss']:.4f}",
                  flush=True)
    tokens = {round(report["tokens"], -1) for reports in runs.values() for report in reports}
    if max(tokens) - min(tokens) > 1e-6 * max(tokens):
        raise RuntimeError(f"the two did not see the same tokens: {tokens}")
    result = {"cell": job["cell"], "mode": job["mode"], "pytorch_setting": setting}
    for name, reports in runs.items():
        for key in ("examples_per_second", "tokens_per_second", "peak_memory_bytes"):
            result[f"{name}_{key}"] = median_of(reports, key)
    result["speed_ratio"] = \
        result["sluice_examples_per_second"] / result["pytorch_examples_per_second"]
    result["memory_ratio"] = result["sluice_peak_memory_bytes"] / result["pytorch_peak_memory_bytes"]
    print(f"  Sluice / PyTorch: speed {result['speed_ratio']:.2f}, memory {result['memory_ratio']:.2f}")
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    root = pathlib.Path(__file__).resolve().parent.parent
    parser.add_argument("--sluice", default=str(root / "build" / "sluice"), help="the built command")
    parser.add_argument("--data", help="CSV with columns label and text, also .gz; IMDB's "
                        "training set. Without it: made-up reviews of the same lengths")
    parser.add_argument("--cells", nargs="+", choices=("lstm", "gru"), default=["lstm", "gru"])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--batches", type=int, default=0, help="take so many; 0: a whole epoch")
    parser.add_argument("--probe-batches", type=int, default=25, help="for each PyTorch setting")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", help="also write the results to this file")
    parser.add_argument("--pytorch", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.pytorch:
        return run_pytorch(json.loads(args.pytorch))
    if not os.access(args.sluice, os.X_OK):
        parser.error(f"--sluice: {args.sluice} is not there; build Sluice first")

    if args.data:
        texts, labels = read_reviews(args.data)
    else:
        texts, labels = synthetic_reviews(25000)
    if args.batches:  # of everywhere in the file, so that lengths and labels are mixed
        chosen = np.random.default_rng(SEED).permutation(len(texts))[:args.batches * BATCH]
        texts, labels = [texts[i] for i in chosen], [labels[i] for i in chosen]
    if args.data:
        texts = number_words(texts)

    import torch
    version = subprocess.run([args.sluice, "--version"], stdout=subprocess.PIPE, text=True).stdout
    versions = {"cpu": cpu_name(), "threads": args.threads, "sluice": version.strip(),
                "pytorch": torch.__version__, "python": platform.python_version(),
                "data": args.data or "made up", "reviews": len(texts),
                "tokens": sum(map(len, texts))}
    for key, value in versions.items():
        print(f"{key}: {value}")
    with tempfile.TemporaryDirectory(prefix="imdb_vs_pytorch_") as name:
        folder = pathlib.Path(name)
        write_reviews(folder / "reviews.csv", texts, labels)
        np.savez(folder / "reviews.npz", labels=np.array(labels),
                 tokens=np.array([word + 2 for text in texts for word in text], np.int32),
                 ends=np.cumsum([len(text) for text in texts]))
        results = [compare(args, {"cell": cell, "mode": mode, "threads": args.threads, "batches": 0,
                                  "csv": str(folder / "reviews.csv"),
                                  "reviews": str(folder / "reviews.npz")}, folder)
                   for mode in args.modes for cell in args.cells]
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({**versions, "results": results}, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()

"""The parts of tests/gpu.sh. Each takes a Run and adds entries to its report."""

import concurrent.futures
import hashlib
import json
import math
import os
import pathlib
import signal
import subprocess
import time

import machine

NO_TIME = "no time left"

# What the sanitizers slow down tenfold and more: few cases, all kernels.
SANITIZED = [("kernels_*_test", "*cuda*-*Large*:*Long*"),
             ("engine_recurrent_golden_test", "*l2_d2_ragged*cuda*"),
             ("engine_recurrent_dropout_test", "*cuda*"),
             ("engine_shared_input_test", "*cuda*"),
             ("engine_persistent_test", "*cuda*")]


class Run:
    """A build, its environment, the report, and a deadline for the part that is under way."""

    def __init__(self, root, build, work, report, environment, data):
        self.root, self.build, self.work, self.data = root, build, pathlib.Path(work), data
        self.report, self.environment = report, environment
        self.deadline = 0.0

    def until(self, part_of_all):
        """The part may take until this part of all the time has passed."""
        self.deadline = self.report.seconds * part_of_all

    def left(self):
        return max(0.0, self.deadline - self.report.elapsed())

    def command(self, command, most=math.inf, **environment):
        """(exit code or None where time ran out, what it printed, seconds)."""
        began = time.monotonic()
        try:
            process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       env={**self.environment, **environment}, cwd=self.root, text=True,
                                       errors="replace", start_new_session=True)
        except OSError as error:
            return -1, str(error), 0.0
        with process:
            try:
                text, _ = process.communicate(timeout=max(0.1, min(most, self.left())))
                code = process.returncode
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # what it started too
                text, _ = process.communicate()
                code = None
        return code, text, time.monotonic() - began

    def programs(self, pattern):
        return [path for path in sorted((self.build / "bin").glob(pattern)) if os.access(path, os.X_OK)]

    def at_once(self, work, items):
        """work(item) for all, a few at a time: most of them wait for the GPU."""
        with concurrent.futures.ThreadPoolExecutor(min(4, self.report.head["machine"]["processors"])) as pool:
            list(pool.map(work, items))


def skip_reasons(text):
    """What GoogleTest prints before "[  SKIPPED ] name", by name: its JSON has no reasons."""
    reasons, lines = {}, []
    for line in text.splitlines():
        if line.startswith("[ RUN"):
            lines = []
        elif line.startswith("[  SKIPPED ]"):
            reasons.setdefault(line.split()[3].rstrip(","), " ".join(lines))
        elif not line.endswith(": Skipped"):
            lines.append(line)
    return reasons


def tests(run):
    """Every case that names CUDA, with what GoogleTest says of it and the errors it recorded."""

    def one(program):
        out = run.work / f"{program.name}.json"
        if not run.left():
            return run.report.add("tests", program.name, "skipped", NO_TIME)
        code, text, seconds = run.command([program, "--gtest_filter=*cuda*", f"--gtest_output=json:{out}"])
        cases, reasons = [], skip_reasons(text)
        if out.exists():
            cases = [(suite["name"], case) for suite in json.loads(out.read_text())["testsuites"]
                     for case in suite["testsuite"]]
        for suite, case in cases:
            failures = " ".join(failure["failure"] for failure in case.get("failures", []))
            skips = reasons.get(f"{suite}.{case['name']}") or "GoogleTest skipped it"
            result = "failed" if failures else "skipped" if case["result"] == "SKIPPED" else "passed"
            errors = {key.removeprefix("error_"): float(value) for key, value in case.items()
                      if key.startswith("error_")}
            run.report.add("tests", f"{program.name} {suite}.{case['name']}", result,
                           failures if failures else skips if result == "skipped" else "",
                           seconds=float(case["time"].rstrip("s")), **({"errors": errors} if errors else {}))
        if code is None:
            run.report.add("tests", program.name, "skipped", NO_TIME, seconds=seconds)
        elif code != 0 and not any(case.get("failures") for _, case in cases):
            run.report.add("tests", program.name, "failed", f"exit code {code}: {text[-400:]}", seconds=seconds)

    listed = []
    for layer in ("kernels", "engine", "host"):
        for program in run.programs(f"{layer}_*_test"):
            code, text, _ = run.command([program, "--gtest_list_tests", "--gtest_filter=*cuda*"], 60)
            if code != 0:
                run.report.add("tests", program.name, "failed", f"does not start: {text[-400:]}")
            elif "cuda" in text:
                listed.append(program)
    if not listed:
        run.report.add("tests", "all", "skipped", f"{run.build}/bin holds no test for a GPU")
    run.at_once(one, listed)


def json_lines(run, section, program, arguments=()):
    """A program that prints an object a line (tests/gpu/cases.h)."""
    path = run.build / "bin" / program
    if not path.exists():
        return run.report.add(section, program, "skipped", f"{path} was not built")
    if not run.left():
        return run.report.add(section, program, "skipped", NO_TIME)
    code, text, seconds = run.command([path, *arguments])
    failed = False
    for line in text.splitlines():
        if not line.startswith("{"):
            continue
        try:
            one = json.loads(line)
        except ValueError:  # cut off where time ran out
            continue
        failed = failed or one["result"] == "failed"
        run.report.add(section, one.pop("case"), one.pop("result"), one.pop("detail"), **one)
    if code is None:
        run.report.add(section, program, "skipped", NO_TIME, seconds=seconds)
    elif code not in (0, 77) and not failed:
        run.report.add(section, program, "failed", f"exit code {code}: {text[-400:]}", seconds=seconds)


def cudnn(run):
    json_lines(run, "cudnn", "gpu_cudnn_comparison")


def train(run, name, device, options):
    """(the last epoch's training loss or None, a digest of the weights, what was printed)."""
    folder = run.work / name
    code, text, _ = run.command([run.build / "sluice", "train", "--out", folder, "--device", device, "--seed", "1",
                                 "--json", *options])
    losses = [json.loads(line)["train_loss"] for line in text.splitlines()
              if line.startswith("{") and "train_loss" in line]
    weights = sorted(folder.glob("*.safetensors"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in weights)).hexdigest() if weights else None
    return (losses[-1] if code == 0 and losses else None), digest, text


def repeat(run):
    """Passes of every cell, and whole trainings: the same bits 20 times."""
    json_lines(run, "repeat", "gpu_repeated_passes", ["20"])
    for cell in ("lstm", "gru", "rnn"):
        options = ["--cell", cell, "--count", "512", "--epochs", "1", "--hidden", "32", "--embed", "32", "--batch",
                   "32", "--dropout", "0.2"]
        digests, done = set(), []

        def one(index, cell=cell, options=options, digests=digests, done=done):
            if run.left():
                _, digest, text = train(run, f"repeat-{cell}-{index}", "cuda", options)
                if digest is not None:
                    digests.add(digest)
                    done.append(index)
                elif run.left():
                    digests.add(text[-300:])

        run.at_once(one, range(20))
        name = f"training {cell}"
        if len(digests) > 1 or (digests and not done):
            run.report.add("repeat", name, "failed", f"{len(digests)} different outcomes: {sorted(digests)}")
        elif len(done) < 20:
            run.report.add("repeat", name, "skipped", f"{NO_TIME} after {len(done)} runs")
        else:
            run.report.add("repeat", name, "passed", "20 runs, one set of weights")


def training(run):
    """The same steps on the GPU and on the CPU. Sums in another order: a few steps agree closely,
    hundreds less so."""
    cases = [("first-steps", 1e-3, ["--count", "640", "--epochs", "1", "--batch", "64"]),
             ("demo", 0.05, ["--count", "8000", "--epochs", "2", "--lr", "0.003"])]
    reviews = pathlib.Path(run.data) / "imdb" / "train.csv.gz"
    if reviews.exists():
        cases.append(("imdb", 0.02, ["--config", run.root / "bench" / "recipes" / "imdb-keras.toml", "--data", reviews,
                                     "--epochs", "1", "--max-length", "100"]))
    else:
        run.report.add("training", "imdb", "skipped", "no imdb/train.csv.gz in --data")
    for name, allowed, options in cases:
        if not run.left():
            run.report.add("training", name, "skipped", NO_TIME)
            continue
        on_gpu, _, gpu_text = train(run, f"{name}-cuda", "cuda", options)
        on_cpu, _, cpu_text = train(run, f"{name}-cpu", "cpu", options)
        if on_gpu is None or on_cpu is None:
            detail = NO_TIME if not run.left() else gpu_text[-300:] + " / " + cpu_text[-300:]
            run.report.add("training", name, "skipped" if not run.left() else "failed", detail)
            continue
        error = abs(on_gpu - on_cpu) / abs(on_cpu)
        run.report.add("training", name, "passed" if error <= allowed else "failed",
                       f"loss {on_gpu} on the GPU, {on_cpu} on the CPU", errors={"train_loss": error}, allowed=allowed)


def sanitizers(run):
    tool = machine.sanitizer()
    jobs = [(kind, program, cases) for kind in ("memcheck", "racecheck", "synccheck", "initcheck")
            for pattern, cases in SANITIZED for program in run.programs(pattern)]

    def one(job):
        kind, program, cases = job
        name = f"{kind} {program.name}"
        if not run.left():
            return run.report.add("sanitizers", name, "skipped", NO_TIME)
        code, text, seconds = run.command([tool, "--tool", kind, "--error-exitcode", "9", "--print-limit", "5", program,
                                           f"--gtest_filter={cases}"], 90)
        found = " ".join(line for line in text.splitlines() if line.startswith("=========") and "ERROR SUMMARY: 0" not in line)
        if code is None:
            run.report.add("sanitizers", name, "skipped", NO_TIME if not run.left() else "more than 90 s", seconds=seconds)
        elif code == 0:
            run.report.add("sanitizers", name, "passed", "", seconds=seconds)
        else:
            run.report.add("sanitizers", name, "failed", f"exit code {code}: {found or text[-400:]}", seconds=seconds)

    if tool is None:
        for kind in ("memcheck", "racecheck", "synccheck", "initcheck"):
            run.report.add("sanitizers", kind, "skipped", "compute-sanitizer is not installed")
    else:
        run.at_once(one, jobs)

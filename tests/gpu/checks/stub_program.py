"""Stands in for every program of a visit in visit_test.py: its name says which protocol it speaks, STUB_CASES - a file,
{program: [case]} - which cases it has, and a case's name what becomes of it:

    hang, chatter (prints without end), crash, abort_after (the process dies once the case has passed), broken (the
    context), waits (in vain, until the kernel says so and breaks the context), fails, skips, garbage (bytes and
    megabytes), stranger (claims another case's result), twice, forks (leaves a process in a session of its own),
    stubborn (hangs, and ignores SIGTERM), trap (too many registers), anything else: passes

Whatever it has finished it first writes to STUB_LEDGER, as "done <program> <case>", and "begin <program> <case>" before.
STUB_START does the same for the program's start: hang, crash, nothing (ends at once with code 0), list (dies when asked
for its cases).
"""

import json
import os
import re
import signal
import subprocess
import sys
import time

SHAPE = {"cell": "lstm", "T": 25, "B": 64, "I": 512, "H": 512, "dtype": "bfloat16"}
NAME = os.path.basename(sys.argv[0])
ARGUMENTS = sys.argv[1:]


def _cases():
    try:
        with open(os.environ["STUB_CASES"], encoding="utf-8") as file:
            return json.load(file)[NAME]
    except (OSError, KeyError):
        return ["Suite.a_cuda", "Suite.b_cuda"]


CASES = _cases()


def note(word, case):
    with open(os.environ.get("STUB_LEDGER", os.devnull), "a", encoding="utf-8") as file:
        file.write(f"{word} {NAME} {case}\n")


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def asked(word, default=""):
    return next((one.partition("=")[2] for one in ARGUMENTS if one.startswith(word + "=")), default)


def option(word):
    return ARGUMENTS[ARGUMENTS.index(word) + 1] if word in ARGUMENTS else None


def does(word, case):
    return re.search(rf"(?<![a-z]){word}(?![a-z])", case) is not None


def happen(case):
    """What a case does before it has a result."""
    if does("stubborn", case):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if does("forks", case):
        subprocess.Popen(["/bin/sh", "-c", "sleep 600 & sleep 600"], start_new_session=True)
    if does("hang", case) or does("stubborn", case):
        time.sleep(600)
    for thread in range(3000 if does("waits", case) else 0):
        sys.stdout.write(f"sluice: persistent_grid: block 3, thread {thread} waits more than 5 s for round 7 of block 2 "
                         "of its group, which has finished 6\n")
    while does("chatter", case):
        say("still waiting")
        time.sleep(0.05)
    if does("crash", case):
        os.kill(os.getpid(), signal.SIGSEGV)
    if does("garbage", case):
        sys.stdout.flush()
        os.write(1, bytes(range(256)) * 40 + b"[       OK ] Suite.never_cuda (1 ms)\n")
        os.write(1, b"{\"case\": 3}\n{\"case\": \"x\"\n" + b"\xff[" * 9)
        for _ in range(40):
            os.write(1, b"x" * 65536)


def breaks(case):
    return does("broken", case) or does("waits", case)


def outcome(case):
    if does("fails", case):
        return "failed", "expected 1, got 2"
    if breaks(case):
        return "failed", "copying failed: unspecified launch failure (cudaErrorLaunchFailure, CUDA error 719); an " \
                         "earlier launch broke the device's context: end this process"
    if does("skips", case):
        return "skipped", "does not fit"
    return "passed", ""


def google_test():
    chosen = asked("--gtest_filter").split(":")
    begun = 0
    for case in CASES if chosen == ["*cuda*"] else chosen:
        begun += 1
        say(f"[ RUN      ] {case}")
        note("begin", case)
        happen(case)
        result, detail = outcome(case)
        note("done", case)
        if detail:
            say(f"file.cpp:1: Failure\n{detail}")
        word = {"passed": "[       OK ]", "failed": "[  FAILED  ]", "skipped": "[  SKIPPED ]"}[result]
        sys.stdout.write("no line break" if does("garbage", case) else "")
        say(f"{word} {case} (3 ms)")
        if does("twice", case):
            say(f"[  FAILED  ] {case} (3 ms)")
        if does("stranger", case):
            say("[       OK ] Suite.never_asked_cuda (3 ms)")
        if does("abort_after", case):
            os.abort()
        if breaks(case) and begun < len(chosen):
            say(f"[ RUN      ] {chosen[begun]}\n[  FAILED  ] {chosen[begun]} (0 ms)")  # as all that follow
    return 1 if any(outcome(case)[0] == "failed" for case in chosen) else 0


def json_lines():
    names = sys.stdin.read().split()
    for case in names:
        say(json.dumps({"begin": case}))
        note("begin", case)
        happen(case)
        result, detail = outcome(case)
        more = {"broken": True} if breaks(case) else {"values": {"us": 1.5}}
        note("done", case)
        say(json.dumps({"case": case + "/part", "result": "passed", "detail": "", "errors": {"y": 1e-7, "dx": None}}))
        say(json.dumps({"case": case, "result": result, "detail": detail, "end": True, **more}))
        if breaks(case):
            return 3
    return 1 if any(outcome(case)[0] == "failed" for case in names) else 0


def numbered():
    names, out = sys.stdin.read().split(), option("--out")
    try:
        with open(out, encoding="utf-8") as file:
            benchmarks = json.load(file)["benchmarks"]
    except (OSError, ValueError):
        benchmarks = []
    for index, case in enumerate(names):
        say(f"[{index + 1}/{len(names)}] {case}")
        note("begin", case)
        happen(case)
        shape = {**SHAPE, "suite": "shape", "case": case, "pass": "inference" if "inference" in case else "training",
                 "aggregate_name": "median", "limit_us": 100.0, "algorithm": "persistent_cluster"}
        error = {"error_occurred": True, "error_message": "wrong"} if does("fails", case) else {}
        for who, us in (("sluice", 400.0), ("sluice:stepwise", 900.0), ("cudnn:standard", 800.0)):
            benchmarks.append({**shape, **error, "implementation": who, "real_time": us})
        with open(out + ".new", "w", encoding="utf-8") as file:
            json.dump({"context": {}, "benchmarks": benchmarks}, file)
        os.replace(out + ".new", out)
        note("done", case)
        say(f"[{index + 1}/{len(names)}] {case} done")
    return 0


def simple():
    """The tools and the command. None for a program with cases."""
    if NAME == "nvidia-smi":
        say("Stub GPU H100, 999.1, 80000" if "name" in asked("--query-gpu") else "100, 200, 300, 400, 700.0, 30")
    elif NAME == "sluice":
        return command()
    elif NAME == "predictions":
        say(json.dumps({**SHAPE, "arithmetic": "bfloat16", "predicted": [0.2, 0.3]}))
    elif NAME == "compute-sanitizer":
        return sanitizer()
    elif NAME == "ncu":
        ncu()
    else:
        return None
    return 0


def command():
    if ARGUMENTS[0] == "info":
        note("begin", "info")
        happen(os.environ.get("STUB_INFO", ""))
        say(json.dumps({"version": "0", "cudnn": "9.1", "devices": [{"device": "cpu"}, {
            "device": "cuda:0", "multiprocessors": 132, "cluster_limits": {"8": 15, "16": 7}}]}))
        note("done", "info")
        return 0
    os.makedirs(option("--out"))
    with open(option("--out") + "/model.safetensors", "w", encoding="utf-8") as file:
        file.write("weights")
    say('{"epoch": 1, "train_loss": 0.5}')
    return 0


def sanitizer():
    """The program under the tool, which reports an error in each case called racy, and counts them."""
    program = next(i for i, one in enumerate(ARGUMENTS) if one.startswith("/"))
    racy = 0
    said = os.environ.get("STUB_SANITIZER", "")
    if said.startswith("Device"):
        say("========= " + said)
    with subprocess.Popen(ARGUMENTS[program:], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("[  ") and "trap" in line:
                say("kernels/device/launch.h:1: Failure\nlaunch failed: too many resources requested for launch")
                line = line.replace("[       OK ]", "[  FAILED  ]")
            say(line.rstrip("\n"))
            if line.startswith("[ RUN") and "racy" in line:
                racy += 1
                say("========= Race reported between Write access at kernel+0x10\n=========     and Read access")
    say(f"========= {said}" if said.startswith("ERROR") else f"========= ERROR SUMMARY: {racy} errors")
    return 9 if racy else process.returncode


def ncu():
    columns = ("ID", "Kernel Name", "Metric Name", "Metric Unit", "Metric Value")
    rows = [("0", "void quick_kernel(int)", "gpu__time_duration.sum", "ns", "1,024"),
            ("1", "void a::(anonymous namespace)::slow_kernel<int>(int)", "gpu__time_duration.sum", "ns", "2,048")]
    if "--metrics" not in ARGUMENTS:
        if option("--kernel-name") != "regex:^slow_kernel$":
            sys.exit("another kernel")
        rows = [("0", "void a::slow_kernel<int>(int)", "Registers Per Thread", "register/thread", "255")]
    say("==PROF== Connected\n[1/1] shape/lstm")
    for row in (columns, *rows):
        say(",".join(f'"{cell}"' for cell in row))


def main():
    code = simple()
    if code is not None:
        return code
    start = os.environ.get("STUB_START", "").split(":") if NAME in os.environ.get("STUB_START", "") else ["", ""]
    listing = "--gtest_list_tests" in ARGUMENTS or "--list" in ARGUMENTS
    if start[1] == "list" and listing:
        sys.stderr.write("error while loading shared libraries: libnone.so\n")
        return 127
    if listing:
        names = [f"{one}.\n  {case}" for one, _, case in (name.partition(".") for name in CASES)]
        say("\n".join(names if "--gtest_list_tests" in ARGUMENTS else CASES))
        return 0
    if start[1] == "hang":
        time.sleep(600)
    if start[1] == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if start[1] == "nothing":
        return 0
    return google_test() if asked("--gtest_filter") else numbered() if option("--out") else json_lines()


sys.exit(main())

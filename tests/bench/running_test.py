"""running_test.py BENCH FOLDER SLUICE_BENCH: results are written case by case and survive whatever ends a run;
cases by name, one's own shapes, and adding to a file."""
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys

_, folder, command = map(pathlib.Path, sys.argv[1:])
folder.mkdir(parents=True, exist_ok=True)
out = folder / "running.json"
QUICK = ["--device", "cpu", "--threads", "1", "--cache", "1", "--peers", "none"]
SHAPES = ["lstm,T5,B2,I4,H8", "gru,T5,B2,H8,inference", "rnn_tanh,T5,B2,I4,H8,L2,D2", "gru_reset_before,T3,B1,H4"]
NAMES = ["shape/lstm/T5/B2/I4/H8/float32", "shape/inference/gru/T5/B2/I8/H8/float32",
         "shape/rnn_tanh/T5/B2/I4/H8/float32/L2/D2", "shape/gru_reset_before/T3/B1/I4/H4/float32"]
OWN = [part for shape in SHAPES for part in ("--shape", shape)]


def run(*arguments, expected=0, repeat=2, **more):
    done = subprocess.run([command, *QUICK, "--min-time", "0.0001", "--repeat", str(repeat), *arguments], capture_output=True, text=True, timeout=120, check=False, **more)
    assert done.returncode == expected, (arguments, done.returncode, done.stderr)
    return done


def measured(path=out):
    return [entry["case"] for entry in json.loads(path.read_text())["benchmarks"]
            if entry.get("aggregate_name") == "median" and entry["implementation"] == "sluice"]


def entries(case):
    return [entry for entry in json.loads(out.read_text())["benchmarks"]
            if entry["run_name"].rpartition("/")[0] == case]


# One's own shapes are the cases where no suite is named, each once.
assert run("--list", *OWN, "--shape", SHAPES[0]).stdout.split() == NAMES
assert run("--list", *OWN, "--suite", "memory", "--small").stdout.split()[-4:] == NAMES
assert run("--list", "--shape", "lstm,T1,B1,H8", "--dtype", "bfloat16").stdout == "shape/lstm/T1/B1/I8/H8/bfloat16\n"
for options in ([], ["--small"]):
    every = run("--list", *options).stdout.split()
    assert len(set(every)) == len(every), "a name stands for two cases"

# Killed in its third case: the first two are there, whole.
out.unlink(missing_ok=True)
slow = [command, *QUICK, "--min-time", "0.2", "--repeat", "5", *OWN, "--out", out]
with subprocess.Popen(slow, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
    for line in process.stderr:
        if line == f"[2/4] {NAMES[1]} done\n":
            assert measured() == NAMES[:2], "a case is done before it is written"
        if line == f"[3/4] {NAMES[2]}\n":
            process.send_signal(signal.SIGKILL)
            break
assert measured() == NAMES[:2], measured()

# The rest by name, in the order asked for; then one of them again, which replaces its entries.
done = run(*OWN, "--append", "--out", out, "--cases", "-", input=f"{NAMES[3]}\n\n{NAMES[2]}\n{NAMES[3]}\n")
assert done.stderr == "".join(f"[{i}/2] {name}\n[{i}/2] {name} done\n" for i, name in ((1, NAMES[3]), (2, NAMES[2])))
assert measured() == [*NAMES[:2], NAMES[3], NAMES[2]], measured()
before = entries(NAMES[1])
run("--shape", SHAPES[0], "--append", "--out", out, repeat=3)
assert sorted(measured()) == sorted(NAMES) and len(measured()) == 4, measured()
assert len([entry for entry in entries(NAMES[0]) if entry["run_type"] == "iteration"
            and entry["run_name"].endswith("/sluice")]) == 3
assert entries(NAMES[1]) == before, "another case's entries changed"
run("--shape", SHAPES[0], "--out", out)
assert measured() == NAMES[:1], "without --append what was there is replaced"
run("--shape", SHAPES[0], "--append", "--out", folder / "new.json")
assert measured(folder / "new.json") == NAMES[:1], "a file that is not there yet is begun"


# No room for more: what was written stays, whole, and the run says so and goes on.
def no_room():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that a write fails as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


out.unlink()
run("--shape", SHAPES[0], "--out", out)
size = os.path.getsize(out) + 1000
full = run(*OWN, "--out", out, expected=1, preexec_fn=no_room)
assert measured() == NAMES[:1] and "cannot write" in full.stderr and f"[4/4] {NAMES[3]} done" in full.stderr, full.stderr
assert NAMES[3] in full.stdout, "the table does not need the file"
assert not list(folder.glob(".running.json.*")), "a temporary file is left"

for problem, arguments in {
        "--shape lstm,T5,B2,H8,X3: 'X3': expected a cell (rnn_tanh, rnn_relu, lstm, gru, gru_reset_before, lstm_peephole, lstm_coupled, indrnn), T, B, I":
            ["--shape", "lstm,T5,B2,H8,X3"],
        "'LSTM': expected a cell": ["--shape", "LSTM,T5,B2,H8"], "'T0': expected T with a whole number from 1":
            ["--shape", "lstm,T0,B2,H8"], "'T5x': expected T": ["--shape", "lstm,T5x,B2,H8"],
        "'D3': expected D with a whole number from 1 to 2": ["--shape", "lstm,T5,B2,H8,D3"],
        "'H9': H is given twice": ["--shape", "lstm,T5,B2,H8,H9"], "B is missing": ["--shape", "lstm,T5,H8"],
        "no cell is named": ["--shape", "T5,B2,H8"], "'gru': a cell is named twice": ["--shape", "lstm,gru,T5,B2,H8"],
        "'': expected a cell": ["--shape", "lstm,T5,B2,H8,"], "T times B": ["--shape", "lstm,T2000000,B2000000,H8"],
        "its cases are those of --shape": ["--suite", "shape"],
        "no case is called 'shape/lstm'": [*OWN, "--cases", "-"], "cannot read /no/such": ["--cases", "/no/such"],
        "--append": [*OWN, "--append"]}.items():
    said = run(*arguments, expected=2, input="shape/lstm\n").stderr
    assert problem in said and said.startswith("sluice-bench: ") and said.count("\n") == 1, (arguments, said)
out.write_text("{\"context\": {")
said = run("--shape", SHAPES[0], "--append", "--out", out, expected=2).stderr
assert "not a result file" in said and out.read_text() == "{\"context\": {", said
out.unlink()

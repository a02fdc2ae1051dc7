"""pytorch_peer_running_test.py BENCH RESULTS SLUICE_BENCH: what becomes of cases that fail, of a broken context and
of a run that is killed; cases by name; adding to a file. Layers are made up; PyTorch is not asked for their times."""
import contextlib
import io
import json
import os
import pathlib
import sys

sys.dont_write_bytecode = True
try:
    import torch
except ImportError:
    print("skipped: PyTorch is not installed for", sys.executable)
    sys.exit(77)
bench, folder = map(pathlib.Path, sys.argv[1:3])
sys.path.insert(0, str(bench))
import pytorch_peer

folder.mkdir(parents=True, exist_ok=True)
os.environ.update(pytorch_peer.KEEP_MEMORY)  # or it would start anew
run, out = folder / "made_up_run.json", folder / "made_up_pytorch.json"
CASES = ["s/a", "s/b", "s/c", "s/d"]


def sluice(case, **more):
    return {"name": f"{case}/sluice_median", "aggregate_name": "median", "implementation": "sluice", "suite": "s",
            "case": case, "outputs": {}, "dtype": "float32", "cell": "lstm", "real_time": 5.0, **more}


context = {"device": "cpu", "machine": "A", "min_time": 1e-4, "repeat": 3, "threads": 1, "num_cpus": 1}
run.write_text(json.dumps({"context": context, "benchmarks": [
    *(sluice(case) for case in CASES), sluice("s/cudnn", opponents=["cudnn:standard"]),
    {**sluice("kernels/x"), "suite": "kernels"}]}))


class MadeUp:
    """Passes that do nothing, but for those of s/b, which fail, and s/c, whose outputs differ."""
    wrong = {}

    def __init__(self, case, device, cache):
        self.case = case["case"]

    def largest_difference(self):
        return (1.0, "dx") if self.wrong.get(self.case) == "differs" else (0.0, "y")

    def allowed(self):
        return 1e-4

    def run(self, i):
        what = self.wrong.get(self.case)
        if i >= 3 and isinstance(what, BaseException):
            raise what


def peer(*arguments, wrong=(), stdin=""):
    """(exit code, what was said)"""
    MadeUp.wrong = dict(wrong)
    argv, sys.argv = sys.argv, ["pytorch_peer.py", str(run), "--out", str(out), *arguments]
    said, code = io.StringIO(), None
    sys.stdin.close()
    number = os.memfd_create("stdin")
    os.write(number, stdin.encode())
    os.lseek(number, 0, os.SEEK_SET)
    os.dup2(number, 0)
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    try:
        with contextlib.redirect_stderr(said):
            pytorch_peer.main()
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv = argv
    return code, said.getvalue()


def measured():
    return [each["case"] for each in json.loads(out.read_text())["benchmarks"]
            if each.get("aggregate_name") == "median"]


def errors():
    return {each["case"]: each["error_message"] for each in json.loads(out.read_text())["benchmarks"]
            if each.get("error_occurred")}


pytorch_peer.Layer = MadeUp
out.unlink(missing_ok=True)
code, said = peer()
assert code == 0 and measured() == CASES and not errors(), (code, said)
assert said.splitlines()[:2] == ["[1/4] s/a", "[1/4] s/a done"], said

# One fails while it is timed, one differs: the others are measured, and a failure is not a refusal.
code, said = peer(wrong={"s/b": torch.cuda.OutOfMemoryError("no memory"), "s/c": "differs"})
assert code == 1 and measured() == ["s/a", "s/d"], (code, measured())
assert "no memory" in errors()["s/b"] and "differs from Sluice's" in errors()["s/c"], errors()
assert peer(wrong={"s/c": "differs"})[0] == 0
assert peer(wrong={"s/a": AssertionError("")})[0] == 1 and errors() == {"s/a": "AssertionError: "}

# By name, in the order asked for; what is there is kept, and replaced by what is measured again.
code, said = peer("--cases", "-", stdin="s/d\n\ns/b\ns/d\n")
assert code == 0 and measured() == ["s/d", "s/b"], (code, said, measured())
code, said = peer("--append", "--cases", "-", stdin="s/b\ns/a\n")
assert code == 0 and measured() == ["s/d", "s/b", "s/a"], measured()
families = {each["run_name"]: each["family_index"] for each in json.loads(out.read_text())["benchmarks"]}
assert len(set(families.values())) == 3, families
for arguments, stdin, problem in ((["--cases", "-"], "s/cudnn\n", "no case 's/cudnn'"),
                                  (["--cases", "/no/such"], "", "cannot read /no/such"), (["--filter", "("], "", "'('")):
    code, said = peer(*arguments, stdin=stdin)
    assert code == 2 and problem in said and said.startswith("pytorch_peer: "), (code, said)

# On another device than the file's, which the results say.
text = run.read_text()
run.write_text(text.replace('"device": "cpu"', '"device": "cuda:9"'))
assert peer("--device", "cpu")[0] == 0 and measured() == CASES, errors()
assert json.loads(out.read_text())["context"]["device"] == "cpu"
run.write_text(text)

# Ended from outside in its third case: two are there.
out.unlink()
try:
    peer(wrong={"s/c": KeyboardInterrupt()})
    raise AssertionError("it was not ended")
except KeyboardInterrupt:
    assert measured() == ["s/a", "s/b"], measured()

# A broken context: what was measured is written, and the rest is left to another process.
pytorch_peer.why_broken = lambda cuda: "illegal address" if MadeUp.wrong.get("now") else ""
real_measure, ended = pytorch_peer.measure, []


def measure(case, *rest):
    if case["case"] == "s/b":
        MadeUp.wrong["now"] = True
    return real_measure(case, *rest)


class Ended(Exception):
    pass


def end(code):
    ended.append(code)
    raise Ended


pytorch_peer.measure, pytorch_peer.os._exit = measure, end
try:
    peer()
    raise AssertionError("it went on")
except Ended:
    assert ended == [3] and measured() == ["s/a"] and "illegal address" in errors()["s/b"], (ended, errors())
pytorch_peer.measure = real_measure

# Another machine's results, and no file at all, are not added to.
run.write_text(run.read_text().replace('"machine": "A"', '"machine": "B"'))
code, said = peer("--append")
assert code == 2 and "of machine A, this is B" in said, (code, said)
out.write_text("{")
code, said = peer("--append")
assert code == 2 and "no result file" in said and out.read_text() == "{", (code, said)

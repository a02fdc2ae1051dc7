"""json_lines_test STUB: the protocol of programs/json_lines.h, by json_lines_stub.cpp."""

import json
import pathlib
import subprocess
import sys
import tempfile

stub = sys.argv[1]
ALL = ["passes", "parts", "fails", "throws", "skips", "breaks", "hangs", "crashes", "last"]


def run(*arguments, stdin=None):
    done = subprocess.run([stub, *arguments], input=stdin, capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stdout, done.stderr


def lines_of(*arguments, expected, stdin=None):
    code, out, said = run(*arguments, stdin=stdin)
    assert code == expected, (code, out, said)
    return [json.loads(line) for line in out.splitlines()]


assert run("--list") == (0, "\n".join(ALL) + "\n", "")
assert run("--list", "--no-gpu")[0] == 0, "naming the cases needs no GPU"
assert run("--list", "--filter", "^(p|last)")[1].split() == ["passes", "parts", "last"]
assert "--say WORD" in run("--help")[1]

passed = lines_of("--filter", "^passes$", expected=0)
assert passed == [{"begin": "passes"}, {"case": "passes", "result": "passed", "detail": "nothing", "end": True}], passed
assert lines_of("--filter", "^passes$", "--say", "hello", expected=0)[1]["detail"] == "hello"
assert lines_of("--filter", "^skips$", expected=0)[1]["result"] == "skipped"
thrown = lines_of("--filter", "^throws$", expected=1)[1]
assert (thrown["result"], thrown["detail"]) == ("failed", "thrown"), thrown
assert lines_of("--filter", "^fails$", expected=1)[1]["detail"] == "a \"quoted\"\nline\x01??"

# A part that failed counts, whatever the case says in the end; NaN becomes null.
parts = lines_of("--filter", "^parts$", expected=1)
assert [line.get("case", line.get("begin")) for line in parts] == ["parts", "parts/first", "parts/second", "parts"]
assert [line.get("end", False) for line in parts] == [False, False, False, True], parts
assert parts[3]["values"] == {"a": 0.1, "b": None}, parts

# By name, in the order asked for, each once; from a file or standard input.
with tempfile.TemporaryDirectory() as folder:
    file = pathlib.Path(folder, "names")
    file.write_text("last\n\npasses\r\nlast\n")
    wanted = ["last", "passes"]
    assert [line["case"] for line in lines_of("--cases", str(file), expected=0) if "case" in line] == wanted
    assert [line["case"] for line in lines_of("--cases", "-", stdin="last\npasses", expected=0) if "case" in line] == wanted
    assert [line["case"] for line in lines_of("--cases", str(file), "--filter", "pass", expected=0)
            if "case" in line] == ["passes"]

# The device is broken: the case failed, whatever it thinks, and nothing runs after it.
broken = lines_of("--cases", "-", stdin="passes\nbreaks\nlast\n", expected=3)
assert [line["case"] for line in broken if "case" in line] == ["passes", "breaks"], broken
assert broken[-1]["result"] == "failed" and broken[-1]["broken"] is True and "made up" in broken[-1]["detail"], broken
assert broken[-1]["end"] is True

# What came before a crash or a kill has been written, and the begin of what did it.
code, out, _ = run("--cases", "-", stdin="passes\ncrashes\nlast\n")
assert code == -9 and json.loads(out.splitlines()[-1]) == {"begin": "crashes"}, (code, out)
try:
    subprocess.run([stub, "--cases", "-"], input=b"passes\nhangs\n", capture_output=True, timeout=1, check=False)
    raise AssertionError("it did not hang")
except subprocess.TimeoutExpired as hung:
    assert json.loads(hung.stdout.splitlines()[-1]) == {"begin": "hangs"}, hung.stdout

nothing = lines_of("--no-gpu", expected=77)
assert nothing == [{"case": "all", "result": "skipped", "detail": "no GPU", "end": True}], nothing

for expected, arguments, stdin in (("no case is called 'pass'", ["--cases", "-"], "pass\n"),
                                   ("--cases: cannot read", ["--cases", "/no/such/file"], None),
                                   ("no regular expression", ["--filter", "("], None),
                                   ("no case is left", ["--filter", "nothing-like-this"], None),
                                   ("no case is left", ["--cases", "-"], ""),
                                   ("'--fast'", ["--fast"], None), ("'20'", ["20"], None),
                                   ("--say: expected a word", ["--say", ""], None),
                                   ("--filter: expected a value", ["--filter"], None)):
    code, out, said = run(*arguments, stdin=stdin)
    assert code == 2 and not out and expected in said and said.startswith("json_lines_stub: "), (arguments, code, out, said)

"""`visit run` of the stub project: STUB_RUN holds a result for each stage, as {"rest": "failed"}."""

import json
import os
import pathlib

EXIT = {"passed": 0, "failed": 1, "cut": 3}


def options(parser):
    parser.add_argument("visit")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--out")
    parser.add_argument("--build")
    parser.add_argument("--dry", action="store_true")


def main(args):
    result = json.loads(os.environ.get("STUB_RUN", "{}")).get(args.visit, "passed")
    assert args.dry and (pathlib.Path(args.build) / "dry" / "bin" / "sluice").exists(), args
    if result == "crash":
        raise SystemExit("garbage")
    counts = {one: int(one == result) for one in ("passed", "failed", "skipped", "cut")}
    lines = [{"kind": "head", "schema": 2, "visit": args.visit, "time": "2026-01-02T03:04:05Z", "commit": "0" * 40,
              "seconds": args.seconds, "machine": {}, "versions": {}, "dry": True},
             {"kind": "case", "stage": "one", "name": f"{args.visit}/case", "result": result, "detail": "a reason",
              "seconds": 0.1},
             {"kind": "end", "seconds": 1, "counts": counts, "exit": EXIT[result], "stuck": False}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (pathlib.Path(args.out) / "report.jsonl").write_text(text)
    return EXIT[result]

"""`visit run`: a visit from its first line to its last."""

import datetime
import os
import pathlib
import shutil
import sys
import tempfile
import time

from . import builds, commands, log, machine
from . import report as reports
from . import stages, stages_first, stages_ncu, stages_rest, stages_speed, summary, timings
from .under_way import Visit, say

ROOT = pathlib.Path(__file__).resolve().parents[3]
FILES = ("report.jsonl", "report.previous.jsonl", "log.txt", "timings.json", "pytorch.json", "ncu.csv")
MACHINE = stages.Stage("machine", 10, stages_first.about_machine)
VISITS = {"first": stages_first.STAGES, "rest": [MACHINE, *stages_rest.STAGES], "speed": [MACHINE, *stages_speed.SPEED],
          "deepbench": [MACHINE, *stages_speed.DEEPBENCH], "ncu": [MACHINE, *stages_ncu.STAGES]}


def options(parser):
    parser.description = __doc__
    parser.add_argument("visit", choices=VISITS,
                        help="first: does it work, at most 240 s; rest: the other tests, cuDNN, repeats, training, race "
                        "and sync checks; speed: beside cuDNN and PyTorch; deepbench; ncu: counters")
    parser.add_argument("--seconds", type=float, default=240.0,
                        help="all that it may take, its summary included (default 240)")
    parser.add_argument("--out", required=True,
                        help="folder for at most six files: report.jsonl, log.txt, timings.json, pytorch.json, ncu.csv, "
                        "and the report of the visit before into the same folder")
    parser.add_argument("--build", help="what `visit prepare` packed, a folder of that form, or a CMake build folder "
                        "(default .carry/visit.tar.xz, else build)")
    parser.add_argument("--only", metavar="STAGES", help="some of its stages, separated by commas: "
                        + "; ".join(f"{name}: {', '.join(one.name for one in all_)}" for name, all_ in VISITS.items()))
    parser.add_argument("--silence", type=float, default=20.0, help="seconds without a word after which a case hangs "
                        "(default 20; three times that on the imagined GPU)")
    parser.add_argument("--dry", action="store_true", help="no GPU: small cases on the imagined one, <build>/dry/bin")


def main(args):
    """Exit codes: 0 all that was planned passed; 1 something failed; 2 wrong usage; 3 cut short; 77 no GPU."""
    began = time.monotonic()
    if not args.seconds > 0 or not args.silence > 0:
        return _usage(f"--seconds and --silence: expected more than 0, got {args.seconds:g} and {args.silence:g}")
    chosen = VISITS[args.visit]
    if args.only:
        names = args.only.split(",")
        unknown = set(names) - {one.name for one in chosen}
        if unknown:
            return _usage(f"--only: {args.visit} has no stage {', '.join(sorted(unknown))}")
        chosen = [one for one in chosen if one.name in names]
    visit = Visit(ROOT, args.seconds, began, args.dry, (3 if args.dry else 1) * args.silence)
    visit.name = args.visit
    if not _find_machine(visit):
        return 1 if visit.stuck else 3 if visit.must_end() else 77
    try:
        visit.build = builds.find(args.build, ROOT, args.dry, visit.must_end)
    except builds.NoBuild as error:
        _usage(str(error))
        return 3 if visit.must_end() else 2
    visit.environment = visit.build.environment(ROOT)
    try:
        _open(visit, pathlib.Path(args.out))
    except OSError as error:
        return _usage(f"--out: expected a folder that can be written, {args.out} is none ({error.strerror})")
    try:
        visit.scratch = tempfile.mkdtemp(prefix="sluice-visit-")
    except OSError as error:
        say(f"no folder for what lies about meanwhile ({error.strerror}): trainings and recorded errors are left out")
    try:
        _write_head(visit)
        scale = (visit.deadline - time.monotonic()) / sum(one.share for one in chosen)
        for index, stage in enumerate(chosen):
            _run_stage(visit, stage, scale * sum(one.share for one in chosen[index + 1:]))
    finally:
        shutil.rmtree(visit.scratch or "", ignore_errors=True)
    return _end(visit, [one.name for one in chosen])


def _usage(sentence):
    print(f"visit: {sentence}", file=sys.stderr)
    return 2


def _find_machine(visit):
    """False without a GPU, or without an answer: it has been said why."""
    if visit.dry:
        visit.machine = machine.without_gpu()
        return True
    found = commands.capture(visit, machine.query("name", "driver_version", "memory.total"), visit.plain_environment)
    if found.why:
        visit.stuck = found.why == "hang"
        say("GPU stuck: nvidia-smi does not answer within 20 s" if visit.stuck else f"visit: {found.why}")
        return False
    visit.machine = machine.describe(found.text) if found.ok else None
    if visit.machine is None:
        say("SKIPPED: nvidia-smi finds no GPU; --dry runs on the imagined one")
    return visit.machine is not None


def _open(visit, out):
    visit.out = out.resolve()
    try:
        visit.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno not in reports.NO_ROOM:
            raise
    path = visit.out / FILES[0]
    if path.exists():
        os.replace(path, visit.out / FILES[1])
    visit.report = reports.Writer(path, say, lambda: visit.log.drop())
    visit.log = log.Log(visit.out / "log.txt", say)


def _write_head(visit):
    visit.tree = machine.output_of(["git", "-C", str(ROOT), "rev-parse", "HEAD"])
    path = visit.build.program("sluice")
    if path is not None:
        visit.info = commands.capture(visit, [path, "info", "--json"], visit.environment, visit.silence)
    commit = str(visit.build.manifest.get("commit") or visit.tree)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    head = {"kind": "head", "schema": 2, "visit": visit.name, "time": now, "commit": commit, "seconds": visit.seconds,
            "machine": visit.machine, "versions": machine.versions(visit.info.text), "dry": visit.dry,
            "tree": visit.tree}
    if "bounded" in visit.build.manifest:
        head["bounded"] = visit.build.manifest["bounded"]
    if visit.tree and commit != visit.tree:
        head["warning"] = f"the programs are of commit {commit}, the sources of {visit.tree}"
        say(f"warning: {head['warning']}")
    visit.head = reports.finite(head)
    visit.report.line(visit.head)
    timings.predict(visit)


def _run_stage(visit, stage, later):
    """`later`: seconds that the stages after this one keep in any case."""
    why = visit.must_end()
    if why:
        return visit.write(stage.name, "all", "cut", why)
    visit.stage_end = visit.deadline - later
    say(f"== {stage.name} (after {visit.elapsed():.0f} s, at most {visit.stage_end - time.monotonic():.0f} s)")
    began = time.monotonic()
    try:
        stage.run(visit)
    except Exception as error:  # pylint: disable=broad-except
        # A fault of the visit's own: the other stages must still run.
        where = error.__traceback__
        while where.tb_next is not None:
            where = where.tb_next
        visit.write(stage.name, "the visit itself", "failed", f"{type(error).__name__}: {error} "
                    f"({os.path.basename(where.tb_frame.f_code.co_filename)}:{where.tb_lineno})")
    visit.stage_seconds[stage.name] = time.monotonic() - began
    visit.report.flush()
    visit.report.sync()


def _end(visit, planned):
    code = 1 if visit.count("failed") or visit.stuck else 3 if visit.count("cut") else 0
    for path in visit.out.glob("*"):  # what was being written when its program was killed
        if path.name not in FILES and path.name.lstrip(".").startswith(FILES) and path.is_file():
            try:
                path.unlink()
            except OSError:
                pass
    counts = {result: visit.count(result) for result in reports.RESULTS}
    saved = visit.report.flush()
    if not saved:
        code = 1
    visit.report.line({"kind": "end", "seconds": round(visit.elapsed(), 1), "counts": counts, "exit": code,
                       "stuck": visit.stuck})
    visit.report.sync()
    if visit.report.waiting:
        code = 1
        say("== What could not be written to report.jsonl")
        for line in visit.report.waiting:
            say(line.rstrip("\n"))
    say(summary.text(visit, planned, code))
    visit.signals.ignore()
    return code

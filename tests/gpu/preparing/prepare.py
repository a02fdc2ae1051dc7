"""`visit prepare`, on a machine without a GPU: builds what a visit runs, packs it, rehearses every stage on the
imagined GPU, and prints the commands of two runs on a machine with a GPU, lent for minutes.

The pack, .carry/visit.tar.xz, holds the programs, the libraries that a bare machine lacks, and the commit. It is
refused, with the reason, where a program is missing or stale or does not start with the pack's libraries alone, cuDNN
is off, symbols are newer than the machine's system has, or it and the sources are too large to travel.

Two builds: what is timed is the product's code; the programs that test the persistent kernels come from the folder
`bounded` in the build folder, where a kernel that waits in vain ends with a message.

Exit codes: 0 ready; 1 refused, or the rehearsal failed; 2 wrong usage; 3 the rehearsal was cut short."""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from running import report as reports

from . import building, pack
from .building import Refusal

ROOT = pathlib.Path(__file__).resolve().parents[3]
CARRY = ".carry"  # ignored by git
BOUNDED = "gpu_visit_bounded"  # the target
STAGES = ("first", "rest", "speed", "deepbench", "ncu")
MOST_TRAVELLING = 62 << 20  # bytes; 64 MiB are taken
MOST_COMMAND = 2000         # characters that a command may have
# Seconds of the two runs, and what of them ends children that do not die and prints the summary.
RUN_A, RUN_B, MARGIN = 240, 420, 10


def options(parser):
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--build", default="build/visit", metavar="DIR",
                        help="where to build, by Ninja; configured if it is not yet (default build/visit)")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="at most so many at once (default: Ninja's)")
    parser.add_argument("--no-build", action="store_true", help="take the folder as it is")
    parser.add_argument("--no-bounded", action="store_true",
                        help="one build: what tests the persistent kernels has them as they are, and a hang is silent")
    parser.add_argument("--dirty", action="store_true",
                        help="pack although files differ from the commit; the pack says so")
    parser.add_argument("--dry", action="store_true", help="rehearse alone, without a pack")
    parser.add_argument("--no-rehearsal", action="store_true", help="pack alone")
    parser.add_argument("--stages", default=",".join(STAGES), metavar="NAMES",
                        help=f"what to rehearse, separated by commas (default {','.join(STAGES)})")
    parser.add_argument("--rehearsal-seconds", type=int, default=RUN_A, metavar="N",
                        help=f"at most so long for each stage (default {RUN_A})")
    parser.add_argument("--run-b", type=int, default=RUN_B, metavar="N",
                        help=f"seconds of the second run (default {RUN_B})")


def main(args):
    unknown = set(args.stages.split(",")) - set(STAGES)
    if unknown or (args.dry and args.no_rehearsal) or args.run_b < 60:
        why = f"--stages: no such stage: {', '.join(sorted(unknown))}; there are {', '.join(STAGES)}" if unknown else \
            "--run-b: expected at least 60 seconds" if args.run_b < 60 else \
            "--dry and --no-rehearsal leave nothing to do"
        print(f"visit prepare: {why}", file=sys.stderr)
        return 2
    folder = pathlib.Path(args.build)
    folder = (folder if folder.is_absolute() else ROOT / folder).resolve()
    try:
        if not args.dry:
            commit_of(ROOT, args.dirty)  # before minutes of building
        bounded = None if args.no_bounded or args.dry else folder / "bounded"
        made(folder, bounded, args)
        if not args.dry:
            packed(folder, bounded, args.dirty)
        status = 0 if args.no_rehearsal else rehearsed(folder, args.stages.split(","), args.rehearsal_seconds)
        if status != 1 and not args.dry:
            print_commands(args.run_b)
        return status
    except Refusal as refusal:
        print(f"visit prepare: {refusal}", file=sys.stderr)
        return 1


def git(root, *arguments):
    done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refusal(f"git {arguments[0]}: {done.stderr.strip()}; the pack is to name its commit")
    return done.stdout


def commit_of(root, dirty_too):
    """(commit, whether files differ from it). Errors: Refusal."""
    commit = git(root, "rev-parse", "HEAD").strip()
    changed = git(root, "status", "--porcelain").splitlines()
    if changed and not dirty_too:
        names = ", ".join(line[3:] for line in changed[:3]) + (", ..." if len(changed) > 3 else "")
        raise Refusal(f"{len(changed)} files differ from {commit[:12]} ({names}): commit them, so that the report can "
                      "be traced to a commit, or say --dirty")
    return commit, bool(changed)


def made(folder, bounded, args):
    """Configures and builds, unless told not to."""
    if not args.no_build and not building.is_configured(folder):
        building.configure(ROOT, folder)
    architectures = building.check_options(folder)["CMAKE_CUDA_ARCHITECTURES"]
    if bounded:
        if not args.no_build and not building.is_configured(bounded):
            building.configure(ROOT, bounded, bounded=True, like=folder)
        other = building.check_options(bounded, bounded=True)["CMAKE_CUDA_ARCHITECTURES"]
        if other != architectures:
            raise Refusal(f"CMAKE_CUDA_ARCHITECTURES is '{other}' in {bounded} and '{architectures}' in {folder}: "
                          f"remove {bounded}")
    if args.no_build:
        return
    if not args.dry:
        building.build(folder, "gpu_visit", args.jobs)
    if bounded:
        building.build(bounded, BOUNDED, args.jobs)
    if not args.no_rehearsal:
        building.build(folder, "gpu_visit_dry", args.jobs)


def _chosen(folder, bounded):
    """({name: path} of what is packed, which of them are bounded)."""
    chosen = building.programs(folder)
    building.check_fresh(folder, chosen)
    if not bounded:
        return chosen, []
    those = building.programs(bounded, BOUNDED)
    building.check_fresh(bounded, those, BOUNDED)
    return {**chosen, **those}, sorted(those)


def packed(folder, bounded, dirty_too):
    began = time.monotonic()
    chosen, bounded_ones = _chosen(folder, bounded)
    commit, dirty = commit_of(ROOT, dirty_too)
    carry = ROOT / CARRY
    if subprocess.run(["git", "-C", ROOT, "check-ignore", "-q", f"{CARRY}/visit.tar.xz"], check=False).returncode != 0:
        raise Refusal(f"{CARRY} is not ignored by git, so that the pack would be among the sources; add it to "
                      ".gitignore")
    carry.mkdir(exist_ok=True)
    shutil.rmtree(carry / "visit", ignore_errors=True)  # an older pack, unpacked
    with tempfile.TemporaryDirectory(dir=folder) as work:
        top = pathlib.Path(work) / "pack"
        pack.gather(chosen, top)
        pack.check_symbols(top)
        pack.check_starts(top, work)
        pack.write_manifest(top, pack.manifest(top, commit, dirty, building.cache_of(folder), bounded_ones))
        size = pack.write(top, carry / "visit.tar.xz")
        programs = len(list((top / "bin").iterdir()))
    total = pack.travelling(ROOT, carry)
    if total > MOST_TRAVELLING:
        raise Refusal(f"{total / 2**20:.1f} MiB would travel, more than {MOST_TRAVELLING >> 20}: the pack has "
                      f"{size / 2**20:.1f}, the rest are files in {CARRY} and what git tracks or does not ignore")
    print(f"packed: {CARRY}/visit.tar.xz, {size / 2**20:.1f} MiB, {programs} programs of {commit[:12]}"
          f"{' and changes' if dirty else ''}, {len(bounded_ones) or 'none'} with bounded spins, in "
          f"{time.monotonic() - began:.0f} s; {total / 2**20:.1f} MiB travel", flush=True)


# --- The rehearsal ---

def rehearsed(folder, stages, seconds):
    """Every stage on the imagined GPU or the CPU. Returns 0, 1 if one failed, 3 if one was cut short."""
    building.check_fresh(folder, building.programs(folder, "gpu_visit_dry"), "gpu_visit_dry")
    status = 0
    for stage in stages:
        out = folder / "rehearsal" / stage
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        code, took = _rehearse(stage, folder, out, seconds)
        word, lines = _outcome(out / "report.jsonl", code)
        print(f"rehearsal  {stage}: {word}, {took:.0f} s", flush=True)
        for line in lines:
            print(f"  {line}")
        if code != 0:
            print(f"  what it printed: {out}/printed.txt", flush=True)
        status = 1 if 1 in (status, code) or code not in (0, 3) else max(status, code)
    return status


def _rehearse(stage, folder, out, seconds):
    """(exit code, or None where it did not end; seconds)."""
    began = time.monotonic()
    command = [sys.executable, ROOT / "tests" / "gpu" / "visit", "run", stage, "--dry", "--build", folder, "--seconds",
               str(seconds), "--out", out]
    with open(out.parent / f"{stage}.txt", "wb") as printed:
        try:
            code = subprocess.run([str(part) for part in command], stdout=printed, stderr=subprocess.STDOUT,
                                  check=False, timeout=seconds + 60).returncode
        except subprocess.TimeoutExpired:
            code = None
    shutil.move(out.parent / f"{stage}.txt", out / "printed.txt")
    return code, time.monotonic() - began


def _outcome(path, code):
    """(what came of it, what failed)."""
    words = {0: "passed", 1: "FAILED", 3: "cut short", None: "FAILED: it did not end"}
    word = words.get(code, f"FAILED: exit code {code}")
    try:
        found = reports.read(path)
    except OSError:
        return word + ", no report", []
    counts = ", ".join(f"{number} {result}" for result, number in found.counts().items())
    failed = [one for one in found.cases if one.get("result") == "failed"]
    lines = [f"{one.get('stage')} {one.get('name')}: {str(one.get('detail'))[:200]}" for one in failed[:5]]
    return f"{word}: {counts}", lines + ([f"and {len(failed) - 5} more"] if len(failed) > 5 else [])


# --- What to run ---

def commands(run_b):
    """(name, seconds, command) of the two runs."""
    visit = "python3 tests/gpu/visit run"
    whole = run_b - MARGIN
    first = f'{visit} first --seconds {RUN_A - MARGIN} --out "$OUT"'
    second = (f'SECONDS=0; {visit} rest --seconds {whole // 2} --out "$OUT/rest"; a=$?; '
              f'{visit} speed --seconds $(({whole} - SECONDS)) --out "$OUT/speed"; b=$?; '
              'echo "exit codes: rest $a, speed $b"; exit $((a > b ? a : b))')
    return [("A", RUN_A, first), ("B", run_b, second)]


def print_commands(run_b):
    print(f"""
Two runs in a copy of these sources on a machine with a GPU, with the ignored folder {CARRY} brought along. What is
written to $OUT comes back. Give the machine back after run A, mend what it found, and prepare again before run B.""")
    for name, seconds, command in commands(run_b):
        assert len(command) < MOST_COMMAND, command
        print(f"\nRun {name}: bring along {CARRY}, time limit {seconds} s\n  {command}")
    print("""
Then here, for each folder that came back:
  tests/gpu/visit keep FOLDER
With time to spare in place of rest or speed: deepbench, ncu.""")

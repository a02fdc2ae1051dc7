"""tests/gpu.sh: options, the build, and the parts in turn. See the head of that script."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import machine
import pack
import report as reports
import sections

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Each part may run until this part of the time has passed; what it leaves goes to the next.
PARTS = [("tests", 0.40), ("cudnn", 0.52), ("repeat", 0.66), ("training", 0.78), ("sanitizers", 0.98)]


def options():
    parser = argparse.ArgumentParser(prog="tests/gpu.sh", add_help=False, usage="see the head of tests/gpu.sh")
    parser.add_argument("--build", default="build")
    parser.add_argument("--report")
    parser.add_argument("--data", default=str(ROOT.parent / "shared" / "data"))
    parser.add_argument("--seconds", type=float, default=480.0)
    parser.add_argument("--only", action="append", choices=reports.SECTIONS)
    parser.add_argument("--pack", metavar="FILE")
    return parser.parse_args()


def made(folder):
    """The build folder, built first if it holds no tests."""
    folder = pathlib.Path(folder)
    if not list((folder / "bin").glob("kernels_*_test")):
        print(f"== Build, since {folder} holds no tests", flush=True)
        for command in (["cmake", "-S", ROOT, "-B", folder, "-DCMAKE_BUILD_TYPE=Release", "-DSLUICE_CUDA=ON",
                         "-DSLUICE_BUILD_TESTS=ON"], ["cmake", "--build", folder, "-j", str(os.cpu_count())]):
            if subprocess.run([str(part) for part in command], check=False).returncode != 0:
                sys.exit(1)
    return folder.resolve()


def main():
    chosen = options()
    os.chdir(ROOT)
    if chosen.pack:
        size = pack.pack(made(chosen.build), chosen.pack, chosen.data)
        print(f"{chosen.pack}: {size / (1 << 20):.1f} MiB")
        return 0
    about = machine.describe()
    if about is None:
        print("SKIPPED: nvidia-smi finds no GPU")
        return 77
    with tempfile.TemporaryDirectory() as work:
        data = chosen.data
        if os.path.isfile(chosen.build):
            build = pack.unpack(chosen.build, work)
            if not (pathlib.Path(data) / "imdb").exists():
                data = build / "data"
        else:
            build = made(chosen.build)
        # The build's own libraries before the machine's, the loader's own places last.
        folders = [str(build / "lib"), *filter(None, [os.environ.get("LD_LIBRARY_PATH")]), *machine.library_folders()]
        environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(folders), "SLUICE_SOURCE_DIR": str(ROOT),
                       "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
        commit = machine.output_of(["git", "rev-parse", "HEAD"])
        report = reports.Report(about, machine.versions(build / "sluice", environment), commit, chosen.seconds)
        run = sections.Run(ROOT, build, work, report, environment, data)
        for name, until in PARTS:
            if chosen.only and name not in chosen.only:
                report.add(name, "all", "skipped", "left out by --only")
                continue
            print(f"== {name} on {about['gpu']} (after {report.elapsed():.0f} s)", flush=True)
            run.until(0.98 if chosen.only else until)
            getattr(sections, name)(run)
            for skip in report.skipped(name):
                print(f"skipped  {skip['count']}: {skip['reason']} ({skip['first']})", flush=True)
        path = chosen.report or report.default_path(ROOT)
        report.write(path)
        counts = report.count()
        print(f"\n{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped, "
              f"{report.elapsed():.0f} s; report: {path}")
        return 1 if counts["failed"] else 0


sys.exit(main())

"""The pack of a visit: its programs, the shared libraries that a bare machine lacks, and a manifest, in one archive
that is small enough to travel and is known to start there."""

import datetime
import filecmp
import hashlib
import json
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import tarfile

from running import machine

from . import elf
from .building import Refusal

# What comes with the system, the driver or the toolkit, and must come from there.
OF_THE_MACHINE = ("linux-vdso", "ld-linux", "libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "libutil.so",
                  "libstdc++", "libgcc_s", "libcuda.so", "libcudart", "libcublas", "libcudnn", "libnv")
# The newest that Ubuntu 24.04 has, which such machines run.
NEWEST = {"GLIBC": (2, 39), "GLIBCXX": (3, 4, 33), "CXXABI": (1, 3, 15), "GCC": (14, 0, 0)}
MOST_PACKED = 40 << 20  # bytes of the archive
# Most programs hold the same kernels: 12 MB each, so that the one before lies within the window. The fastest preset:
# 240 MB in 12 s of one core to 24 MiB, where the sixth takes 107 s to 21 MiB.
COMPRESSION = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 64 << 20}]
# How a program shows that it starts; others by --list.
STARTS = {"sluice": ["--version"], "sluice-bench": ["--version"], "predictions": []}
FOR_A_GPU = "--gtest_filter=*cuda*"


def has_cases(program, environment=None):
    """Whether a test has cases for a GPU."""
    done = subprocess.run([program, "--gtest_list_tests", FOR_A_GPU], capture_output=True, text=True, check=False,
                          env=environment)
    return done.returncode != 0 or "cuda" in done.stdout  # what does not start is found later, with its message


def gather(chosen, top):
    """Copies programs, without symbols, to top/bin, and their libraries to top/lib. Tests without a case for a GPU are
    left out. Errors: Refusal."""
    shutil.rmtree(top, ignore_errors=True)
    for folder in ("bin", "lib"):
        (top / folder).mkdir(parents=True)
    for name, path in chosen.items():
        if name.endswith("_test") and not has_cases(path):
            continue
        shutil.copy2(path, top / "bin" / name)
        _without_symbols(top / "bin" / name)
    for name, place in sorted(_libraries(chosen).items()):
        shutil.copy2(os.path.realpath(place), top / "lib" / name)


def _without_symbols(path):
    done = subprocess.run(["strip", path], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refusal(f"strip refuses {path.name}: {done.stderr.strip()}")


def is_of_the_machine(name):
    return name.startswith(OF_THE_MACHINE)


def _libraries(chosen):
    """{name: file} of what the loader finds for the programs here, without what the machine has."""
    found = {}
    for name, path in chosen.items():
        done = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            library, arrow, place = line.strip().partition(" => ")
            place = place.split(" (")[0]
            if not arrow or is_of_the_machine(library):
                continue
            if not os.path.exists(place):
                raise Refusal(f"{name} needs {library}, which is not on this machine: {place}")
            if not filecmp.cmp(found.get(library, place), place, shallow=False):
                raise Refusal(f"{name} needs {library} of {place}, another program that of {found[library]}; they "
                              "differ, and a pack has room for one")
            found[library] = place
    return found


def check_symbols(top):
    """Errors: Refusal, naming each file that asks for symbols newer than the machine's."""
    found = []
    for path in sorted([*(top / "bin").iterdir(), *(top / "lib").iterdir()]):
        try:
            wanted = elf.Elf(path).versions
        except ValueError as error:
            raise Refusal(str(error)) from error
        for library, version in wanted:
            kind, _, numbers = version.partition("_")
            if kind in NEWEST and re.fullmatch(r"[0-9.]+", numbers) and is_of_the_machine(library):
                if tuple(int(part) for part in numbers.split(".")) > NEWEST[kind]:
                    newest = ".".join(str(part) for part in NEWEST[kind])
                    found.append(f"{path.name} wants {version} of {library}, newer than {kind}_{newest}")
    if found:
        raise Refusal("; ".join(found) + "; build on an older system")


def check_starts(top, work):
    """Starts each program with the pack's libraries and CUDA's alone, and asks the loader what it took. Errors:
    Refusal, naming the program and the library."""
    lib = (top / "lib").resolve()
    for program in sorted((top / "bin").iterdir()):
        trace = pathlib.Path(work) / "loaded"
        environment = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": ":".join([str(lib), *machine.library_folders()]),
                       "LD_DEBUG": "libs", "LD_DEBUG_OUTPUT": str(trace), "HOME": str(work)}
        lists = ["--gtest_list_tests", FOR_A_GPU] if program.name.endswith("_test") else ["--list"]
        options = STARTS.get(program.name, lists)
        try:
            done = subprocess.run([program, *options], capture_output=True, text=True, check=False, env=environment,
                                  timeout=60, cwd=work, errors="replace")
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Refusal(f"{program.name} does not start: {error}") from error
        said = (done.stderr.strip() or done.stdout.strip())[-400:]
        if done.returncode != 0:
            raise Refusal(f"{program.name} does not start with the pack's libraries alone: "
                          f"{' '.join([program.name, *options])} ended with {done.returncode}: {said}")
        for library in _loaded(trace, program):
            if library.parent.resolve() != lib and not is_of_the_machine(library.name):
                raise Refusal(f"{program.name} does not start with the pack's libraries alone: it took {library.name} "
                              f"from {library.parent}, and neither the pack nor every machine has it")


def _loaded(trace, program):
    found = set()
    for path in trace.parent.glob(trace.name + ".*"):
        for line in path.read_text(errors="replace").splitlines():
            _, mark, place = line.partition("calling init: ")
            if mark and place.startswith("/") and pathlib.Path(place).resolve() != program.resolve():
                found.add(pathlib.Path(place))
        path.unlink()
    return sorted(found)


def manifest(top, commit, dirty, cache, bounded):
    """`bounded`: names of the programs whose kernels do not wait for ever."""
    files = {path.name: path.read_bytes() for path in sorted((top / "bin").iterdir())}
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"commit": commit, "dirty": dirty, "built": now.isoformat("T", "seconds"),
            "architectures": cache.get("CMAKE_CUDA_ARCHITECTURES", ""), "cudnn": True,
            "bounded": [name for name in bounded if name in files],
            "programs": {name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
                         for name, data in files.items()}}


def write(top, archive):
    """Programs by size, so that those with the same kernels lie side by side. Returns the archive's bytes. Errors:
    Refusal for too large a one, which is removed."""
    fresh = archive.with_name(archive.name + ".part")
    by_size = sorted((top / "bin").iterdir(), key=lambda path: (path.stat().st_size, path.name))
    try:
        with lzma.open(fresh, "wb", filters=COMPRESSION) as file, tarfile.open(fileobj=file, mode="w") as tar:
            for path in [top / "manifest.json", *by_size, *sorted((top / "lib").iterdir())]:
                tar.add(path, arcname=str(path.relative_to(top)), filter=_plain)
            for folder in ("bin", "lib"):  # there even where they are empty
                tar.add(top / folder, arcname=folder, recursive=False, filter=_plain)
        size = fresh.stat().st_size
        if size > MOST_PACKED:
            largest = ", ".join(f"{path.name} {path.stat().st_size >> 20} MiB" for path in by_size[-3:])
            raise Refusal(f"the pack has {size / 2**20:.1f} MiB, more than {MOST_PACKED >> 20}; largest: {largest}")
        os.replace(fresh, archive)
    finally:
        fresh.unlink(missing_ok=True)
    return size


def _plain(member):
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def travelling(root, folder):
    """Bytes that go to the machine: what git tracks or does not ignore, and the folder brought along."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            capture_output=True, check=True).stdout.decode(errors="surrogateescape")
    files = {root / name for name in listed.split("\0") if name}
    files.update(path for path in folder.rglob("*"))
    return sum(path.lstat().st_size for path in files if path.is_symlink() or path.is_file())


def write_manifest(top, content):
    (top / "manifest.json").write_text(json.dumps(content, indent=1) + "\n")

"""The programs of tests/gpu.sh in one archive, with the shared libraries that a bare machine lacks."""

import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile

# What comes with the system or with the driver and the toolkit, and must come from there.
OF_THE_MACHINE = ("linux-vdso", "ld-linux", "libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so",
                  "libstdc++", "libgcc_s", "libcuda.so", "libcublas", "libcudnn", "libnv")
LIMIT = 64 << 20  # bytes of an archive that still travels


def programs(build):
    """The command, and what of bin/ is for a GPU."""
    found = [build / "sluice"] + sorted((build / "bin").glob("gpu_*"))
    for layer in ("kernels", "engine", "host"):
        for program in sorted((build / "bin").glob(f"{layer}_*_test")):
            listed = subprocess.run([program, "--gtest_list_tests", "--gtest_filter=*cuda*"],
                                    capture_output=True, text=True, check=False).stdout
            if "cuda" in listed:
                found.append(program)
    return [path for path in found if path.exists()]


def libraries(paths):
    """What ldd finds for them, by name, without what every machine has."""
    found = {}
    for path in paths:
        for line in subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout.splitlines():
            name, arrow, place = line.strip().partition(" => ")
            place = place.split(" (")[0]
            if arrow and os.path.exists(place) and not name.startswith(OF_THE_MACHINE):
                found[name] = place
    return found


def pack(build, archive, data):
    """Returns the archive's size. Errors: SystemExit, saying what is wrong."""
    chosen = programs(build)
    if len(chosen) < 2:
        raise SystemExit(f"{build} holds no programs to pack; build it with the CUDA backend and the tests first")
    with tempfile.TemporaryDirectory() as work:
        top = pathlib.Path(work) / "gpu-build"
        (top / "bin").mkdir(parents=True)
        (top / "lib").mkdir()
        for path in chosen:
            to = top / path.relative_to(build)
            shutil.copy2(path, to)
            subprocess.run(["strip", to], check=True)
        for name, place in libraries(chosen).items():
            shutil.copy2(os.path.realpath(place), top / "lib" / name)
        reviews = pathlib.Path(data) / "imdb" / "train.csv.gz" if data else None
        if reviews and reviews.exists():
            (top / "data" / "imdb").mkdir(parents=True)
            shutil.copy2(reviews, top / "data" / "imdb")
        with tarfile.open(archive, "w:xz", preset=6) as tar:
            tar.add(top, arcname="gpu-build")
    size = os.path.getsize(archive)
    if size > LIMIT:
        raise SystemExit(f"{archive} has {size >> 20} MiB, more than the {LIMIT >> 20} MiB that are to travel")
    return size


def unpack(archive, folder):
    """The build folder that pack() made."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data") if hasattr(tarfile, "data_filter") else tar.extractall(folder)
    return pathlib.Path(folder) / "gpu-build"

"""The build folders of a visit: configured, built, and no program of them missing or older than its sources.

There are two. What is timed must be the product's code; what is tested should say where it hangs, and so is built with
SLUICE_BOUNDED_SPINS: a kernel that waits in vain ends with a message instead of taking the GPU's minutes along."""

import pathlib
import re
import shutil
import subprocess
import tempfile

# What a visit needs; a new folder is configured so, and another one is refused where it differs.
OPTIONS = {"CMAKE_BUILD_TYPE": "Release", "SLUICE_CUDA": "ON", "SLUICE_CUDNN": "ON", "SLUICE_BUILD_TESTS": "ON",
           "SLUICE_BUILD_BENCH": "ON", "SLUICE_SANITIZE": "", "SLUICE_IMAGINED_GPU": "ON"}
BOUNDED = "SLUICE_BOUNDED_SPINS"
ARCHITECTURES = "90-real"  # H100 and H200: machine code alone
# What the bounded build takes from the other one.
ALIKE = ("CMAKE_CUDA_ARCHITECTURES", "CMAKE_CXX_COMPILER", "CMAKE_CUDA_COMPILER", "SLUICE_CUDNN_HEADERS",
         "SLUICE_WERROR")
AS_GOOD = {("SLUICE_CUDA", "AUTO", "ON"), ("SLUICE_CUDNN", "AUTO", "ON")}  # if the headers are there


class Refusal(Exception):
    """Says what is wrong, and where it helps what to do."""


def run(command, what, **options):
    """What it prints comes as it is. Errors: Refusal, naming `what`."""
    try:
        done = subprocess.run([str(part) for part in command], check=False, **options)
    except OSError as error:
        raise Refusal(f"{what}: {command[0]} does not start: {error}") from error
    if done.returncode != 0:
        raise Refusal(f"{what} failed (exit code {done.returncode}; see above)")
    return done


def cache_of(folder):
    """CMake's variables by name."""
    found = {}
    for line in (folder / "CMakeCache.txt").read_text(errors="replace").splitlines():
        match = re.match(r"([A-Za-z0-9_.+-]+):[A-Z]+=(.*)$", line)
        if match:
            found[match[1]] = match[2]
    return found


def is_configured(folder):
    return (folder / "CMakeCache.txt").exists()


def _options(bounded):
    return {**OPTIONS, BOUNDED: "ON" if bounded else "OFF"}


def configure(root, folder, bounded=False, like=None):
    """`like`: the folder whose compilers and architectures it has too."""
    launcher = shutil.which("ccache")
    options = {**_options(bounded), "CMAKE_CUDA_ARCHITECTURES": ARCHITECTURES}
    if launcher:
        options.update(CMAKE_CXX_COMPILER_LAUNCHER=launcher, CMAKE_CUDA_COMPILER_LAUNCHER=launcher)
    if like:
        cache = cache_of(like)
        options.update({key: cache[key] for key in ALIKE if cache.get(key)})
    run(["cmake", "-S", root, "-B", folder, "-G", "Ninja", *(f"-D{key}={value}" for key, value in options.items())],
        f"configuring {folder}")


def check_options(folder, bounded=False):
    """Returns CMake's variables. Errors: Refusal, naming the option."""
    if not is_configured(folder):
        other = "say --no-bounded" if bounded else "name another --build"
        raise Refusal(f"{folder} is no configured build folder; leave out --no-build, or {other}")
    cache = cache_of(folder)
    if cache.get("CMAKE_GENERATOR") != "Ninja":
        raise Refusal(f"{folder} was made for {cache.get('CMAKE_GENERATOR')}; expected Ninja, which says what is "
                      "stale; remove the folder or name another --build")
    has_headers = "NOTFOUND" not in cache.get("SLUICE_CUDNN_HEADERS", "NOTFOUND")
    if cache.get("SLUICE_CUDNN") == "OFF" or not has_headers:
        why = "SLUICE_CUDNN=OFF" if has_headers or cache.get("SLUICE_CUDNN") == "OFF" else \
            "cuDNN 9's headers were not found (SLUICE_CUDNN_HEADERS)"
        raise Refusal(f"cuDNN is off in {folder}: {why}; a visit compares with it: cmake -DSLUICE_CUDNN=ON {folder}")
    for key, value in _options(bounded).items():
        got = cache.get(key, "")
        if got != value and (key, got, value) not in AS_GOOD:
            raise Refusal(f"{key} is '{got}' in {folder}, and a visit needs '{value}': cmake -D{key}={value} {folder}")
    if "90" not in cache.get("CMAKE_CUDA_ARCHITECTURES", ""):
        raise Refusal(f"CMAKE_CUDA_ARCHITECTURES is '{cache.get('CMAKE_CUDA_ARCHITECTURES')}' in {folder}, without "
                      f"Hopper's: cmake -DCMAKE_CUDA_ARCHITECTURES={ARCHITECTURES} {folder}")
    return cache


def build(folder, target, jobs):
    run(["cmake", "--build", folder, "--target", target, *(["-j", str(jobs)] if jobs else [])], f"building {target}")


def programs(folder, target="gpu_visit"):
    """{name: path} of what a target builds, from the list that CMake wrote. Errors: Refusal."""
    listing = folder / f"{target}.txt"
    try:
        lines = listing.read_text().splitlines()
    except OSError as error:
        raise Refusal(f"{listing} is not there: expected a build with the CUDA backend, tests and benchmarks"
                      ) from error
    return {name: pathlib.Path(path) for name, path in (line.split("\t") for line in lines if line)}


def check_fresh(folder, chosen, target="gpu_visit"):
    """Errors: Refusal, naming the programs that are missing or older than a source."""
    missing = [name for name, path in chosen.items() if not path.is_file()]
    if missing:
        raise Refusal(f"missing from {folder}: {', '.join(missing)}; build the target {target}")
    stale = _stale(folder, chosen)
    if stale:
        raise Refusal(f"stale in {folder}, older than a source: {', '.join(stale)}; build the target {target}")


def _stale(folder, chosen):
    # Ninja asked of a copy of its file: of the file itself it would first look whether that is new.
    with tempfile.TemporaryDirectory() as work:
        copy = pathlib.Path(work) / "copy.ninja"
        shutil.copy2(folder / "build.ninja", copy)

        def has_work(paths):
            names = [str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path) for path in paths]
            done = subprocess.run(["ninja", "-C", folder, "-n", "-f", copy, *names], capture_output=True, text=True,
                                  check=False)
            return done.returncode != 0 or "no work to do" not in done.stdout

        if not has_work(chosen.values()):
            return []
        return [name for name, path in chosen.items() if has_work([path])]

"""What machine this is, and where its CUDA libraries are."""

import glob
import importlib.metadata
import json
import os
import pathlib
import platform
import shutil
import subprocess

SMI = ["nvidia-smi", "--format=csv,noheader,nounits"]


def output_of(command, **options):
    """What a command prints, or "" where it fails or is not there."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True, **options).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _cpu():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next((one.split(":", 1)[1].strip() for one in file if one.startswith("model name")), "")
    except OSError:
        return ""


def query(*fields):
    """The command that prints a GPU's fields in one line."""
    return [SMI[0], f"--query-gpu={','.join(fields)}", SMI[1]]


def describe(line):
    """From the line of query("name", "driver_version", "memory.total"); None where it names no GPU."""
    if not line.strip():
        return None
    gpu, driver, memory = (part.strip() for part in (line.splitlines()[0] + ",,").split(",")[:3])
    return {**without_gpu(), "gpu": gpu, "driver": driver, "gpu_memory": f"{memory} MiB" if memory.isdigit() else memory}


def without_gpu():
    """The rest of it, for the imagined GPU."""
    return {"gpu": "imagined on the CPU", "driver": "", "gpu_memory": "", "cpu": _cpu(),
            "processors": len(os.sched_getaffinity(0)), "system": platform.platform()}


def tool(name):
    """The path of one of the CUDA toolkit's programs, or None."""
    return shutil.which(name) or next((path for pattern in (f"/usr/local/cuda*/bin/{name}", f"/opt/nvidia/*/*/{name}")
                                       for path in sorted(glob.glob(pattern), reverse=True)), None)


def sanitizer():
    return tool("compute-sanitizer")


def versions(info):
    """`info`: what `sluice info --json` prints. PyTorch's by its package, since importing it takes seconds."""
    nvcc, memcheck = tool("nvcc"), sanitizer()
    try:
        torch = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        torch = ""
    try:
        sluice = json.loads(info)
    except ValueError:
        sluice = {}
    return {"sluice": sluice if isinstance(sluice, dict) else {},
            "nvcc": output_of([nvcc, "--version"]).splitlines()[-2:-1] if nvcc else [],
            "compute_sanitizer": output_of([memcheck, "--version"]).splitlines()[-1:] if memcheck else [],
            "python": platform.python_version(), "pytorch": torch}


def library_folders():
    """Folders of CUDA's run-time libraries that the loader may not know: the toolkit's, and those of
    Python's packages."""
    patterns = ["/usr/local/cuda/lib64", "/usr/local/cuda/lib", "/usr/local/cuda*/lib64"]
    for base in ("/usr/lib/python3*", "/usr/local/lib/python3*", "/opt/*/lib/python3*", "/opt/*/.venv/lib/python3*",
                 "/opt/*/*/lib/python3*"):
        for packages in ("site-packages", "dist-packages"):
            patterns += [f"{base}/{packages}/nvidia/{part}/lib" for part in ("cudnn", "cu13", "cublas", "cuda_runtime")]
    found = []
    for pattern in patterns:
        found += [path for path in sorted(glob.glob(pattern)) if path not in found and
                  any(pathlib.Path(path).glob("lib*.so.*"))]
    return found

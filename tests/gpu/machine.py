"""What machine this is, and where its CUDA libraries are."""

import glob
import json
import os
import pathlib
import platform
import shutil
import subprocess


def output_of(command, **options):
    """What a command prints, or "" where it fails or is not there."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, **options).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def describe():
    """None without a GPU."""
    line = output_of(["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"])
    if not line:
        return None
    gpu, driver, memory = (part.strip() for part in (line.splitlines()[0] + ",,").split(",")[:3])
    cpu = ""
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            cpu = next((one.split(":", 1)[1].strip() for one in file if one.startswith("model name")), "")
    return {"gpu": gpu, "driver": driver, "gpu_memory": memory, "cpu": cpu,
            "processors": len(os.sched_getaffinity(0)), "system": platform.platform()}


def sanitizer():
    return shutil.which("compute-sanitizer") or next(
        (path for path in sorted(glob.glob("/usr/local/cuda*/bin/compute-sanitizer"))), None)


def versions(sluice, environment):
    nvcc = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
    info = output_of([sluice, "info", "--json"], env=environment)
    tool = sanitizer()
    return {"sluice": json.loads(info) if info.startswith("{") else {},
            "nvcc": output_of([nvcc, "--version"]).splitlines()[-2:-1],
            "compute_sanitizer": output_of([tool, "--version"]).splitlines()[-1:] if tool else [],
            "python": platform.python_version()}


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

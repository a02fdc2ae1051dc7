"""visit_programs_test BUILD: every test that was built and has cases for a GPU is among gpu_visit's programs, and what
runs the persistent kernels to see whether they are right is among the bounded ones."""

import pathlib
import sys

from preparing import pack
from running import stages

build = pathlib.Path(sys.argv[1])


def listed(target):
    return {line.split("\t")[0] for line in (build / f"{target}.txt").read_text().splitlines()}


programs, bounded = listed("gpu_visit"), listed("gpu_visit_bounded")
built = [path for path in sorted((build / "bin").glob("*_test")) if not path.name.startswith("cuda_on_cpu_")]
forgotten = [path.name for path in built if path.name not in programs and pack.has_cases(path)]
if forgotten:
    sys.exit(f"not in gpu_visit.txt though they have cases for a GPU: {', '.join(forgotten)}; see tests/CMakeLists.txt")
unbounded = {*stages.PERSISTENT, "gpu_real_shapes", "gpu_cudnn_comparison", "gpu_repeated_passes"} - bounded
if unbounded:
    sys.exit(f"not in gpu_visit_bounded.txt: {', '.join(sorted(unbounded))}; see preparing/visit.cmake")
print(f"{len(built)} tests, {len(programs)} programs of a visit, {len(bounded)} of them bounded")

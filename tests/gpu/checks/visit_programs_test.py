"""visit_programs_test.py BUILD: every test that was built and has cases for a GPU is among gpu_visit's programs."""

import pathlib
import sys

from preparing import pack

build = pathlib.Path(sys.argv[1])
listed = {line.split("\t")[0] for line in (build / "gpu_visit.txt").read_text().splitlines()}
built = [path for path in sorted((build / "bin").glob("*_test")) if not path.name.startswith("cuda_on_cpu_")]
forgotten = [path.name for path in built if path.name not in listed and pack.has_cases(path)]
if forgotten:
    sys.exit(f"not in gpu_visit.txt though they have cases for a GPU: {', '.join(forgotten)}; see tests/CMakeLists.txt")
print(f"{len(built)} tests, {len(listed)} programs of a visit")

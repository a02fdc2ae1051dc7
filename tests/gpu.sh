#!/usr/bin/env bash
# Runs on a machine with an NVIDIA GPU what other machines cannot: every test that is parameterised by
# device; Sluice's recurrent layers beside cuDNN's; the same passes and trainings 20 times, bit for
# bit; training beside the CPU; and the CUDA toolkit's sanitizers. Writes one JSON report, prints what
# it skipped and why, and ends within --seconds.
#
#   tests/gpu.sh [--build DIR|FILE] [--report FILE] [--data DIR] [--seconds N] [--only SECTION]...
#   tests/gpu.sh --pack FILE [--build DIR] [--data DIR]
#
# --build   a build with the CUDA backend (default build), made here or elsewhere, or what --pack
#           wrote; a folder without one is built first
# --data    a folder with imdb/train.csv.gz in it, for the IMDB recipe (default ../shared/data)
# --report  default tests/gpu-reports/<time>-<gpu>.json
# --seconds default 480
# --only    tests, cudnn, repeat, training or sanitizers; may be given more than once
# --pack    instead of running, collects the programs and the libraries that a bare machine lacks
#           into FILE (.tar.xz), for `tests/gpu.sh --build FILE` in a copy of the sources there
# Needs Python 3 and no package of it. Exit codes: 0 all passed; 1 something failed; 2 wrong usage;
# 77 no GPU.
set -euo pipefail
command -v python3 >/dev/null || { echo "tests/gpu.sh needs python3" >&2 && exit 2; }
exec python3 "$(dirname "$0")/gpu/run.py" "$@"

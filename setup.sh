#!/usr/bin/env bash
# Installs what Sluice is built with, from Debian's packages. demo.sh and check.sh call it.
# Does nothing when all of it is there. The CUDA toolkit is not installed: it is used if found.
set -euo pipefail

packages=(
  g++ cmake ninja-build git pkg-config
  libdnnl-dev           # oneDNN: matrix products on the CPU
  ocl-icd-opencl-dev    # wanted by oneDNN's CMake package, not by Sluice
  libthrust-dev         # Thrust's host system, for builds without the CUDA toolkit
  libicu-dev            # Unicode tokenisation
  zlib1g-dev            # gzip-compressed data
  nlohmann-json3-dev    # JSON
  libcli11-dev          # the command line
  libtomlplusplus-dev   # option files
  libgtest-dev          # the tests
  python3               # the scripts around the benchmark's results, and their tests
)

if ! command -v apt-get > /dev/null || ! command -v dpkg-query > /dev/null; then
  echo "setup: no apt-get here, so nothing is installed. The build needs C++20 (g++ 12 or clang 14)," \
    "CMake 3.25, Ninja, git, pkg-config, oneDNN, Thrust, ICU 72, zlib, nlohmann-json, CLI11, toml++" \
    "and GoogleTest; CMake will name what it does not find." >&2
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "setup: all ${#packages[@]} Debian packages are installed"
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo > /dev/null; then
    echo "setup: not root and no sudo; as root, run: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "setup: installing from Debian's packages: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
echo "setup: done"

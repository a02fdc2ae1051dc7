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
wanted=(
  clang-format-14       # one of the tests, which is skipped without it: newer Debians lack this version
)

if ! command -v apt-get > /dev/null || ! command -v dpkg-query > /dev/null; then
  echo "setup: no apt-get here, so nothing is installed. The build needs C++20 (g++ 12 or clang 14)," \
    "CMake 3.25, Ninja, git, pkg-config, oneDNN, Thrust, ICU 72, zlib, nlohmann-json, CLI11, toml++" \
    "and GoogleTest; CMake will name what it does not find." >&2
  exit 0
fi

# absent PACKAGE...: those of them that are not installed.
absent() {
  local package
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null) == installed ]] || echo "$package"
  done
}
# offered PACKAGE...: those of them that the package lists have.
offered() {
  local package
  for package in "$@"; do
    if [[ $(apt-cache search --names-only "^$package\$") ]]; then echo "$package"; fi
  done
}
mapfile -t missing < <(absent "${packages[@]}")
mapfile -t lacking < <(absent "${wanted[@]}")
if ((${#missing[@]} == 0)) && [[ ! $(offered "${lacking[@]}") ]]; then
  echo "setup: all ${#packages[@]} Debian packages are installed${lacking[*]:+; not to be had: ${lacking[*]}}"
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo > /dev/null; then
    echo "setup: not root and no sudo; as root, run: apt-get install ${missing[*]} ${lacking[*]}" >&2
    exit "$((${#missing[@]} > 0))"
  fi
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update -qq
mapfile -t lacking < <(offered "${lacking[@]}")
echo "setup: installing from Debian's packages: ${missing[*]} ${lacking[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" "${lacking[@]}" > /dev/null
echo "setup: done"

#!/usr/bin/env bash
# plant_readme_cell.sh SOURCE PLANTED: follows "Add a cell" of SOURCE's README to the letter, but in the
# folder PLANTED: its header, and the list with its two lines, for includes to find before SOURCE's.
set -euo pipefail
source=$1 planted=$2
# block N: the section's code block number N.
block() {
  awk -v wanted="$1" '/^### / { on = $0 == "### Add a cell" }
    on && /^```/ { inside = !inside; count += inside; next }
    on && inside && count == wanted' "$source/README.md"
}
header=$(block 1 | sed -nE '1s|^// (kernels/cells/[a-z0-9_]+\.h)$|\1|p')
include=$(block 2) line=$(block 3)
[[ -n $header && $include == "#include \"$header\"" && $line == *CELL*\\ ]] || {
  echo "README.md, Add a cell: expected a header that begins with its path, its include and its line"
  exit 1
}
mkdir -p "$planted/kernels/cells"
block 1 | tail -n +2 > "$planted/$header"
awk -v include="$include" -v line="${line//\\/\\\\}" '
  /^#include/ && !included++ { print include }
  { print }
  /^#define SLUICE_CELLS\(CELL\)/ { print line }' "$source/kernels/cells/list.h" \
  > "$planted/kernels/cells/list.h"

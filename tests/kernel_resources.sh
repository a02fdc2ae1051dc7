#!/usr/bin/env bash
# Registers, stack, spills and shared memory of every hand-written kernel for sm_90, from the
# compiler's own report, against the budgets in tests/kernel_resources.tsv. A kernel that begins to
# spill, outgrows its budget, or is not in the table fails the test.
#   tests/kernel_resources.sh [BUILD]    compare. A source's object in the build folder BUILD is read
#                                        (kernel_resources.py) where it is newer, for sm_90, and tells
#                                        all; else the source is compiled
#   tests/kernel_resources.sh --update   write the table anew, registers rounded up to eights
# NVCC names the compiler (default: nvcc, then /usr/local/cuda/bin/nvcc). Exit code 77: no compiler.
set -euo pipefail
cd "$(dirname "$0")/.."
table=tests/kernel_resources.tsv
nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
if [[ ! -x $nvcc ]]; then
  echo "SKIPPED: no CUDA compiler; set NVCC or put nvcc on the path"
  exit 77
fi
release=$("$nvcc" --version | sed -nE 's/.*release ([0-9.]+),.*/\1/p')
budgeted=$(sed -nE 's/^# .*CUDA ([0-9.]+)\..*/\1/p' "$table" 2>/dev/null || true)
if [[ ${1:-} != --update && $release != "$budgeted" ]]; then
  echo "SKIPPED: the budgets are for CUDA $budgeted, and this compiler is of CUDA $release"
  exit 77
fi
build=
[[ ${1:-} == --update ]] || build=${1:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# kernels/arrays/sort.cu is left out: its kernels are CUB's.
report() {
  local log=$work/${1//\//:} object=$build/kernels/CMakeFiles/sluice_kernels.dir/${1#kernels/}.o
  if [[ -n $build && $object -nt $1 ]] && python3 tests/kernel_resources.py "$object" 90 >"$log.read"; then
    return
  fi
  rm -f "$log.read"
  "$nvcc" -std=c++20 -arch=sm_90 -I. --expt-relaxed-constexpr -DSLUICE_WITH_CUDA \
    -Xptxas -v -cubin -o "$log.cubin" "$1" 2>"$log.log" ||
    { cat "$log.log" >&2; return 1; }
}
export -f report
export nvcc work build
find kernels -name '*.cu' | LC_ALL=C sort | grep -v '/sort.cu$' |
  xargs -P "$(nproc)" -I{} bash -c 'report {}'

# One line a kernel: source, kernel, registers, stack bytes, spilled bytes, shared bytes.
shopt -s nullglob
for log in "$work"/*.{read,log}; do
  source=$(basename "${log%.*}")
  source=${source//://}
  if [[ $log == *.read ]]; then
    awk -v source="$source" '{ print source "\t" $0 }' "$log"
    continue
  fi
  awk -v source="$source" '
    /Function properties for/ { name = $NF }
    /bytes stack frame/ { stack = $1; spilled = $5 + $9 }
    /Used [0-9]+ registers/ {
      shared = 0
      for (i = 2; i <= NF; ++i) if ($i ~ /^smem/) shared = $(i - 2)
      match($0, /Used [0-9]+/)
      print source "\t" name "\t" substr($0, RSTART + 5, RLENGTH - 5) "\t" stack "\t" spilled "\t" shared
    }' "$log"
done | c++filt | sed -E 's/sluice::cuda:://g; s/sluice:://g; s/\(anonymous namespace\):://g
                         s/\tvoid /\t/; s/\([^\t]*\)\t/\t/' | LC_ALL=C sort >"$work/measured.tsv"

if [[ ${1:-} == --update ]]; then
  {
    printf '# Budgets of tests/kernel_resources.sh, sm_90, CUDA %s.\n' "$release"
    printf '# source\tkernel\tregisters\tstack bytes\tspilled bytes\tshared bytes\n'
    awk -F'\t' -v OFS='\t' '{ $3 = int(($3 + 7) / 8) * 8; print }' "$work/measured.tsv"
  } >"$table"
  echo "wrote $table: $(wc -l <"$work/measured.tsv") kernels"
  exit 0
fi

awk -F'\t' '
  FNR == NR { if ($0 !~ /^#/) { budget[$1 FS $2] = $0 }; next }
  {
    key = $1 FS $2
    ++kernels
    if (!(key in budget)) { print "not in the table: " $1 ": " $2; ++bad; next }
    split(budget[key], allowed, FS)
    seen[key] = 1
    if ($5 > allowed[5] + 0) { print "spills " $5 " bytes, budget " allowed[5] ": " $1 ": " $2; ++bad }
    if ($3 > allowed[3] + 0) { print $3 " registers, budget " allowed[3] ": " $1 ": " $2; ++bad }
    if ($4 > allowed[4] + 0) { print $4 " bytes of stack, budget " allowed[4] ": " $1 ": " $2; ++bad }
    if ($6 > allowed[6] + 0) { print $6 " bytes of shared memory, budget " allowed[6] ": " $1 ": " $2; ++bad }
  }
  END {
    for (key in budget) if (!(key in seen)) { print "in the table, but no longer there: " key; ++bad }
    print kernels " kernels, " bad + 0 " outside their budgets"
    if (bad) print "if the change is wanted: tests/kernel_resources.sh --update"
    exit bad > 0
  }' "$table" "$work/measured.tsv"

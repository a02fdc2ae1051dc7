#!/usr/bin/env bash
# What the compiler made of the persistent kernels for sm_90, by a disassembler: those for tensor cores
# multiply on them (HMMA), none has local memory in use (LDL, STL), and no fence of the whole GPU stands
# in the steps of a cluster (one does before them).
# NVCC and NVDISASM name the tools (default: on the path, then in /usr/local/cuda/bin; nvdisasm is also
# in PyPI's package nvidia-cuda-nvdisasm). Exit code 77: one of them is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
find_tool() { command -v "$1" || { [[ -x /usr/local/cuda/bin/$1 ]] && echo "/usr/local/cuda/bin/$1"; } || true; }
nvcc=${NVCC:-$(find_tool nvcc)}
nvdisasm=${NVDISASM:-$(find_tool nvdisasm)}
for tool in nvcc nvdisasm; do
  if [[ ! -x ${!tool} ]]; then
    echo "SKIPPED: no $tool; set ${tool^^} or put $tool on the path"
    exit 77
  fi
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

disassemble() {
  "$nvcc" -std=c++20 -arch=sm_90 -I. --expt-relaxed-constexpr -DSLUICE_WITH_CUDA -cubin \
    -o "$work/$1.cubin" "$persistent/$1.cu" && "$nvdisasm" -c "$work/$1.cubin" >"$work/$1.sass"
}
export -f disassemble
persistent=kernels/time_loops/persistent
export nvcc nvdisasm work persistent
ls "$persistent"/{bfloat16,float16,float32,tf32}.cu | xargs -n1 basename -s .cu |
  xargs -P "$(nproc)" -I{} bash -c 'disassemble {}'

for sass in "$work"/*.sass; do
  awk -v source="$persistent/$(basename "$sass" .sass).cu" -v tensor_cores="$([[ $sass == *float32* ]] || echo 1)" '
    function finish() {
      if (name == "") return
      ++kernels
      if (tensor_cores && !products) { print source ": no HMMA in " name; ++bad }
      if (!tensor_cores && products) { print source ": HMMA in " name; ++bad }
      if (local) { print source ": " local " accesses of local memory in " name; ++bad }
      if (name ~ /ClusterExchange/ && fences > 1) { print source ": " fences " fences in " name; ++bad }
    }
    /^\.text\./ { finish(); name = $1; products = local = fences = 0 }
    /HMMA/ { ++products }
    /LDL|STL/ { ++local }
    /MEMBAR\.[A-Z]*\.GPU/ { ++fences }
    END { finish(); print source ": " kernels " kernels, " bad + 0 " faulty"; exit bad > 0 || kernels == 0 }' "$sass" ||
    failed=1
done
exit "${failed:-0}"

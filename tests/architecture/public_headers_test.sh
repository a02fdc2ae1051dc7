#!/usr/bin/env bash
# public_headers_test.sh WORK: shows that public_headers.sh passes a clean tree and catches each planted
# violation.
set -euo pipefail
public_headers=$(dirname "$(readlink -f "$0")")/public_headers.sh
rm -rf "$1"
mkdir -p "$1"
cd "$1"

clean_tree() {
  rm -rf tree
  mkdir -p tree/{kernels/{base,arrays},engine/pass}
  printf '// Types.\n//\n// Public API.\n#pragma once\nenum class Kind { one };\n' > tree/kernels/base/types.h
  printf '// Inner.\n#pragma once\n' > tree/kernels/base/inner.h
  printf '// Products.\n//\n// Public API.\n#pragma once\n#include <string>\n\n#include "kernels/base/types.h"\n' \
    > tree/kernels/arrays/gemm.h
  printf '// Layers.\n#pragma once\n#include "kernels/arrays/gemm.h"\n' > tree/engine/recurrent.h
  printf 'not C++\n' > tree/engine/pass/inner.h
}
# caught FILE SAID LINE...: the tree with LINEs at the end of FILE must fail, and say SAID.
caught() {
  clean_tree
  printf '%s\n' "${@:3}" >> "tree/$1"
  if "$public_headers" tree > output.txt 2>&1; then
    echo "not caught: '${*:3}' in $1" && exit 1
  fi
  grep -q "^$2" output.txt || { echo "caught, but not as '$2':" && cat output.txt && exit 1; }
  echo "caught: '${*:3}' in $1"
}

clean_tree
"$public_headers" tree
echo "a clean tree passes"
caught kernels/arrays/gemm.h "kernels/arrays/gemm.h:8: a public header includes kernels/base/inner.h" \
  '#include "kernels/base/inner.h"'
caught engine/recurrent.h "engine/recurrent.h:4: a public header includes engine/pass/inner.h" \
  '#  include "engine/pass/inner.h"'
caught kernels/base/types.h "kernels/base/types.h: does not compile" 'std::string name;'
caught engine/recurrent.h "engine/recurrent.h: does not compile" 'inline int f(int x) { return 0; }'
clean_tree
sed -i '/pragma once/d' tree/kernels/base/types.h
caught_twice=$("$public_headers" tree 2>&1) && echo "not caught: no #pragma once" && exit 1
grep -q "^kernels/base/types.h: does not compile" <<< "$caught_twice"
echo "caught: no #pragma once"

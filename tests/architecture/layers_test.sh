#!/usr/bin/env bash
# layers_test.sh WORK: shows that layers.sh passes a clean tree and catches each planted violation.
set -euo pipefail
layers=$(dirname "$(readlink -f "$0")")/layers.sh
rm -rf "$1"
mkdir -p "$1"
cd "$1"

clean_tree() {
  rm -rf tree
  mkdir -p tree/{kernels/{arrays,cells},engine,host/text,tests/engine,bench,build-mine,runs}
  printf 'build*/\nruns/\n' > tree/.gitignore
  echo '#include <vector>' > tree/kernels/arrays/gemm.h
  echo '#include "kernels/arrays/gemm.h"' > tree/engine/recurrent.h
  printf '#include "engine/recurrent.h"\n#include "kernels/arrays/gemm.h"\n' > tree/host/text/model.h
  echo '#include "host/text/model.h"' > tree/tests/engine/model_test.cpp
  echo '// #include "host/text/model.h" is what a kernel must not say' > tree/kernels/arrays/gemm.cu
  echo 'not a source' > tree/build-mine/notes.txt
}

# caught FILE LINE: the tree with LINE as the second line of FILE must fail, and be named.
caught() {
  clean_tree
  mkdir -p "$(dirname "tree/$1")"
  printf '// planted\n%s\n' "$2" > "tree/$1"
  if "$layers" tree > output.txt; then
    echo "not caught: '$2' in $1" && exit 1
  fi
  grep -q "^$3" output.txt || { echo "caught, but not as '$3':" && cat output.txt && exit 1; }
  echo "caught: '$2' in $1"
}

clean_tree
"$layers" tree
echo "a clean tree passes"
caught kernels/cells/lstm.h '#include "engine/recurrent.h"' kernels/cells/lstm.h:2:
caught kernels/arrays/gemm.cu '#  include <sluice/host/text/model.h>' kernels/arrays/gemm.cu:2:
caught kernels/arrays/gemm_cpu.cpp '#include "../host/text/model.h"' kernels/arrays/gemm_cpu.cpp:2:
caught engine/plan.cpp '#include "host/text/model.h"' engine/plan.cpp:2:
caught host/text/model.cpp '#include "tests/engine/model.h"' host/text/model.cpp:2:
caught tools/plan.py 'print()' tools/:

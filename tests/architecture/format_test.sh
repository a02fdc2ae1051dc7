#!/usr/bin/env bash
# format_test.sh WORK STYLE: shows that format.sh passes a clean tree, and names each file that is not as
# the file STYLE says.
set -euo pipefail
format=$(dirname "$(readlink -f "$0")")/format.sh
style=$(readlink -f "$2")
rm -rf "$1"
mkdir -p "$1"
cd "$1"

clean_tree() {
  rm -rf tree
  mkdir -p tree/{kernels/arrays,engine,host,tests/kernels,bench,build-mine}
  cp "$style" tree/.clang-format
  for file in kernels/arrays/gemm.h kernels/arrays/gemm.cu tests/kernels/gemm_test.cpp; do
    echo 'int twice(int x) { return 2 * x; }' > "tree/$file"
  done
  echo 'int  x ;' > tree/build-mine/made.cpp # nobody's source
}
# caught FILE LINE: the tree with LINE at the end of FILE must fail, and only FILE be named.
caught() {
  clean_tree
  echo "$2" >> "tree/$1"
  if "$format" tree > output.txt 2>&1; then
    echo "not caught: '$2' in $1" && exit 1
  fi
  [[ $(sed '/^^/,$d' output.txt) == "$1" ]] || { echo "caught, but not as $1 alone:" && cat output.txt && exit 1; }
  echo "caught: '$2' in $1"
}

clean_tree
"$format" tree # with 77, as where there is no clang-format 14, this ends here
echo "a clean tree passes"
caught kernels/arrays/gemm.h 'int* f(int *x) { return x; }'
caught kernels/arrays/gemm.cu '__global__  void f();'
caught tests/kernels/gemm_test.cpp $'\tint x;'

#!/usr/bin/env bash
# public_headers.sh ROOT: fails, naming file and line, if a public header of ROOT (kernels/: one that says
# "Public API." before its code; engine/: one at the top) includes one of Sluice's that is not, or does not
# compile by itself. CXX names the compiler.
set -euo pipefail
cd "$1"
violations=0
report() {
  echo "$1"
  violations=1
}

mapfile -t public < <({ grep -rlx --include='*.h' '// Public API\.' kernels && ls engine/*.h; } | sort)
((${#public[@]} > 0)) || { echo "no public header under $1" && exit 1; }
for header in "${public[@]}"; do
  while IFS=: read -r line included; do
    [[ " ${public[*]} " == *" $included "* ]] ||
      report "$header:$line: a public header includes $included, which is not public (and not installed)"
  done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"(sluice\/)?(.*)".*/\2/;T;=;p' "$header" | paste -d: - -)
done

# Twice, so that a header without #pragma once shows too.
# shellcheck disable=SC2317  # called by xargs
compiles() {
  printf '#include "%s"\n#include "./%s"\n' "$1" "$1" |
    "${CXX:-c++}" -std=c++20 -Wall -Wextra -Wshadow -Wpedantic -Werror -fsyntax-only -x c++ -I . -iquote . - > /dev/null ||
    { echo "$1: does not compile by itself" && exit 1; }
}
export -f compiles
# shellcheck disable=SC2016  # $1 is for the bash started here
printf '%s\n' "${public[@]}" | xargs -n 1 -P "$(nproc)" bash -c 'compiles "$1"' bash 2>&1 || violations=1
((violations)) || echo "${#public[@]} public headers compile by themselves and include no others of Sluice's"
exit "$violations"

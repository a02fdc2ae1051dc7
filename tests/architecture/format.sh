#!/usr/bin/env bash
# format.sh ROOT: fails, naming each file, if a source of the five folders is not as clang-format 14
# writes it by ROOT's .clang-format. Exit code 77 where that version is not to be had: others write others.
set -euo pipefail
cd "$1"
for format in clang-format-14 clang-format ""; do
  [[ $format && $("$format" --version 2> /dev/null) == *" version 14."* ]] && break
done
if [[ ! $format ]]; then
  echo "SKIPPED: clang-format 14 is not here; from Debian's packages ./setup.sh installs it"
  exit 77
fi

sources() { find kernels engine host tests bench -name '*.h' -print0 -o -name '*.cpp' -print0 -o -name '*.cu' -print0; }
count=$(sources | tr -dc '\0' | wc -c)
((count > 0)) || { echo "no source under $1" && exit 1; }
status=0
said=$(sources | xargs -0 -n 32 -P "$(nproc)" "$format" --dry-run --Werror 2>&1) || status=$?
wrong=$(sed -nE 's/^([^ :]+):[0-9]+:[0-9]+: error: .*clang-format.*/\1/p' <<< "$said" | sort -u)
if [[ $wrong ]]; then
  echo "$wrong"
  echo "^ not as clang-format 14 writes it; for each, run: $format -i FILE"
  exit 1
fi
((status == 0)) || { echo "$said" && exit 1; }
echo "$count sources are as clang-format 14 writes them"

#!/usr/bin/env bash
# rooms_test.sh WORK: shows that rooms.sh passes a clean tree and catches a violation planted in each room.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
rm -rf "$1"
mkdir -p "$1"
cd "$1"

clean_tree() {
  local storey list below room
  rm -rf tree
  while read -r storey list; do
    [[ $storey == \#* || -z $storey ]] && continue
    below=""
    for room in $list; do
      mkdir -p "tree/$storey/$room"
      printf '#include <vector>\n%s' "$below" > "tree/$storey/$room/$room.h"
      below+="#include \"$storey/$room/$room.h\""$'\n'
    done
    echo '#include "kernels/base/base.h"' > "tree/$storey/top.cpp"
  done < "$here/rooms.txt"
}

# caught FILE LINE SAID: the tree with LINE as the second line of FILE must fail, and say SAID.
caught() {
  clean_tree
  mkdir -p "$(dirname "tree/$1")"
  printf '// planted\n%s\n' "$2" > "tree/$1"
  if "$here/rooms.sh" tree > output.txt; then
    echo "not caught: '$2' in $1" && exit 1
  fi
  grep -q "^$3" output.txt || { echo "caught, but not as '$3':" && cat output.txt && exit 1; }
  echo "caught: '$2' in $1"
}

clean_tree
"$here/rooms.sh" tree
echo "a clean tree passes"
while read -r storey list; do
  [[ $storey == \#* || -z $storey ]] && continue
  read -ra order <<< "$list"
  for ((i = 0; i + 1 < ${#order[@]}; ++i)); do
    file=$storey/${order[i]}/planted.cpp
    caught "$file" "#include \"$storey/${order[i + 1]}/planted.h\"" "$file:2:"
  done
  caught "$storey/planted.h" "#include \"$storey/${order[0]}/planted.h\"" "$storey/planted.h:2:"
  caught "$storey/attic/planted.h" "int x;" "$storey/attic/: a room that"
done < "$here/rooms.txt"

#!/usr/bin/env bash
# rooms.sh ROOT: fails, naming file and line, if in a storey of rooms.txt a room includes a header of a
# later one, if a header at the storey's top includes a room's, or if a room is not in the list.
set -euo pipefail
rooms=$(dirname "$(readlink -f "$0")")/rooms.txt
cd "$1"
violations=0
report() {
  echo "$1"
  violations=1
}

# includes ROOMS FOLDER...: the lines of files there that include a header of one of ROOMS of the storey.
includes() {
  local of=$1
  shift
  grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"](\.\.?/|sluice/)*$storey/($of)/" "$@" ||
    (($? == 1)) # 1: no such line; more: grep itself failed
}

while read -r storey list; do
  [[ $storey == \#* || -z $storey ]] && continue
  read -ra order <<< "$list"
  for folder in "$storey"/*/; do
    room=$(basename "$folder")
    [[ " $list " == *" $room "* || -z $(find "$folder" -name '*.h' -print -quit) ]] ||
      report "$storey/$room/: a room that tests/architecture/rooms.txt does not have"
  done
  for ((i = 0; i + 1 < ${#order[@]}; ++i)); do
    [[ -d $storey/${order[i]} ]] || { report "$storey/${order[i]}/: a room of rooms.txt that is not there"; continue; }
    later=$(IFS='|' && echo "${order[*]:i+1}")
    hits=$(includes "$later" -r --include='*.h' --include='*.cpp' --include='*.cu' "$storey/${order[i]}")
    [[ -z $hits ]] || report "$hits"$'\n'"^ an arrow that runs back: in $storey/ the order is $list"
  done
  for header in "$storey"/*.h; do
    [[ -e $header ]] || continue
    hits=$(includes "$(IFS='|' && echo "${order[*]}")" -H "$header")
    [[ -z $hits ]] || report "$hits"$'\n'"^ a header at the top of $storey/ must not include a room's"
  done
done < "$rooms"
exit "$violations"

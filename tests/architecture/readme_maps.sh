#!/usr/bin/env bash
# readme_maps.sh ROOT: fails if the map of rooms that ROOT's README draws under "Architecture", or the one
# that begins a storey's own README, has other rooms than rooms.txt, or another order.
set -euo pipefail
rooms=$(dirname "$(readlink -f "$0")")/rooms.txt
cd "$1"
violations=0

# first_block FILE [LINE]: the first code block, of those after LINE.
first_block() {
  awk -v from="${2-}" 'from == "" || $0 == from { on = 1 }
    on && /^```/ { if (inside++) exit; next }
    inside' "$1"
}
# expect FILE STOREY ROOMS DRAWN
expect() {
  [[ $3 == "$4" ]] || {
    echo "$1: its map of $2/: expected the rooms of tests/architecture/rooms.txt in their order, $3;" \
      "got ${4:-none}"
    violations=1
  }
}

map=$(first_block README.md "## Architecture")
while read -r storey list; do
  [[ $storey == \#* || -z $storey ]] && continue
  drawn=$(awk -v storey="$storey/" '/^[^ ]/ { on = $1 == storey; next } on { print $1 }' <<< "$map")
  expect README.md "$storey" "$list" "$(tr -d / <<< "$drawn" | xargs)"
  drawn=$(first_block "$storey/README.md" | awk '/^[^ ]/ { print $1 }')
  expect "$storey/README.md" "$storey" "$list" "$(tr -d / <<< "$drawn" | xargs)"
done < "$rooms"
exit "$violations"

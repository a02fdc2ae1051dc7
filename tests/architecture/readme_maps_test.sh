#!/usr/bin/env bash
# readme_maps_test.sh WORK: readme_maps.sh passes on maps that are as rooms.txt says and fails, naming the
# file, on each one that is not.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
work=$1
failures=0

draw() {
  rm -rf "$work" && mkdir -p "$work"
  printf '```\nnot a map\n```\n## Architecture\n```\n' > "$work/README.md"
  while read -r storey list; do
    [[ $storey == \#* || -z $storey ]] && continue
    mkdir "$work/$storey"
    printf '%s/  one storey\n' "$storey" >> "$work/README.md"
    printf '  %s/  one room\n' $list >> "$work/README.md"
    { echo '```' && printf '%s/  one room\n' $list && echo '```'; } > "$work/$storey/README.md"
  done < "$here/rooms.txt"
  printf '```\n' >> "$work/README.md"
}
# expect STATUS NAMED WHAT
expect() {
  local status=0 output
  output=$("$here/readme_maps.sh" "$work" 2>&1) || status=$?
  if ((status != $1)) || [[ $output != *"$2"* ]]; then
    echo "FAILED: $3: status $status (expected $1), output: $output"
    failures=1
  fi
}
# plant FILE SED-EXPRESSION WHAT
plant() {
  draw
  sed -i "$2" "$work/$1"
  expect 1 "$1: its map" "$3"
}

draw
expect 0 "" "maps as they should be"
plant README.md '/^  cells/d' "a room that the README lacks"
plant README.md 's|^  loops/|  choice/|; t; s|^  choice/|  loops/|' "rooms in another order"
plant README.md 's|^host/.*|&\n  attic/  a room too many|' "a room that is not there"
plant kernels/README.md '/^cells/d' "a room that a storey's README lacks"
plant host/README.md 's|^data/.*|&\nattic/  a room too many|' "a room that a storey does not have"
exit "$failures"

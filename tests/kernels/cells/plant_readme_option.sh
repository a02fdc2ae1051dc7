#!/usr/bin/env bash
# plant_readme_option.sh SOURCE PLANTED: follows "Add an option" of SOURCE's README to the letter, but in
# the folder PLANTED: the files that its diff names, for includes to find before SOURCE's.
set -euo pipefail
source=$1 planted=$2
diff=$(awk '/^### / { on = $0 == "### Add an option" }
  on && /^```/ { inside = $0 == "```diff"; next }
  on && inside' "$source/README.md")
files=$(sed -n 's/^--- //p' <<< "$diff")
[[ -n $files ]] || {
  echo "README.md, Add an option: expected a diff of files"
  exit 1
}
for file in $files; do
  mkdir -p "$planted/$(dirname "$file")"
  # Each part, from @@ to @@, has lines as they are (of blanks and minus signs) and as they become (of
  # blanks and plus signs). The former must be there once.
  awk -v file="$file" '
    function change() {
      if (after == "") return
      at = index(text, "\n" before)
      if (!at || index(substr(text, at + 1), "\n" before)) {
        printf "README.md, Add an option: expected once in %s:\n%s", file, before > "/dev/stderr"
        exit failed = 1
      }
      text = substr(text, 1, at) after substr(text, at + 1 + length(before))
      before = after = ""
    }
    FNR == NR { text = text $0 "\n"; next }
    FNR == 1 { text = "\n" text }
    /^--- / { change(); on = $2 == file; next }
    !on { next }
    /^@@/ { change(); next }
    { line = substr($0, 2) "\n" }
    !/^\+/ { before = before line }
    !/^-/ { after = after line }
    END { if (failed) exit 1; change(); if (!failed) printf "%s", substr(text, 2); exit failed }
  ' "$source/$file" - <<< "$diff" > "$planted/$file"
done

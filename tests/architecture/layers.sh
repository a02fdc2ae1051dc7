#!/usr/bin/env bash
# layers.sh ROOT: fails, naming file and line, if an include in ROOT runs upward
# (kernels <- engine <- host <- tests, bench) or if files stand in a sixth top-level folder.
set -euo pipefail
cd "$1"
violations=0

# forbid FOLDER UPPER...: no source in FOLDER may include a header of UPPER.
forbid() {
  local folder=$1 upper hits
  shift
  upper=$(IFS='|' && echo "$*")
  hits=$(grep -rnE --include='*.h' --include='*.cuh' --include='*.cpp' --include='*.cu' \
    "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"](\.\.?/|sluice/)*($upper)/" "$folder") ||
    (($? == 1)) # 1: no such line; more: grep itself failed
  if [[ -n $hits ]]; then
    echo "$hits"
    echo "^ an upward include: $folder/ must not include ${*/%//}"
    violations=1
  fi
}
forbid kernels engine host tests bench
forbid engine host tests bench
forbid host tests bench

# Folders that .gitignore names (build*/, runs/) are nobody's sources.
ignored() {
  local pattern
  while read -r pattern; do
    # shellcheck disable=SC2053  # a pattern on purpose
    [[ $pattern == */ && $1/ == $pattern ]] && return 0
  done < .gitignore
  return 1
}
for folder in */; do
  folder=${folder%/}
  case $folder in kernels | engine | host | tests | bench) continue ;; esac
  if ! ignored "$folder" && [[ -n $(find "$folder" -type f -print -quit) ]]; then
    echo "$folder/: a sixth top-level folder; the five are kernels, engine, host, tests, bench"
    violations=1
  fi
done
exit "$violations"

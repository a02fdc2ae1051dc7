#!/usr/bin/env bash
# demo_test.sh SOURCE WORK: what demo.sh builds for, with and without a GPU, and what setup.sh installs.
# cmake, the command, apt and dpkg are stubs, and so are the device files.
# shellcheck disable=SC2016  # much is for other shells
set -euo pipefail
source=$1
work=$2
rm -rf "$work"
mkdir -p "$work"/{bin,build,dev}
stub() { printf '#!/usr/bin/env bash\n%s\n' "$2" > "$work/$1" && chmod +x "$work/$1"; }
export LOG=$work/log PATH=$work/bin:$PATH
fail() { echo "$*" && cat "$LOG" "$work/output" && exit 1; }

# --- demo.sh ------------------------------------------------------------------------------------------
sed "s|/dev/|$work/dev/|g" "$source/demo.sh" > "$work/demo.sh"
chmod +x "$work/demo.sh"
stub setup.sh true
stub bin/cmake '[[ $1 == --build ]] || echo "$*" >> "$LOG"'
stub build/sluice 'mkdir -p build/demo; echo "sluice $1" >> "$LOG"'

# builds FOR SAID: for what demo.sh configures, and whether it says how to get CUDA.
builds() {
  : > "$LOG"
  "$work/demo.sh" > "$work/output" 2>&1 || fail "demo.sh fails"
  grep -q -- "-DSLUICE_CUDA=$1\$" "$LOG" || fail "expected SLUICE_CUDA=$1"
  local said=no
  if grep -q "SLUICE_CUDA=ON ./demo.sh" "$work/output"; then said=yes; fi
  [[ $said == "$2" ]] || fail "SLUICE_CUDA=$1: says how to get CUDA: $said"
  [[ $(grep ^sluice "$LOG" | tr '\n' ' ') == "sluice train sluice eval sluice predict " ]] || fail "not the whole demo"
}
unset SLUICE_CUDA
builds OFF yes
touch "$work/dev/nvidiactl" # a driver without a GPU
builds OFF yes
SLUICE_CUDA=ON builds ON no
SLUICE_CUDA=AUTO builds AUTO no
touch "$work/dev/nvidia1"
builds AUTO no
SLUICE_CUDA=OFF builds OFF no
rm "$work/dev"/*
touch "$work/dev/dxg"
builds AUTO no

# --- setup.sh -----------------------------------------------------------------------------------------
cp "$source/setup.sh" "$work/setup.sh"
stub bin/sudo '"$@"'
stub bin/apt-get 'echo "$*" >> "$LOG"'
stub bin/dpkg-query '[[ " $ABSENT " == *" ${!#} "* ]] || echo -n installed'
stub bin/apt-cache '[[ " $OFFERED " == *" $(tr -d "^$" <<< "${!#}") "* ]] && echo it; true'
# installs PACKAGES SAID: with what is ABSENT and OFFERED.
installs() {
  : > "$LOG"
  "$work/setup.sh" > "$work/output" 2>&1 || fail "setup.sh fails"
  [[ $(sed -n 's/^install .*recommends //p' "$LOG") == "$1" ]] || fail "expected to install '$1'"
  grep -qF -- "$2" "$work/output" || fail "not said: $2"
}
export ABSENT="" OFFERED="clang-format-14"
installs "" "packages are installed"
ABSENT="zlib1g-dev clang-format-14" installs "zlib1g-dev clang-format-14" "installing"
ABSENT="clang-format-14" installs "clang-format-14" "installing"
ABSENT="clang-format-14" OFFERED="" installs "" "not to be had: clang-format-14"
ABSENT="zlib1g-dev clang-format-14" OFFERED="" installs "zlib1g-dev" "installing"

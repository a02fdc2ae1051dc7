#!/usr/bin/env bash
# bare_debian_test.sh WORK: what bare_debian.sh does around the commands, with a debootstrap of our
# own that makes a system of a few of this machine's programs, and a repository of our own: what the
# commands see, the exit codes, and that nothing is left, by whatever signal it ends.
# 77: not root, or no mount namespaces here.
# shellcheck disable=SC2016  # much is for other shells
set -euo pipefail
work=$1
rm -rf "$work"
mkdir -p "$work"/{bin,tmp,repository/tests/install}
script=$work/repository/tests/install/bare_debian.sh
cp "$(dirname "$0")/bare_debian.sh" "$script"
((EUID == 0)) || { echo "SKIPPED: needs root" && exit 77; }
unshare --mount --pid --fork --mount-proc true || { echo "SKIPPED: no mount namespaces here" && exit 77; }

cd "$work/repository"
echo committed > file
git init -q
git add .
git -c user.name=Test -c user.email=test@localhost commit -qm "A commit"
echo changed > file
touch untracked

cat > "$work/bin/debootstrap" << 'END'
#!/usr/bin/env bash
# debootstrap OPTION OPTION RELEASE FOLDER [MIRROR]
set -euo pipefail
system=$4
echo "debootstrap was given ${5-no mirror}"
mkdir -p "$system"/{proc,dev/pts,root,etc/apt/apt.conf.d,etc/dpkg/dpkg.cfg.d}
mknod -m 666 "$system/dev/null" c 1 3
if [[ -e $WORK/debootstrap_hangs ]]; then echo started > "$WORK/started" && sleep "$MARK"; fi
if [[ -e $WORK/debootstrap_fails ]]; then echo "E: no such suite" && exit 1; fi
for program in bash env sleep; do
  program=$(command -v "$program")
  cp -L --parents "$program" $(ldd "$program" | grep -o '/[^ )]*') "$system"
done
END
cat > "$work/bin/apt-get" << 'END'
#!/usr/bin/env bash
[[ ! -e $WORK/mirror ]] || echo "$(< "$WORK/mirror") bookworm main"
END
cat > "$work/bin/apt-config" << 'END'
#!/usr/bin/env bash
if [[ $1 == dump ]]; then echo 'Acquire::http::Proxy "http://proxy.invalid:1";'; fi
if [[ $* == "shell proxy Acquire::http::Proxy" ]]; then echo "proxy='http://proxy.invalid:1'"; fi
END
chmod +x "$work"/bin/*
mark=4321.$$$RANDOM  # seconds, and how our processes are known
export WORK=$work MARK=$mark TMPDIR=$work/tmp PATH=$work/bin:$PATH
output=$work/output

fail() { echo "$*" && cat "$output" && exit 1; }
# ends STATUS WORDS COMMAND...: bare_debian.sh with these commands ends so, says so and leaves nothing.
ends() {
  local expected=$1 words=$2 status=0
  shift 2
  "$script" "$@" > "$output" 2>&1 || status=$?
  ((status == expected)) || fail "exit code $status, expected $expected: $*"
  grep -qF -- "$words" "$output" || fail "not said: $words"
  nothing_is_left "$*"
}
# left: folders, mounts and processes of a run.
left() {
  ls "$TMPDIR"
  grep -F "$work" /proc/self/mounts || true
  grep -lzF "$mark" /proc/[0-9]*/cmdline 2> /dev/null || true
}
nothing_is_left() {
  [[ -z $(left) ]] || fail "left after $1: $(left)"
}
# killed SIGNAL WHO WHERE COMMAND...: nothing is left ten seconds after bare_debian.sh (WHO alone) or
# its process group too (group) got SIGNAL.
killed() {
  local signal=$1 who=$2 where=$3 pid i
  shift 3
  rm -f "$work/started"
  : > "$output"  # or the words of the run before are taken for this one's
  setsid env --default-signal=INT "$script" "$@" > "$output" 2>&1 &
  pid=$!
  for ((i = 0; i < 600; ++i)); do
    if [[ -e $work/started ]] || grep -qx started "$output"; then break; fi
    sleep 0.1
  done
  [[ $(left) ]] || fail "$where: it did not start"
  if [[ $who == group ]]; then kill "-$signal" -- "-$pid"; else kill "-$signal" "$pid"; fi
  wait "$pid" && fail "$signal ($who) $where: exit code 0"
  for ((i = 0; i < 100; ++i)); do
    [[ $(left) ]] || break
    sleep 0.1
  done
  nothing_is_left "$signal ($who) $where"
}

echo "-- what the commands see"
ends 0 "passed" '[[ $PWD == /root/sluice && $HOME == /root && ! -v WORK && ! -v TMPDIR ]]' \
  '[[ $(< file) == committed && ! -e untracked && ! -e ../shared && ! -e /root/sluice/../shared ]]' \
  '[[ $(< /proc/self/mounts) == *" /proc proc "*" /dev/pts devpts "* && -e /proc/1/comm ]]' \
  '[[ $(< /etc/apt/apt.conf.d/90machine) == "Acquire::http::Proxy "* ]]' \
  '[[ $http_proxy == http://proxy.invalid:1 ]]'
grep -qF "debootstrap was given no mirror" "$output" && fail "debootstrap's own words outside of its log"
grep -qF "what is not committed is not in the clone" "$output" || fail "no word on what is not committed"

echo "-- exit codes"
ends 1 "exit 3 FAILED" 'echo first' 'exit 3' 'echo never'
grep -qx first "$output" || fail "the first command did not run"
grep -qx never "$output" && fail "went on after a failure"
touch "$work/debootstrap_fails"
ends 77 "E: no such suite" true
rm "$work/debootstrap_fails"
echo http://127.0.0.1:9/debian > "$work/mirror"
ends 77 "does not answer" true
printf '#!/bin/sh\n[ "$8" = http://mirror.invalid/debian/dists/bookworm/InRelease ]\n' > "$work/bin/wget"
chmod +x "$work/bin/wget"
echo http://mirror.invalid/debian/ > "$work/mirror"
touch "$work/debootstrap_fails"  # so that its log is shown
ends 77 "debootstrap was given http://mirror.invalid/debian" true
rm "$work/debootstrap_fails" "$work/mirror"

echo "-- killed while a command runs, and while debootstrap does"
for signal in TERM INT HUP KILL; do
  for who in alone group; do
    killed $signal $who "in a command" "echo started; sleep $mark & sleep $mark"
  done
done
touch "$work/debootstrap_hangs"
for signal in TERM KILL; do
  killed $signal alone "in debootstrap" true
done

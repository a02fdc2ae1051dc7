#!/usr/bin/env bash
# Runs the README's two commands as someone new to Sluice does: in a bare Debian 12 (debootstrap's
# smallest, with git), in a clone of the last commit, with nothing else of this machine's.
#
#   tests/install/bare_debian.sh [COMMAND]...
#
# COMMAND  a line for bash, run in the clone, each after the one before has passed
#          (default: ./demo.sh, then ./check.sh --quick)
#
# Needs root, debootstrap and a network; packages come from where this machine's apt takes them. The
# system lies in a folder of its own under TMPDIR (default /var/tmp; 4 GB) and is mounted in a mount
# namespace of its own, so that nothing is left however this ends, SIGKILL included.
# Exit codes: 0 all passed; 1 a command failed; 2 wrong usage; 77 it cannot be done here, said why.
set -euo pipefail
release=bookworm
needed_kib=$((4 << 20))

cannot() { echo "SKIPPED: bare Debian 12: $*" >&2 && exit 77; }

case ${1-} in
  -h | --help) sed -n '2,/^set/{/^# \?/!d;s///;p}' "$0" && exit 0 ;;
  -*) echo "bare_debian.sh: no option $1; usage: tests/install/bare_debian.sh [COMMAND]..." >&2 && exit 2 ;;
esac
for command in "$@"; do
  [[ $command ]] || { echo "bare_debian.sh: a command is empty; leave it out or give one" >&2 && exit 2; }
done
(($#)) || set -- ./demo.sh "./check.sh --quick"

((EUID == 0)) || cannot "needs root, for chroot and mounts; run it as root"
command -v debootstrap > /dev/null || cannot "needs debootstrap; as root, run: apt-get install debootstrap"
unshare --mount --pid --fork --mount-proc true 2> /dev/null ||
  cannot "this machine allows no mount namespace; run it outside of a container, or in a privileged one"

# --- Where packages come from: as this machine's apt is told ----------------------------------------
# shellcheck disable=SC2016  # apt's variables, not the shell's
mirror=$(apt-get --no-release-info indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
  awk -v release=$release '/^https?:/ && $2 == release && $3 == "main" && !n++ {sub("/$", "", $1); print $1}')
for scheme in http https; do
  proxy=
  eval "$(apt-config shell proxy Acquire::$scheme::Proxy)"
  if [[ $proxy && $proxy != DIRECT ]]; then export ${scheme}_proxy="$proxy"; fi
done
if [[ $mirror ]]; then  # otherwise debootstrap's own choice
  timeout 60 wget -q -t 2 -T 20 -O /dev/null "$mirror/dists/$release/InRelease" ||
    cannot "the mirror of apt's sources does not answer; see to the network, or to /etc/apt"
fi

# --- A folder, and one who removes it ---------------------------------------------------------------
source=$(cd "$(dirname "$0")" && git rev-parse --show-toplevel)
tree=$(mktemp -d -p "${TMPDIR:-/var/tmp}" sluice-bare-debian.XXXXXX)
# Its input ends when this script and all that it started are gone, and only then.
mkfifo "$tree/alive"
exec {alive}<> "$tree/alive"
# shellcheck disable=SC2016  # $1 is for the bash started here
setsid bash -c 'cat; rm -rf --one-file-system "$1"' -- "$tree" \
  < "$tree/alive" > /dev/null 2>&1 {alive}>&- &
remover=$!
namespace=
# shellcheck disable=SC2317  # called by the trap
leave() {
  if [[ $namespace ]]; then kill -KILL "$namespace" 2> /dev/null || true; fi
  exec {alive}>&-
  wait "$remover" || true
  if [[ -e $tree ]]; then echo "bare_debian.sh: could not remove $tree" >&2; fi
}
trap leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
(($(df --output=avail "$tree" | tail -1) >= needed_kib)) ||
  cannot "needs $((needed_kib >> 20)) GB under ${TMPDIR:-/var/tmp}; set TMPDIR to a folder that has them"

# --- The system, and the commands in it -------------------------------------------------------------
# In the namespaces, as process 1: when it ends, all others there do.
# shellcheck disable=SC2016,SC2317
in_bare_debian() {
  set -euo pipefail
  local system=$tree/system

  echo "== bare Debian 12: debootstrap"
  if ! timeout 600 debootstrap --variant=minbase --include=git "$release" "$system" ${mirror:+"$mirror"} \
    > "$tree/debootstrap.log" 2>&1; then
    tail -n 5 "$tree/debootstrap.log" >&2
    echo "SKIPPED: bare Debian 12: debootstrap failed; its last lines stand above" >&2
    exit 77
  fi
  apt-config dump | grep -E '^Acquire::(https?|Check-Valid-Until|Check-Date|Retries|ForceIPv4)' \
    > "$system/etc/apt/apt.conf.d/90machine" || true
  echo force-unsafe-io > "$system/etc/dpkg/dpkg.cfg.d/unsafe-io"  # it is thrown away: no fsync a file
  mount --bind "$system" "$system"  # so that / is a mount there, as on a machine
  cp /etc/hosts /etc/resolv.conf "$system/etc/"
  mount -t proc proc "$system/proc"
  mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$system/dev/pts"

  git clone -q --no-hardlinks "$source" "$system/root/sluice"
  git -C "$system/root/sluice" checkout -q --detach "$commit"

  local environment=(HOME=/root TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
  local name command
  for name in http_proxy https_proxy no_proxy; do
    if [[ ${!name-} ]]; then environment+=("$name=${!name}"); fi
  done
  TIMEFORMAT="%0lR, %0U + %0S s of processor"
  for command in "$@"; do
    echo "== bare Debian 12: $command (after $SECONDS s)"
    time chroot "$system" env -i "${environment[@]}" bash -c 'cd ~/sluice && eval "$1"' bash "$command" \
      < /dev/null {alive}>&- || { echo "== bare Debian 12: $command FAILED" >&2 && exit 1; }
  done
  echo "== bare Debian 12: passed (after $SECONDS s)"
}
commit=$(git -C "$source" rev-parse HEAD)
[[ -z $(git -C "$source" status --porcelain) ]] ||
  echo "bare_debian.sh: what is not committed is not in the clone" >&2
export release mirror tree source commit alive
export -f in_bare_debian
setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc \
  bash -c 'in_bare_debian "$@"' bash "$@" &
namespace=$!
status=0
wait "$namespace" || status=$?
namespace=
exit "$status"

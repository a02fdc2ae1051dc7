#!/usr/bin/env bash
# consumer_test.sh BUILD WORK README: installs BUILD under WORK and uses it as its users would: the
# command, find_package, pkg-config, the README's line. CXX and CMAKE name the compiler and cmake,
# and CMAKE_GENERATOR what BUILD was made with: nothing is asked for that the build did not need.
set -euo pipefail
build=$1
work=$2
readme=$3
consumer=$(dirname "$(readlink -f "$0")")/consumer
rm -rf "$work"
mkdir -p "$work"
cd "$work"

"$CMAKE" --install "$build" --prefix "$work/prefix" > install.log

echo "-- the command"
text="We saw it last week. The plot was superb."
prefix/bin/sluice train --out run --count 100 --epochs 1 --hidden 4 --embed 4 --device cpu > train.log
prefix/bin/sluice predict run --device cpu <<< "$text" > predicted.txt

# expect FOLDER: the programs there must print what the README and the command say.
expect() {
  "$1/lstm" > lstm.txt
  diff "$consumer/lstm_output.txt" lstm.txt || { echo "$1/lstm printed other numbers" && exit 1; }
  "$1/judge" run "$text" > judge.txt
  diff predicted.txt judge.txt || { echo "$1/judge and sluice predict disagree" && exit 1; }
}

echo "-- find_package(sluice CONFIG)"
"$CMAKE" -S "$consumer" -B by-cmake -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_CXX_FLAGS="-Wall -Wextra -Werror" > configure.log
"$CMAKE" --build by-cmake > build.log || { cat build.log && exit 1; }
expect by-cmake

echo "-- pkg-config"
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name sluice.pc)")
export PKG_CONFIG_PATH
mkdir by-pkg-config
read -ra engine <<< "$(pkg-config --cflags --libs sluice-engine)"
read -ra whole <<< "$(pkg-config --cflags --libs sluice)"
"$CXX" -std=c++20 "$consumer/lstm.cpp" "${engine[@]}" -o by-pkg-config/lstm
"$CXX" -std=c++20 "$consumer/judge.cpp" "${whole[@]}" -o by-pkg-config/judge
LD_LIBRARY_PATH=$(pkg-config --variable=libdir sluice)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
expect by-pkg-config

echo "-- the README's line"
# shellcheck disable=SC2016  # quotation marks of the README's
line=$(grep -o '``g++ .*``' "$readme" | tr -d '`') || { echo "the README has no line \`\`g++ ...\`\`" && exit 1; }
mkdir by-readme
cp "$consumer/lstm.cpp" by-readme/
(
  # shellcheck disable=SC2317
  g++() { command "$CXX" "$@"; }  # the compiler that built the library, whose standard library it needs
  cd by-readme
  eval "$line"
)
by-readme/a.out > lstm.txt
diff "$consumer/lstm_output.txt" lstm.txt || { echo "what \"$line\" made printed other numbers" && exit 1; }

echo "-- every installed header compiles"
(cd prefix/include && find sluice -name '*.h' | sort | sed 's/.*/#include <&>/') > headers.cpp
read -ra flags <<< "$(pkg-config --cflags sluice)"
"$CXX" -std=c++20 -Wall -Wextra -Werror -fsyntax-only headers.cpp "${flags[@]}"

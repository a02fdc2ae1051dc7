#!/usr/bin/env bash
# readme_example_test.sh README CONSUMER: the README's C++ example and what it says the example
# prints are, to the letter, the files that the consumer test builds and compares.
set -euo pipefail
# block LANGUAGE: the README's first code block in that language.
block() { awk -v start="\`\`\`$1" '$0 == start {on = 1; next} /^```/ && on {exit} on' "$readme"; }
readme=$1
diff <(block cpp) "$2/lstm.cpp"
diff <(block output) "$2/lstm_output.txt"

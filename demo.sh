#!/usr/bin/env bash
# Sets up and builds Sluice, trains an LSTM on built-in reviews, evaluates it on others and has it
# judge a few sentences. The run stays in build/demo.
#   SLUICE_CUDA  ON, OFF or AUTO (where a CUDA toolkit is found); else AUTO with an NVIDIA GPU, OFF without
set -euo pipefail
cd "$(dirname "$0")"

./setup.sh
if [[ ! ${SLUICE_CUDA-} ]]; then
  if compgen -G "/dev/nvidia[0-9]*" > /dev/null || [[ -e /dev/dxg ]]; then
    SLUICE_CUDA=AUTO
  else
    SLUICE_CUDA=OFF
    echo "demo: no NVIDIA GPU here, so Sluice is built for the CPU alone; where the CUDA toolkit is" \
      "installed, SLUICE_CUDA=ON ./demo.sh builds for both"
  fi
fi
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DSLUICE_CUDA="$SLUICE_CUDA"
cmake --build build -j "$(nproc)" --target sluice_command

run() { echo "\$ $*" && "$@"; }
rm -rf build/demo
echo
echo "== Train. Praise and blame stand in nearly every review; their order tells the verdict."
run build/sluice train --out build/demo --count 8000 --epochs 4 --lr 0.003
echo
echo "== Evaluate on reviews that the model has not seen."
run build/sluice eval build/demo
echo
echo "== Classify a few sentences (made of the reviews' words: the model knows no others)."
cat > build/demo/sentences.txt << 'END'
The acting was dull, but the plot was superb.
The acting was superb, but the plot was dull.
Although the music was clumsy, the script was far from boring.
We saw it last week. The ending was not great.
His previous film was terrible. This time the direction was truly gripping.
END
run build/sluice predict build/demo build/demo/sentences.txt

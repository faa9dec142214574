#!/usr/bin/env bash
# How hands.safetensors was made: GoogLeNet with batch normalisation learns to tell 60 invented hand shapes apart, none
# of them a letter, shown by 120 rendered people; then its weights are stored as bf16. The demo fine-tunes from them.
# Usage: bash weights/hands.sh [FOLDER], default runs/hands
set -euo pipefail
cd "$(dirname "$0")/.."
dactyl=${DACTYL:-build/dactyl} out=${1:-runs/hands} people=6  # times 20
mkdir -p "$out"

render() {  # render SEED PER_CLASS: 20 people
  "$dactyl" data synth --kind shapes --per-class "$2" --size 128 --seed "$1" --out "$out/pictures-$1"
}
for ((seed = 11; seed < 11 + people; ++seed)); do render $seed 100; done
render 31 20  # others, to look at while it learns

index() {  # index SEED…: one list of them all
  echo "path,label"
  for seed; do sed "1d; s|^|pictures-$seed/|" "$out/pictures-$seed/index.csv"; done
}
index $(seq 11 $((10 + people))) >"$out/train.csv"
index 31 >"$out/test.csv"

if [ -f "$out/run/last.state" ] && [ ! -f "$out/run/best.safetensors" ]; then
  "$dactyl" train --resume "$out/run"
else
  rm -rf "$out/run"
  "$dactyl" train --config train/recipes/hands.toml --data "$out/train.csv" --device "${DEVICE:-auto}" --out "$out/run"
fi
"$dactyl" eval --run "$out/run" --data "$out/test.csv" --out "$out/run/eval"
"$dactyl" convert --model googlenet-bn --weights "$out/run/best.safetensors" --bf16 --licence MIT \
  --origin "trained by dactyl on rendered hands, weights/hands.sh" --out weights/hands.safetensors

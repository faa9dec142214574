#!/usr/bin/env bash
# Four words that are two and two the same pictures in opposite order (open and close, near and far), signed by hands the
# nets have not seen: I3D, trained from random weights in about two minutes of one core, must tell them apart; a net that
# sees one frame must not, however well it knows the pairs. words.sh [DACTYL]
set -euo pipefail
dactyl=$(realpath "${1:-$(dirname "$0")/../build/dactyl}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

"$dactyl" data synth --kind words --classes 10 --per-class 120 --frames 10 --size 40 --seed 1 --png-frames --out all 2>synth.log
mkdir words
for word in open close near far; do mv "all/$word" words; done
"$dactyl" data pack words --frame-folders --side 40 --out words.pack

share() { # share RUN: how many hundredths of the run's test samples are recognised, and of those put into the right pair
  awk -F, 'BEGIN { pair["open"] = pair["close"] = 1; pair["near"] = pair["far"] = 2 }
    NR > 1 { all++; right += $2 == $3; paired += pair[$2] == pair[$3] }
    END { printf "%d %d", 100 * right / all, paired ? 100 * right / paired : 0 }' "$1/eval/predictions.csv"
}

learn() { # learn RUN MODEL FRAMES…: the same training for both nets
  local run=$1 model=$2 started=$SECONDS
  shift 2
  "$dactyl" train --model "$model" --input 32 --data words.pack --split-by 'hand(\d+)' --test-groups 14,15,16,17,18,19 \
    "$@" --aug shift=2 --stage all:10ep@1e-3 --warmup 20it --opt adamw --decay 1e-2 --batch 8 --val-every 10ep \
    --device cpu --seed 1 --out "$run" >"$run.log" 2>&1 || { cat "$run.log"; exit 1; }
  read -r accuracy in_pair <<<"$(share "$run")"
  echo "$model: $accuracy % of the words recognised, $in_pair % of those whose pair is right ($((SECONDS - started)) s)"
}

learn clips i3d --clips uniform=10 --test-clips uniform=10
{ [ "$accuracy" -ge 65 ] && [ "$in_pair" -ge 78 ]; } || { echo "i3d does not tell partners apart"; exit 1; }
learn frames googlenet-bn --clips segments=1 --test-clips uniform=1
{ [ "$in_pair" -ge 35 ] && [ "$in_pair" -le 65 ]; } || { echo "one frame tells partners apart, which should be chance"; exit 1; }

#!/usr/bin/env bash
# The main job within some minutes on two cores: set-up, pictures of signing hands rendered here, fine-tuning of a net that
# knows hands but none of these signs (weights/hands.sh), and a test on hands of people it has never seen. Nothing is
# downloaded but missing Debian packages. Safe to repeat: a training that was interrupted goes on, a finished one starts
# anew. Usage: bash apps/demo.sh [FOLDER], default runs/demo
set -euo pipefail
cd "$(dirname "$0")/.."
# Idle threads wait a moment, then sleep: a quarter faster than sleeping at once where nothing else runs, and about as
# fast where other programs want the cores too (benchmarks/results/2026-11-26-cpu-nets.md).
export OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=1000
out=${1:-runs/demo}

say() { printf '\ndemo: %s\n' "$*" >&2; }

say "1 of 4: set-up"
bash apps/setup.sh dactyl
build/dactyl doctor >&2

say "2 of 4: rendering hands that sign the ASL alphabet (training: seed 1; test: other people, seed 2)"
started=$SECONDS
[ -f "$out/train-pictures/index.csv" ] ||
  build/dactyl data synth --kind letters --per-class 120 --size 128 --seed 1 --out "$out/train-pictures"
[ -f "$out/test-pictures/index.csv" ] ||
  build/dactyl data synth --kind letters --per-class 20 --size 128 --seed 2 --out "$out/test-pictures"

say "3 of 4: fine-tuning GoogLeNet with batch normalisation on them, from weights/hands.safetensors"
if [ -f "$out/run/last.state" ] && [ ! -f "$out/run/eval/metrics.json" ]; then
  build/dactyl train --resume "$out/run"
else
  rm -rf "$out/run"
  build/dactyl train --model googlenet-bn --weights weights/hands.safetensors --input 64 \
    --data "$out/train-pictures" --split 0.95 --stage head:1ep@1e-2 --stage all:3ep@1e-3 \
    --opt adamw --decay 1e-2 --sched cosine --warmup 20it --batch 32 --aug shift=6,jitter=0.2 --seed 1 --out "$out/run"
fi

say "4 of 4: testing on the other people's hands"
result=$(build/dactyl eval --run "$out/run" --data "$out/test-pictures" --out "$out/run/eval" --json)
build/dactyl predict --run "$out/run" "$out"/test-pictures/{D,A,C,T,Y,L}/*_0001.jpg --topk 1

share() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p" <<<"$result"; }
samples=$(share samples) top1=$(awk "BEGIN { printf \"%.1f\", 100 * $(share top1) }")
cat >&2 <<END

demo: done in $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s after the set-up
  $top1 % of $samples pictures of unseen hands recognised (26 letters, chance is 3.8 %)
  These are rendered hands: the figure says that the way from pictures to predictions works, not how well a camera's
  pictures would be read. For those: dactyl train --help, with your photos and pretrained weights.
  curves of the training   $out/run/curves.png
  confusion matrix         $out/run/eval/confusion.png
  one picture per letter   $out/run/eval/predictions.png
END

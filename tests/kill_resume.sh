#!/usr/bin/env bash
# Kills a training with SIGKILL at random moments and resumes it each time: the loss column of train.csv must equal an
# undisturbed run's to the last digit, and there must always be a state to go on from. kill_resume.sh [KILLS] [DACTYL]
set -euo pipefail
kills=${1:-5}
dactyl=$(realpath "${2:-$(dirname "$0")/../build/dactyl}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

"$dactyl" data synth --kind letters --classes 4 --per-class 16 --size 64 --seed 1 --out photos 2>/dev/null
options=(--model googlenet-bn --data photos --input 64 --batch 8 --device cpu --seed 3 --aug reflect-x,shift=4,jitter
  --stage head:1ep@1e-2 --stage "all:$((kills + 4))ep@1e-3" --val-every 5it --save-every 3it)
seconds() { awk "BEGIN { printf \"%.2f\", $1 }"; }

started=$(date +%s.%N)
"$dactyl" train "${options[@]}" --out whole >whole.log 2>&1
took=$(seconds "$(date +%s.%N) - $started")

killed=0
go() { if [ -e broken/config.toml ]; then "$dactyl" train --resume broken; else "$dactyl" train "${options[@]}" --out broken; fi; }
RANDOM=${SEED:-$$}
echo "an undisturbed run takes $took s; SEED=${SEED:-$$}"
while [ "$killed" -lt "$kills" ]; do
  go >broken.log 2>&1 &
  pid=$!
  sleep "$(seconds "0.1 + $took / ($kills + 1) * 2 * $RANDOM / 32768")"
  child=$(pgrep -P "$pid" || true)
  if kill -KILL ${child:-$pid} 2>/dev/null; then killed=$((killed + 1)); fi
  wait "$pid" 2>/dev/null && break  # it was done before the kill
done
[ "$killed" -gt 0 ] || { echo "no kill hit the training"; exit 1; }
go >broken.log 2>&1 || { cat broken.log; echo "after $killed kills the run does not go on"; exit 1; }

cut -d, -f1-4 whole/train.csv >whole.txt
cut -d, -f1-4 broken/train.csv >broken.txt
cmp whole.txt broken.txt || { diff whole.txt broken.txt | head; echo "after $killed kills the numbers differ"; exit 1; }
cmp whole/val.csv broken/val.csv
echo "$killed kills, $(($(wc -l <whole.txt) - 1)) steps: the same numbers"

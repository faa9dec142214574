#!/usr/bin/env bash
# Who may include whom: each folder knows itself and what is named beside it here, nothing else.
cd "$(dirname "$0")/.." || exit 1
declare -A may=([engine]="engine/" [kernels]="engine/ kernels/" [weights]="engine/ weights/"
  [nets]="engine/ kernels/ nets/" [train]="engine/ kernels/ nets/ weights/ train/"
  [benchmarks]="engine/ kernels/ nets/ weights/ train/ benchmarks/"
  [apps]="engine/engine.h kernels/ops.h nets/nets.h weights/weights.h train/train.h benchmarks/bench.h apps/")
broken=0
for folder in "${!may[@]}"; do
  allowed=$(sed 's/ /|/g' <<<"${may[$folder]}")
  grep -rnE --include='*.h' --include='*.cpp' --include='*.cu' '^ *#include "' "$folder" | grep -vE "#include \"($allowed)" && broken=1
done
[ $broken = 0 ] && echo "include order: good" || { echo "include order: the lines above may not be"; exit 1; }

#!/usr/bin/env bash
# One training step of each net, ours against PyTorch's, every gradient; of I3D also the end points (i3d-224: these alone,
# of a full-size clip; i3d-32: a clip without ties, gradients to 1e-3 in 32 bits). Names with -f64 compute in 64 bits, where
# gradients must agree to 1e-7. Needs a Python with torch, torchvision and safetensors:
#   PYTHON=… [MODELS="i3d i3d-flow"] bash tests/parity/run.sh [BUILD] [DEVICE…]
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build}
devices=("${@:2}")
[ ${#devices[@]} -gt 0 ] || devices=(cpu)
python=${PYTHON:-python3}
"$python" -c 'import torch, torchvision, safetensors' 2>/dev/null ||
  { echo "parity: skipped, $python has no torch, torchvision and safetensors; set PYTHON"; exit 0; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
all="alexnet alexnet-torchvision googlenet-bn i3d i3d-32 i3d-f64 i3d-flow i3d-flow-f64 i3d-224 mobilenet-lstm mobilenet-lstm-f64"
prepare() { "$build/parity_step" export "$folder" "$1" && "$python" tests/parity/torch_step.py "$folder" "$1"; }
agrees() { "$build/parity_step" compare "$folder" "$1" "$2"; }  # agrees MODEL DEVICE
# Where two inputs of a max pool are equal but for rounding, a whole gradient goes to one or the other, and in 32 bits a
# clip may hold such a pair. Then another one is tried: a wrong derivative differs for all of them.
some_clip_agrees() {
  local seed
  for seed in ${PARITY_SEED:-100 94 47 108 31}; do
    PARITY_SEED=$seed prepare i3d-32 && PARITY_SEED=$seed agrees i3d-32 "$1" && return
    echo "i3d-32 on $1: not with the clip of seed $seed"
  done
  return 1
}
for model in ${MODELS:-$all}; do
  [ "$model" = i3d-32 ] || prepare "$model"
  for device in "${devices[@]}"; do
    if [ "$model" = i3d-32 ]; then
      some_clip_agrees "$device" || failed=1
    else
      agrees "$model" "$device" || failed=1
    fi
  done
done
exit $failed

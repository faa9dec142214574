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
for model in ${MODELS:-$all}; do
  "$build/parity_step" export "$folder" "$model"
  "$python" tests/parity/torch_step.py "$folder" "$model"
  for device in "${devices[@]}"; do
    "$build/parity_step" compare "$folder" "$model" "$device" || failed=1
  done
done
exit $failed

#!/usr/bin/env bash
# Our Farnebäck flow against OpenCV's on real and on rendered pairs: bash tests/flow/farneback/run.sh [BUILD] [DEVICE…]
# Needs a Python with OpenCV (Debian: python3-opencv; PYTHON=… names another) and the clips: the folder DACTYL_DATA, or
# ../shared/data beside the project. Skips, saying so, where one of them is missing.
set -euo pipefail
cd "$(dirname "$0")/../../.."
build=${1:-build}
devices=("${@:2}")
[ ${#devices[@]} -gt 0 ] || devices=(cpu)
python=${PYTHON:-/usr/bin/python3}
data=${DACTYL_DATA:-../shared/data}
"$python" -c 'import cv2' 2>/dev/null || { echo "farneback: skipped, $python has no OpenCV; set PYTHON"; exit 0; }
[ -d "$data/asl-clips" ] || { echo "farneback: skipped, $data/asl-clips is not here; set DACTYL_DATA"; exit 0; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" tests/flow/farneback/opencv_pairs.py "$data" "$folder/pairs.safetensors"
failed=0
for device in "${devices[@]}"; do
  "$build/compare_farneback" "$folder/pairs.safetensors" "$device" || failed=1
done
exit $failed

#!/usr/bin/env bash
# TV-L1 flow of real and rendered pairs against OpenCV's: bash tests/flow/tvl1.sh [BUILD] [DEVICE…]
# Needs a Python with OpenCV and contrib (Debian: python3-opencv) and the clips: DACTYL_DATA, or ../shared/data.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build}
devices=("${@:2}")
[ ${#devices[@]} -gt 0 ] || devices=(cpu)
data=${DACTYL_DATA:-../shared/data}
[ -d "$data/asl-clips" ] || { echo "flow: skipped, no asl-clips in $data; set DACTYL_DATA"; exit 0; }
for python in "${PYTHON:-python3}" /usr/bin/python3 none; do
  "$python" -c 'import cv2; cv2.optflow.createOptFlow_DualTVL1' 2>/dev/null && break
done
[ "$python" != none ] || { echo "flow: skipped, no Python with cv2.optflow here; set PYTHON"; exit 0; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" tests/flow/tvl1_opencv.py "$data" "$folder/flows.safetensors"
failed=0
for device in "${devices[@]}"; do
  "$build/tvl1_compare" "$folder/flows.safetensors" "$device" || failed=1
done
exit $failed

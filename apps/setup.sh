#!/usr/bin/env bash
# Everything a fresh Debian 12 needs, in one place: installs missing packages, configures, builds into build/.
# Safe to repeat: it does only what is missing. Usage: bash apps/setup.sh [TARGET [CMAKE-OPTION…]], e.g. dactyl, all
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:-all}
shift || true

packages=(g++ cmake ninja-build ccache libdnnl-dev libcli11-dev nlohmann-json3-dev libtomlplusplus-dev libstb-dev
  ocl-icd-opencl-dev libjpeg62-turbo-dev libavformat-dev libavcodec-dev libavutil-dev libswscale-dev libgtest-dev
  gnuplot-nox)

say() { echo "setup: $*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    say "neither root nor sudo here; ask an administrator to run: apt-get install ${missing[*]}"
    exit 1
  fi
}

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi

nvcc=$(command -v nvcc || ls /usr/local/cuda/bin/nvcc 2>/dev/null || true)
if [ -n "$nvcc" ]; then
  PATH="$PATH:$(dirname "$nvcc")"
  say "CUDA compiler: $nvcc"
else
  say "no CUDA compiler: building for the CPU alone"
fi

say "building $target in build/ (the first time takes minutes, again seconds)"
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release "$@" >&2
ninja -C build "$target" >&2
say "ready: build/dactyl --help"

#!/usr/bin/env bash
# The newcomer's exercise, as kernels/README.md prints it: add tanh to a copy of the tree, build for the CPU, run its test.
set -euo pipefail
cd "$(dirname "$0")/.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

block() {  # block FILE: the code that the page gives for a file
  awk -v fence='```cpp '"$1" '$0 == fence { inside = found = 1; next } /^```/ { inside = 0 } inside
    END { if (!found) { print "kernels/README.md has no block for " fence > "/dev/stderr"; exit 1 } }' kernels/README.md
}

tar --exclude='./build*' --exclude=./.git --exclude=./runs --exclude=./.carry -cf - . | tar -xf - -C "$copy"
rm -f "$copy"/tests/kernels/*_test.cpp  # the others are built elsewhere

block kernels/tanh.cu >"$copy/kernels/tanh.cu"
block tests/kernels/tanh_test.cpp >"$copy/tests/kernels/tanh_test.cpp"
block kernels/ops.h >"$copy/line"
sed -i "/^Tensor relu(/r $copy/line" "$copy/kernels/ops.h"
lines=$(cat "$copy/kernels/tanh.cu" "$copy/tests/kernels/tanh_test.cpp" "$copy/line" | grep -c .)
echo "tanh: three files, $lines lines"

export CCACHE_BASEDIR=$copy  # the next copy lies elsewhere and finds these objects again
cmake -S "$copy" -B "$copy/build" -G Ninja -DDACTYL_CUDA=OFF >/dev/null
ninja -C "$copy/build" kernels_tests | tail -1
"$copy/build/kernels_tests" --gtest_filter='Tanh.*' | tee "$copy/log"
grep -q '\[  PASSED  \] 1 test' "$copy/log"

# The test can fail: a wrong derivative is found.
sed -i 's/1 - y \* y/1 - y/' "$copy/kernels/tanh.cu"
ninja -C "$copy/build" kernels_tests | tail -1
if "$copy/build/kernels_tests" --gtest_filter='Tanh.*' >"$copy/log"; then
  echo "a wrong derivative was not noticed"
  exit 1
fi
grep -q 'gradient of input 0' "$copy/log"
echo "newcomer: good"

#!/usr/bin/env bash
# The GPU half of the tests, from nothing, on a machine with a GPU, the CUDA toolkit and cuDNN: build, unit tests,
# compute-sanitizer. Safe to repeat.
#   DACTYL_DEPS=DIR  a folder of unpacked packages (DIR/usr/include …) for libraries the machine lacks
#   DACTYL_ARCH=90   the GPU's architecture
#   DACTYL_BUILD=build-gpu-tests
#   DACTYL_BUILT=1   the tests in DACTYL_BUILD are built already, here or for such a machine elsewhere
set -uo pipefail
cd "$(dirname "$0")/.."
build=${DACTYL_BUILD:-build-gpu-tests}
shards=$(((($(nproc) + 1)) / 2))
passed=0 failed=0
failures=()
export DACTYL_CACHE=$PWD/$build/plans  # plans are searched once, not again under the sanitizer
export PATH=$PATH:/usr/local/cuda/bin

note() {  # note NAME CODE: counts one step
  if [ "$2" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)) failures+=("$1"); fi
}

configure() {
  local prefix=${CMAKE_PREFIX_PATH:-} wheel
  [ -z "${DACTYL_DEPS:-}" ] || prefix="$(realpath "$DACTYL_DEPS")/usr;$prefix"
  # cuDNN from a Python wheel, if the system has none.
  if ! ls /usr/include/cudnn.h /usr/include/*/cudnn.h /usr/local/cuda/include/cudnn.h >/dev/null 2>&1; then
    wheel=$(python3 -c 'import nvidia.cudnn as c; print(list(c.__path__)[0])' 2>/dev/null) && prefix="$prefix;$wheel"
  fi
  local generator=()
  command -v ninja >/dev/null && generator=(-G Ninja)
  cmake -S . -B "$build" "${generator[@]}" -DDACTYL_CUDA=ON -DDACTYL_GPU_ARCH="${DACTYL_ARCH:-90}" \
    -DCMAKE_PREFIX_PATH="$prefix" && grep -q 'CUDNN_LIBRARY.*=.*cudnn' "$build/CMakeCache.txt"
}

attribute() { grep -o " $2=\"[0-9]*\"" "$1" | head -1 | tr -dc '0-9'; }

unit_tests() {  # unit_tests EXECUTABLE
  local report=$PWD/$build/report.xml log=$build/$(basename "$1").log started=$SECONDS code all bad
  rm -f "$report"
  timeout 400 "$1" --gtest_brief=1 --gtest_output="xml:$report" >"$log" 2>&1
  code=$?
  if [ ! -s "$report" ]; then
    tail -40 "$log"
    note "$(basename "$1"): died with code $code" 1
    return
  fi
  all=$(attribute "$report" tests) bad=$(attribute "$report" failures)
  passed=$((passed + all - bad)) failed=$((failed + bad))
  [ "$bad" = 0 ] || { failures+=("$(basename "$1")"); grep -v '^$' "$log" | tail -60; }
  echo "$(basename "$1"): $all tests, $bad failed ($((SECONDS - started)) s)"
}

# The tool is slow and uses one core: each of the shards takes a part of the tests.
sanitizer() {  # sanitizer TOOL FILTER
  local started=$SECONDS code=0 i jobs=()
  for ((i = 0; i < shards; ++i)); do
    GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$i timeout 300 compute-sanitizer --tool "$1" --error-exitcode 9 \
      --print-limit 5 "$build/kernels_tests" --gtest_brief=1 --gtest_filter="$2" >"$build/$1.$i.log" 2>&1 &
    jobs+=($!)
  done
  for ((i = 0; i < shards; ++i)); do
    wait "${jobs[i]}" || { code=$?; echo "compute-sanitizer $1, part $i:"; tail -40 "$build/$1.$i.log"; }
  done
  note "compute-sanitizer $1" $code
  echo "compute-sanitizer $1: exit code $code ($((SECONDS - started)) s)"
}

finish() {
  [ ${#failures[@]} = 0 ] || printf 'failed: %s\n' "${failures[@]}"
  echo "$passed passed, $failed failed"
  [ $failed = 0 ]
  exit
}

nvidia-smi -L || { note "no GPU here" 1; finish; }
if [ -z "${DACTYL_BUILT:-}" ]; then
  configure || { note "configuring" 1; finish; }
  cmake --build "$build" --parallel "$(nproc)" || { note "building" 1; finish; }
fi
[ -x "$build/kernels_tests" ] || { note "no tests in $build" 1; finish; }
for suite in engine kernels weights nets train benchmarks; do
  [ -x "$build/${suite}_tests" ] && unit_tests "$build/${suite}_tests"
done
# Large layers are slow under the sanitizer; the libraries' own kernels are not searched for races.
sanitizer memcheck '-Cudnn.*:ConvSearch.*:conv_check.large*'
sanitizer racecheck '-Cudnn.*:Conv.*:ConvSearch.*:ConvColumns.*:Gemm.*:Linear.*:conv_check.*'
finish

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

# Nearly everything runs at once: none of it is timed, and the sanitizers take a core each for minutes.
start() {  # start NAME COMMAND…: in the background, the lowest priority; $build/NAME.log, then NAME.code
  local name=$1
  shift
  rm -f "$build/$name.code"
  (nice -n 10 timeout 500 "$@" >"$build/$name.log" 2>&1; echo "$? $SECONDS" >"$build/$name.code") &
}

start_suite() {  # start_suite NAME
  rm -f "$build/$1.xml"
  start "$1" "$build/$1" --gtest_brief=1 --gtest_output="xml:$PWD/$build/$1.xml"
}

report_suite() {
  local code seconds all bad
  read -r code seconds <"$build/$1.code"
  if [ ! -s "$build/$1.xml" ]; then
    tail -40 "$build/$1.log"
    note "$1: died with code $code" 1
    return
  fi
  all=$(attribute "$build/$1.xml" tests) bad=$(attribute "$build/$1.xml" failures)
  passed=$((passed + all - bad)) failed=$((failed + bad))
  [ "$bad" = 0 ] || { failures+=("$1"); grep -v '^$' "$build/$1.log" | tail -60; }
  echo "$1: $all tests, $bad failed (after $((seconds - begun)) s)"
}

start_sanitizer() {  # start_sanitizer TOOL FILTER: in parts
  local i
  for ((i = 0; i < shards; ++i)); do
    GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$i start "$1.$i" compute-sanitizer --tool "$1" --error-exitcode 9 \
      --print-limit 5 "$build/kernels_tests" --gtest_brief=1 --gtest_filter="$2"
  done
}

report_sanitizer() {
  local i code seconds worst=0 last=0
  for ((i = 0; i < shards; ++i)); do
    read -r code seconds <"$build/$1.$i.code"
    [ "$seconds" -le "$last" ] || last=$seconds
    [ "$code" = 0 ] || { worst=$code; echo "compute-sanitizer $1, part $i:"; tail -40 "$build/$1.$i.log"; }
  done
  note "compute-sanitizer $1" "$worst"
  echo "compute-sanitizer $1: exit code $worst (after $((last - begun)) s)"
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
begun=$SECONDS suites=()
for suite in engine kernels weights nets train benchmarks; do
  [ -x "$build/${suite}_tests" ] && suites+=("${suite}_tests")
done
for suite in "${suites[@]}"; do start_suite "$suite"; done
# Large layers are slow under the sanitizer; the libraries' own kernels are not searched for races.
start_sanitizer racecheck '-Cudnn.*:Conv.*:ConvSearch.*:ConvColumns.*:Gemm.*:Linear.*:conv_check.*'
until [ -e "$build/kernels_tests.code" ]; do sleep 1; done  # then the plans are known
start_sanitizer memcheck '-Cudnn.*:ConvSearch.*:conv_check.large*'
wait
for suite in "${suites[@]}"; do report_suite "$suite"; done
for tool in memcheck racecheck; do report_sanitizer "$tool"; done
finish

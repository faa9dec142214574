#!/usr/bin/env bash
# The GPU half of the tests, from nothing, on a machine with a GPU, the CUDA toolkit and cuDNN: build, unit tests,
# compute-sanitizer. Safe to repeat. `bash tests/gpu.sh build` builds and tests nothing.
#   DACTYL_DEPS=DIR  a folder of unpacked packages (DIR/usr/include …) for libraries the machine lacks
#   DACTYL_ARCH=90   the GPU's architecture
#   DACTYL_BUILD=build-gpu-tests
#   DACTYL_BUILT=1   the tests in DACTYL_BUILD are built already, here or for such a machine elsewhere
#   DACTYL_SANITIZERS="memcheck racecheck initcheck synccheck"  which of compute-sanitizer's tools; "": none
#   DACTYL_SECONDS=500  for all tests together, from when they are built; what has not ended by then is out of time
# Exit code: 0 good, 1 something failed, 124 nothing failed, but something was out of time.
set -uo pipefail
cd "$(dirname "$0")/.."
build=${DACTYL_BUILD:-build-gpu-tests}
shards=$(((($(nproc) + 1)) / 2))
tools=${DACTYL_SANITIZERS-memcheck racecheck initcheck synccheck}
# Large layers are slow under the sanitizer; only our own kernels are searched for races, for reads of what nothing wrote
# and for wrong barriers, not the libraries'.
own='-Cudnn.*:Conv.*:ConvSearch.*:ConvWays.*:ConvColumns.*:Gemm.*:Linear.*:Lstm.*:conv_check.*:StemKernels.large*'
declare -A filters=([memcheck]='-Cudnn.*:ConvSearch.*:ConvWays.*:conv_check.large*:StemKernels.large*' [racecheck]=$own [initcheck]=$own [synccheck]=$own)
passed=0 failed=0 late=0
failures=()
export DACTYL_CACHE=$PWD/$build/plans  # plans are searched once, not again under the sanitizer
export PATH=$PATH:/usr/local/cuda/bin

note() {  # note NAME CODE: counts one step
  case $2 in
    0) passed=$((passed + 1)) ;;
    124) late=$((late + 1)) failures+=("$1: out of time") ;;
    *) failed=$((failed + 1)) failures+=("$1") ;;
  esac
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
  local left=$((begun + ${DACTYL_SECONDS:-500} - SECONDS))
  (nice -n 10 timeout $((left > 5 ? left : 5)) "$@" >"$build/$name.log" 2>&1; echo "$? $SECONDS" >"$build/$name.code") &
}

start_suite() {  # start_suite NAME
  rm -f "$build/$1.xml"
  start "$1" "$build/$1" --gtest_brief=1 --gtest_output="xml:$PWD/$build/$1.xml"
}

start_ladder() {  # start_ladder TOOL: the rungs are our own kernels too
  start "$1.ladder" compute-sanitizer --tool "$1" --error-exitcode 9 --print-limit 5 "$build/benchmarks_tests" \
    --gtest_brief=1 --gtest_filter='LadderRungs.agree*'
}

report_ladder() {
  local code seconds
  read -r code seconds <"$build/$1.ladder.code"
  [ "$code" = 0 ] || tail -40 "$build/$1.ladder.log"
  note "compute-sanitizer $1, ladder" "$code"
  echo "compute-sanitizer $1, ladder: exit code $code (after $((seconds - begun)) s)"
}

report_suite() {
  local code seconds all bad
  read -r code seconds <"$build/$1.code"
  if [ ! -s "$build/$1.xml" ]; then
    tail -40 "$build/$1.log"
    [ "$code" = 124 ] && note "$1" 124 || note "$1: died with code $code" 1
    return
  fi
  all=$(attribute "$build/$1.xml" tests) bad=$(attribute "$build/$1.xml" failures)
  passed=$((passed + all - bad)) failed=$((failed + bad))
  [ "$bad" = 0 ] || { failures+=("$1"); grep -v '^$' "$build/$1.log" | tail -60; }
  echo "$1: $all tests, $bad failed (after $((seconds - begun)) s)"
}

start_sanitizer() {  # start_sanitizer TOOL: in parts
  local i
  for ((i = 0; i < shards; ++i)); do
    DACTYL_CHECK=gpu GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$i start "$1.$i" compute-sanitizer --tool "$1" \
      --error-exitcode 9 --print-limit 5 "$build/kernels_tests" --gtest_filter="${filters[$1]}"
  done
}

report_sanitizer() {
  local i code seconds worst=0 last=0 ended=0
  for ((i = 0; i < shards; ++i)); do
    read -r code seconds <"$build/$1.$i.code"
    [ "$seconds" -le "$last" ] || last=$seconds
    [ "$code" = 0 ] || [ "$worst" != 0 -a "$code" = 124 ] || worst=$code
    ended=$((ended + $(grep -c '^\[       OK \]' "$build/$1.$i.log")))
    case $code in
      0) ;;
      124) echo "compute-sanitizer $1, part $i: out of time in $(grep '^\[ RUN' "$build/$1.$i.log" | tail -1 | cut -c14-)" ;;
      *) echo "compute-sanitizer $1, part $i:"; grep -vE '^\[ RUN|^\[       OK|^\[-----|^$' "$build/$1.$i.log" | tail -40 ;;
    esac
  done
  note "compute-sanitizer $1" "$worst"
  echo "compute-sanitizer $1: $ended tests, exit code $worst (after $((last - begun)) s)"
}

finish() {
  [ ${#failures[@]} = 0 ] || printf 'failed: %s\n' "${failures[@]}"
  echo "$passed passed, $failed failed$([ $late = 0 ] || echo ", $late out of time")"
  [ $failed = 0 ] || exit 1
  [ $late = 0 ] || exit 124
  exit 0
}

for tool in $tools; do
  [ -n "${filters[$tool]:-}" ] || { note "DACTYL_SANITIZERS: $tool is none of ${!filters[*]}" 1; finish; }
done
[ "${1:-}" = build ] || nvidia-smi -L || { note "no GPU here" 1; finish; }
if [ -z "${DACTYL_BUILT:-}" ]; then
  configure || { note "configuring" 1; finish; }
  cmake --build "$build" --parallel "$(nproc)" || { note "building" 1; finish; }
fi
[ "${1:-}" != build ] || exit 0
[ -x "$build/kernels_tests" ] || { note "no tests in $build" 1; finish; }
begun=$SECONDS suites=()
for suite in engine kernels weights nets train benchmarks; do
  [ -x "$build/${suite}_tests" ] && suites+=("${suite}_tests")
done
for suite in "${suites[@]}"; do start_suite "$suite"; done
for tool in $tools; do [ "$tool" = memcheck ] || start_sanitizer "$tool"; done
for tool in $tools; do start_ladder "$tool"; done
if [[ " $tools " == *" memcheck "* ]]; then
  until [ -e "$build/kernels_tests.code" ]; do sleep 1; done  # then the plans are known
  start_sanitizer memcheck
fi
wait
for suite in "${suites[@]}"; do report_suite "$suite"; done
for tool in $tools; do report_sanitizer "$tool"; report_ladder "$tool"; done
finish

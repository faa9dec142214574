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
# Large layers and whole flows are slow under the sanitizer (FlowKernels has the flows' kernels); only our own kernels are
# searched for races, for reads of what nothing wrote and for wrong barriers, not the libraries'.
slow='FlowTvl1.*:FlowFarneback.*:StemKernels.large*:Cudnn.*:ConvSearch.*:ConvWays.*:ConvSums.*'
# A tile of each of the implicit products' variants is enough there; memcheck sees all of them.
tiles='ImplicitKernels.all_tiles*:ImplicitKernels.many_tiles*:ImplicitWeightsKernels.all_tiles*:ImplicitWeightsKernels.many_runs*'
own="-$slow:$tiles:Conv.*:ConvSum.*:ConvColumns.*:Gemm.*:Linear.*:Lstm.*:conv_check.*"
declare -A filters=([memcheck]="-$slow:conv_check.large*" [racecheck]=$own [initcheck]=$own [synccheck]=$own)
passed=0 failed=0 late=0
failures=()
export DACTYL_CACHE=$PWD/$build/plans  # plans are searched once, not again under the sanitizer
export PATH=$PATH:/usr/local/cuda/bin

give_up() {  # give_up WHY
  failed=$((failed + 1)) failures+=("$1")
  finish
}

configure() {
  local prefix=${CMAKE_PREFIX_PATH:-} wheel
  [ -z "${DACTYL_DEPS:-}" ] || prefix="$(realpath "$DACTYL_DEPS")/usr;$prefix"
  # cuDNN from a Python wheel, if the system has none.
  if ! ls /usr/include/cudnn.h /usr/include/*/cudnn.h /usr/local/cuda/include/cudnn.h >/dev/null 2>&1; then
    wheel=$(python3 -c 'import nvidia.cudnn as c; print(list(c.__path__)[0])' 2>/dev/null) && prefix="$prefix;$wheel"
  fi
  # nvJPEG too; without it the program decodes on the CPU alone.
  if ! ls /usr/include/nvjpeg.h /usr/local/cuda/include/nvjpeg.h >/dev/null 2>&1; then
    wheel=$(python3 -c 'import glob, nvidia; print([h for p in nvidia.__path__ for h in glob.glob(p + "/*/include/nvjpeg.h")][0])' \
      2>/dev/null) && prefix="$prefix;${wheel%/include/nvjpeg.h}"
  fi
  local generator=()
  command -v ninja >/dev/null && generator=(-G Ninja)
  cmake -S . -B "$build" "${generator[@]}" -DDACTYL_CUDA=ON -DDACTYL_GPU_ARCH="${DACTYL_ARCH:-90}" \
    -DCMAKE_PREFIX_PATH="$prefix" && grep -q 'CUDNN_LIBRARY.*=.*cudnn' "$build/CMakeCache.txt"
}

# The suites first, then the sanitizers, which slow each other's kernels less than they would slow the suites. None of
# it is timed. Within the build folder: compiled-in names of test data may be relative to it.
start() {  # start NAME COMMAND…: in the background, the lowest priority; $build/NAME.log, then NAME.code
  local name=$1
  shift
  rm -f "$build/$name.code"
  local left=$((begun + ${DACTYL_SECONDS:-500} - SECONDS))
  (
    cd "$build" || exit
    nice -n 10 timeout $((left > 5 ? left : 5)) "$@" >"$name.log" 2>&1
    echo "$? $SECONDS" >"$name.code"
  ) &
}

parts_of() {  # parts_of NAME: into how many processes it is divided
  case $1 in
    kernels_tests | nets_tests | train_tests) echo $(((shards + 1) / 2)) ;;
    *_tests | *.ladder) echo 1 ;;
    *) echo $shards ;;
  esac
}

start_parts() {  # start_parts NAME COMMAND…: NAME.0, NAME.1 …
  local i parts name=$1
  parts=$(parts_of "$name")
  for ((i = 0; i < parts; ++i)); do
    GTEST_TOTAL_SHARDS=$parts GTEST_SHARD_INDEX=$i start "$name.$i" "${@:2}"
  done
}

start_sanitizer() {  # start_sanitizer TOOL: over the kernels, and over the ladder's rungs, which are our own too
  local run=(compute-sanitizer --tool "$1" --error-exitcode 9 --print-limit 5)
  DACTYL_CHECK=gpu start_parts "$1" "${run[@]}" ./kernels_tests --gtest_filter="${filters[$1]}"
  start_parts "$1.ladder" "${run[@]}" ./benchmarks_tests --gtest_filter='LadderRungs.agree*'
}

report() {  # report NAME: one line for all its parts, and what the bad ones said
  local i code seconds worst=0 last=0 ended=0 bad=0 log
  for ((i = 0; i < $(parts_of "$1"); ++i)); do
    read -r code seconds <"$build/$1.$i.code"
    log=$build/$1.$i.log
    [ "$seconds" -le "$last" ] || last=$seconds
    [ "$code" = 0 ] || [ "$worst" != 0 -a "$code" = 124 ] || worst=$code
    ended=$((ended + $(grep -c '^\[       OK \]' "$log")))
    bad=$((bad + $(grep -c '^\[  FAILED  \].*ms)$' "$log")))
    case $code in
      0) ;;
      124) echo "$1, part $i: out of time in $(grep '^\[ RUN' "$log" | tail -1 | cut -c14-)" ;;
      *) echo "$1, part $i, exit code $code:"; grep -vE '^\[ RUN|^\[       OK|^\[-----|^$' "$log" | tail -40 ;;
    esac
  done
  passed=$((passed + ended)) failed=$((failed + bad))
  if [ "$worst" != 0 ]; then
    [ "$worst" = 124 ] && late=$((late + 1)) || failed=$((failed + (bad == 0)))
    failures+=("$1$([ "$worst" != 124 ] || echo ": out of time")")
  fi
  echo "$1: $ended tests good, $bad failed, exit code $worst (after $((last - begun)) s)"
}

finish() {
  [ ${#failures[@]} = 0 ] || printf 'failed: %s\n' "${failures[@]}"
  echo "$passed passed, $failed failed$([ $late = 0 ] || echo ", $late out of time")"
  [ $failed = 0 ] || exit 1
  [ $late = 0 ] || exit 124
  exit 0
}

for tool in $tools; do
  [ -n "${filters[$tool]:-}" ] || give_up "DACTYL_SANITIZERS: $tool is none of ${!filters[*]}"
done
[ "${1:-}" = build ] || nvidia-smi -L || give_up "no GPU here"
if [ -z "${DACTYL_BUILT:-}" ]; then
  configure || give_up "configuring"
  cmake --build "$build" --parallel "$(nproc)" || give_up "building"
fi
[ "${1:-}" != build ] || exit 0
[ -x "$build/kernels_tests" ] || give_up "no tests in $build"
begun=$SECONDS suites=()
for suite in engine kernels weights nets train benchmarks; do
  [ -x "$build/${suite}_tests" ] && suites+=("${suite}_tests")
done
for suite in "${suites[@]}"; do start_parts "$suite" "./$suite"; done
wait  # then the plans are known too
for tool in $tools; do start_sanitizer "$tool"; done
wait
for suite in "${suites[@]}"; do report "$suite"; done
for tool in $tools; do
  report "$tool"
  report "$tool.ladder"
done
finish

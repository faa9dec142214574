#!/usr/bin/env bash
# Every test this machine can run, from nothing: set-up, unit tests, sanitizers, the program itself, the manners.
# Safe to repeat. Without a CUDA toolkit the GPU half is not compiled; without a GPU its tests skip and say so.
set -uo pipefail
cd "$(dirname "$0")/.."
export OMP_WAIT_POLICY=passive  # idle threads sleep: many times faster where other programs want the cores too
passed=0 failed=0 skipped=0
failures=()

count() {  # count NAME passed|failed
  if [ "$2" = passed ]; then passed=$((passed + 1)); else failed=$((failed + 1)) failures+=("$1"); fi
}

step() {  # step NAME COMMAND…: one test, its output shown if it fails
  local name=$1 started=$SECONDS log
  shift
  log=$(mktemp)
  if "$@" >"$log" 2>&1; then
    count "$name" passed
    echo "passed  $name ($((SECONDS - started)) s)"
  else
    count "$name" failed
    cat "$log"
    echo "FAILED  $name ($((SECONDS - started)) s)"
  fi
  rm -f "$log"
}

attribute() { grep -om1 "\b$2=\"[0-9]*\"" "$1" | tr -dc '0-9'; }

suite() {  # suite NAME BUILD: all unit tests of a build, counted one by one
  local name=$1 build=$2 started=$SECONDS report log
  report=$PWD/$build/report.xml log=$(mktemp)
  rm -f "$report"
  ctest --test-dir "$build" -j "$(nproc)" --output-on-failure --timeout 900 --output-junit "$report" >"$log" 2>&1
  local code=$? all bad quiet
  if [ ! -s "$report" ]; then
    cat "$log"
    count "$name" failed
  else
    all=$(attribute "$report" tests) bad=$(attribute "$report" failures) quiet=$(attribute "$report" skipped)
    passed=$((passed + all - bad - quiet)) failed=$((failed + bad)) skipped=$((skipped + quiet))
    [ "$bad" = 0 ] || failures+=("$name")
    [ $code = 0 ] || cat "$log"
    [ "$all" -gt 0 ] || count "$name: no tests found" failed
    echo "$name: $all tests, $bad failed, $quiet skipped ($((SECONDS - started)) s)"
  fi
  rm -f "$log"
}

sanitized() {  # the same tests, on the CPU, under the address and undefined-behaviour sanitizers
  cmake -S . -B build-asan -G Ninja -DDACTYL_CUDA=OFF -DDACTYL_SANITIZE=ON && ninja -C build-asan
}

echo "set-up and build"
bash apps/setup.sh all || { echo "0 passed, 1 failed"; exit 1; }
build/dactyl doctor
build/dactyl doctor --json | grep -q '"gpus":\[\]' && echo "no GPU: the GPU tests skip"

suite "unit tests" build
step "include order" bash tests/include_order.sh
step "sizes" bash tests/sizes.sh
for script in tests/newcomer.sh tests/kill_resume.sh tests/words.sh tests/video_trace.sh; do step "$script" bash "$script"; done
if command -v python3 >/dev/null; then  # of the benchmarks' scripts; the program itself needs no Python
  for script in tests/benchmarks/*_test.py; do step "$script" env DACTYL_PROGRAM="$PWD/build/dactyl" python3 "$script"; done
else
  echo "no Python: the tests of the benchmarks' scripts are left out"
fi
step "sanitizer build" sanitized
# A refused allocation must reach our own message, as it does without the sanitizer.
ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 suite "unit tests under sanitizers" build-asan

[ ${#failures[@]} = 0 ] || printf 'failed: %s\n' "${failures[@]}"
[ $skipped = 0 ] || echo "$skipped skipped: they need a GPU or data that is not here"
echo "$passed passed, $failed failed"
[ $failed = 0 ]

#!/usr/bin/env bash
# Everything that needs a GPU, within the few minutes that one may be had: tests, then figures, each part with a limit.
#   bash benchmarks/on_gpu.sh [--minutes 9] [--parts tests,parity,graph,precision,roofs,tune,flow,table,finetune,ops,ladder,layers] [--out DIR]
# A part may have a limit of its own, in seconds: --parts tests:200,flow:60. What a part says is in DIR/PART.log, its
# figures in DIR/PART.json or DIR/PART.md; DIR/summary.txt has a line for each. Parts that time nothing (tests, parity,
# graph, precision) run at once, the others follow one by one, alone, in the order they are named. A part that fails stops none.
#   DACTYL_BUILD=build-gpu-tests  DACTYL_BUILT=1  DACTYL_DEPS  DACTYL_ARCH  DACTYL_SANITIZERS  as in tests/gpu.sh;
#                building comes first and is not counted
#   PYTHON=python3   with torch, torchvision and safetensors for parity, table and finetune, torch for layers, OpenCV for flow
# Exit code: 0 if nothing failed and nothing was out of time.
set -uo pipefail
cd "$(dirname "$0")/.."
export DACTYL_BUILD=${DACTYL_BUILD:-build-gpu-tests} OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=1000
minutes=9 parts=tests,parity,graph,precision,roofs,tune,flow,table,finetune,ops,ladder,layers out=on-gpu
declare -A usual=([tests]=190 [parity]=190 [graph]=190 [precision]=190 [roofs]=20 [tune]=60 [flow]=90 [table]=130
  [finetune]=60 [ops]=50  # of 540 s
  [ladder]=60 [layers]=170)  # in what is left: parts seldom need their limits

usage() { echo "on_gpu.sh: $1; see the head of benchmarks/on_gpu.sh" >&2; exit 2; }
while [ $# -gt 0 ]; do
  [ $# -gt 1 ] || usage "$1 needs a value"
  case $1 in
    --minutes) minutes=$2 ;;
    --parts) parts=$2 ;;
    --out) out=$2 ;;
    *) usage "unknown option $1" ;;
  esac
  shift 2
done
[[ $minutes =~ ^[1-9][0-9]*$ ]] || usage "--minutes $minutes: expected a whole number"
declare -A limit=()
order=()
for word in ${parts//,/ }; do
  part=${word%%:*}
  [ -n "${usual[$part]:-}" ] || usage "no part is called $part; there are: ${!usual[*]}"
  limit[$part]=$((usual[$part] * minutes / 9))
  [ "$part" = "$word" ] || limit[$part]=${word#*:}
  [[ ${limit[$part]} =~ ^[1-9][0-9]*$ ]] || usage "--parts $word: expected a whole number of seconds"
  order+=("$part")
done
mkdir -p "$out" || exit 3
out=$(realpath "$out") build=$DACTYL_BUILD dactyl=$PWD/$DACTYL_BUILD/dactyl
[[ $build != /* ]] || usage "DACTYL_BUILD=$build: expected a folder beside the sources"
export out build dactyl DACTYL_CACHE=$out/plans  # the plans found are results too

with_torch_alone() { "${PYTHON:-python3}" -c 'import torch' 2>/dev/null; }
with_torch() { "${PYTHON:-python3}" -c 'import torch, torchvision, safetensors' 2>/dev/null; }
with_opencv() {  # prints a Python that has it, one with contrib rather than one without
  local python need
  for need in 'cv2.optflow' 'cv2'; do
    for python in "${PYTHON:-python3}" python3 /usr/bin/python3; do
      "$python" -c "import cv2, numpy; $need" 2>/dev/null && { echo "$python"; return 0; }
    done
  done
  return 1
}
skip() { echo "skipped: $1"; exit 77; }
each() {  # each COMMAND…: one of several, which may fail; what it prints may be redirected
  echo "+ ${*#"$PWD/"}" >&2
  "$@" || { echo "exit code $?" >&2; bad=$((bad + 1)); }
  all=$((all + 1))
}
whether_all() { [ $bad = 0 ] || { echo "$bad of $all commands failed"; return 1; }; }

# The parts; each in a shell of its own, $1 is its limit in seconds.
part_tests() {
  DACTYL_BUILT=1 DACTYL_SECONDS=$(($1 > 20 ? $1 - 10 : $1)) bash tests/gpu.sh
  local code=$?
  mkdir -p "$out/tests" && cp "$build"/*.log "$out/tests/" 2>/dev/null
  return $code
}
part_parity() {
  with_torch || skip "no torch, torchvision and safetensors in ${PYTHON:-python3}"
  DACTYL_CACHE=$PWD/$build/plans-untimed bash tests/parity/run.sh "$build" cuda
}
part_graph() {  # steps replayed as a graph against eager ones, bit for bit
  local all=0 bad=0 model precision
  export DACTYL_CACHE=$PWD/$build/plans-untimed  # what is searched while others compute is no plan to time with
  "$dactyl" data synth --classes 4 --per-class 24 --size 96 --out "$out/graph-data/letters" || return
  "$dactyl" data synth --kind words --classes 4 --per-class 12 --frames 10 --size 40 --png-frames \
    --out "$out/graph-data/words" || return
  for precision in bf16 fp32; do
    for model in alexnet googlenet googlenet-bn mobilenet; do
      each "$dactyl" train --model $model --data "$out/graph-data/letters" --batch 8 --stage head:4it@1e-3 \
        --stage all:8it@1e-3 --device cuda --precision $precision --check-graph 12
    done
    each "$dactyl" train --model i3d --input 32 --data "$out/graph-data/words" --frame-folders on --clips window=10 \
      --test-clips uniform=10 --batch 4 --opt adam --stage all:8it@1e-3 --device cuda --precision $precision --check-graph 8
  done
  rm -rf "$out/graph-data"
  whether_all
}
part_precision() {  # 200 steps of three nets against the CPU's
  DACTYL_CACHE=$PWD/$build/plans-untimed "${PYTHON:-python3}" benchmarks/precision.py --dactyl "$dactyl" --device cuda \
    --json "$out/precision.json" | tee "$out/precision.md"
}
part_roofs() { "$dactyl" bench roofs --device cuda --json | tee "$out/roofs.json"; }
part_tune() {
  local all=0 bad=0
  rm -f "$out/tune.json"
  for net in "googlenet-bn --batch 32" "i3d --frames 20 --batch 32" "alexnet --batch 32" "i3d --frames 64 --batch 8"; do
    each "$dactyl" tune --model $net --precision bf16 --train --device cuda --json >>"$out/tune.json"
  done
  whether_all
}
part_flow() {
  local all=0 bad=0 algorithm python
  if python=$(with_opencv); then
    "$python" benchmarks/peers/flow.py --bench "$build/bench_flow" --device cuda --pairs 64 --rounds 2 --seconds 0.5 |
      tee "$out/flow.md"
    return
  fi
  echo "no Python with OpenCV here: dactyl alone"
  rm -f "$out/flow.json"
  for algorithm in tvl1 tvl1-cpu farneback farneback-sample; do
    each "$build/bench_flow" --algo $algorithm --pairs 64 --graph --device cuda --seconds 1 --json >>"$out/flow.json"
  done
  whether_all
}
part_table() {
  with_torch || skip "no torch, torchvision and safetensors in ${PYTHON:-python3}"
  rm -f "$out/table.json"
  "${PYTHON:-python3}" benchmarks/peers/table.py --dactyl "$dactyl" --device cuda --standard \
    --precisions bf16 --seconds 0.4 --budget $(($1 * 3 / 4)) --json "$out/table.json" |
    tee "$out/table.md"
}
part_finetune() {  # from JPEG files, the whole program
  with_torch || skip "no torch, torchvision and safetensors in ${PYTHON:-python3}"
  "${PYTHON:-python3}" benchmarks/peers/finetune.py --dactyl "$dactyl" --device cuda --per-class 100 --seconds 3 \
    --json "$out/finetune.json" | tee "$out/finetune.md"
}
part_ops() {
  local all=0 bad=0 operation compared="max_pool batch_norm lrn"
  rm -f "$out/ops.json" "$out/peer-ops.json"
  if with_torch_alone; then  # ours of these operations are in its table and its JSON
    each "${PYTHON:-python3}" benchmarks/peers/ops.py --dactyl "$dactyl" --device cuda --seconds 0.1 \
      --operations ${compared// /,} --json "$out/peer-ops.json" >"$out/ops.md"
    compared=
  fi
  for operation in $compared mean_pool relu add softmax cross_entropy sgd adam; do
    each "$dactyl" bench op $operation --precision bf16 --device cuda --seconds 0.2 --json >>"$out/ops.json"
  done
  whether_all
}
part_layers() {  # each convolution of the nets alone; what finds no time is named, and a second run goes on from there
  with_torch_alone || skip "no torch in ${PYTHON:-python3}"
  "${PYTHON:-python3}" benchmarks/peers/layers.py --dactyl "$dactyl" --device cuda --budget $(($1 * 9 / 10)) \
    --json "$out/layers.json" --resume | tee "$out/layers.md"
}
part_ladder() { "$dactyl" bench ladder --device cuda --out "$out/ladder" --json | tee "$out/ladder.json"; }
export -f with_torch with_torch_alone with_opencv skip each whether_all
export -f part_{tests,parity,graph,precision,roofs,tune,flow,table,finetune,ops,layers,ladder}

say() {  # say PART RESULT SECONDS NOTE
  printf '%-8s %-12s %4s s  %s\n' "$@" | sed 's/ *$//' | tee -a "$out/summary.txt"
  [[ $2 == ok || $2 == skipped ]] || bad=1
}
run_part() {  # run_part PART: within its limit and what is left of the whole; leaves code and seconds in PART.code
  local left=$((begun + minutes * 60 - SECONDS)) start=$SECONDS part=$1 code=124
  rm -f "$out/$part.code"
  [ "${limit[$part]}" -ge $left ] || left=${limit[$part]}
  [ $left -lt 3 ] || { timeout -k 5 "$left" bash -o pipefail -c "part_$part $left" >"$out/$part.log" 2>&1; code=$?; }
  echo "$code $((SECONDS - start))" >"$out/$part.code"
}
report_part() {
  local code seconds
  read -r code seconds <"$out/$1.code" && rm "$out/$1.code"
  case $code in
    0) say "$1" ok "$seconds" "" ;;
    77) say "$1" skipped "$seconds" "$(sed -n 's/^skipped: //p' "$out/$1.log")" ;;
    124 | 137) say "$1" "out of time" "$seconds" "limit ${limit[$1]} s" ;;
    *) say "$1" failed "$seconds" "exit code $code, see $1.log: $(tail -1 "$out/$1.log" | cut -c1-120)" ;;
  esac
}

nvidia-smi -L >/dev/null 2>&1 || { echo "on_gpu.sh: no GPU here" >&2; exit 1; }
bad=0
rm -f "$out/summary.txt"
if [ -z "${DACTYL_BUILT:-}" ]; then
  bash tests/gpu.sh build >"$out/build.log" 2>&1 ||
    { tail -30 "$out/build.log"; say build failed $SECONDS "$out/build.log"; exit 1; }
fi
{ nvidia-smi; "$dactyl" doctor; } >"$out/machine.log" 2>&1
begun=$SECONDS untimed=() timed=()
for part in "${order[@]}"; do
  case $part in tests | parity | graph | precision) untimed+=("$part") ;; *) timed+=("$part") ;; esac
done
for part in "${untimed[@]}"; do run_part "$part" & done
wait
for part in "${untimed[@]}"; do report_part "$part"; done
for part in "${timed[@]}"; do
  run_part "$part"
  report_part "$part"
done
echo "$((SECONDS - begun)) s; everything is in $out"
exit $bad

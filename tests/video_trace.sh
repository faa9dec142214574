#!/usr/bin/env bash
# Reads ten bad videos under strace: the program must open each of them, and after it nothing else: no other file, no
# socket, no other program. Skips where strace, the built program or its FFmpeg is missing.
set -uo pipefail
cd "$(dirname "$0")/.."
program=$PWD/${1:-build/dactyl}
skip() { echo "video trace: skipped, $*" && exit 0; }
command -v strace >/dev/null || skip "strace is not here"
[ -x "$program" ] || skip "$program is not built"
ldd "$program" | grep -q libavformat || skip "the program was built without FFmpeg"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/data/x"
secret=$work/secret
echo secret >"$secret"

cd "$work/data/x" || exit 1
if command -v ffmpeg >/dev/null; then
  ff() { ffmpeg -nostdin -v error -y "$@"; }
  ff -f lavfi -i testsrc=size=64x48:rate=25:duration=1 -c:v libx264 good.mp4
  ff -i good.mp4 -c copy -metadata:s:v rotate=90 rotated.mp4
  ff -i good.mp4 -vf "setpts='PTS+0.3*gte(N,9)/TB'" -fps_mode vfr uneven.mp4
  ff -f lavfi -i sine=duration=1 -c:a aac sound.mp4
  ff -i good.mp4 -vf scale=1:1 -c:v ffv1 tiny.mkv
  ff -f lavfi -i color=size=8192x4320:rate=1:duration=1 -c:v mjpeg large.avi
  ff -f lavfi -i color=size=64x48:duration=0.04 -frames:v 1 still.png && mv still.png still.mp4
  head -c 1500 good.mp4 >cut.mp4
  # An MP4 whose data are said to lie in another file.
  sed 's|url \x00\x00\x00\x01|url \x00\x00\x00\x00|' good.mp4 >reference.mp4
else
  echo "video trace: without the program ffmpeg only what needs no encoder is tried"
fi
: >empty.mp4
mkdir folder.mp4
printf '#EXTM3U\n#EXTINF:1,\nfile://%s\nhttp://127.0.0.1:9/a.ts\n' "$secret" >playlist.mp4
printf 'ffconcat version 1.0\nfile %s\n' "$secret" >concat.mp4
cd "$work" || exit 1

broken=0
for video in data/x/*; do
  mkdir -p one/x
  cp -r "$video" one/x/
  strace -f -qq -e trace=%file,%network,execve -o trace "$program" data scan one >said 2>&1
  code=$?
  [ $code = 0 ] || [ $code = 3 ] || { echo "$video: exit code $code" && cat said && broken=1; }
  name=${video##*/}
  grep -q "\"one/x/$name\"" trace || { echo "$video: was not opened" && broken=1; }
  # From its first opening on (earlier: the loader's libraries), what else was opened, connected to, or run?
  awk -v name="one/x/$name" 'index($0, "open") && index($0, name) { on = 1 } on' trace |
    grep -E 'open|socket|connect|execve' | grep -vF "one/x/$name" | grep -vE '"one(/x)?"' | grep -vE '/(proc|sys)/|exited|O_DIRECTORY' >other
  [ -s other ] && { echo "$video: something else was touched:" && cat other && broken=1; }
  grep -qF "$secret" trace && { echo "$video: followed to another file" && broken=1; }
  printf '%-14s %s\n' "$name" "$({ grep -m1 '^bad' said || grep samples said; } | sed 's|bad: one/x/[^ ]* ||')"
  rm -rf one
done
[ $broken = 0 ] && echo "video trace: nothing else is opened"
exit $broken

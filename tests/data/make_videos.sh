#!/usr/bin/env bash
# Videos for the tests, made with the program ffmpeg out of one that the tests wrote:
#   make_videos.sh formats IN OUT    IN in other containers, codecs and pixel formats
#   make_videos.sh colours IN OUT    IN with other colour matrices and ranges, so tagged
#   make_videos.sh oddities IN OUT   sound alone, a large picture, a cut without re-encoding, uneven times, a new size
# What this ffmpeg has no encoder for is left out. Exit code 77: there is no ffmpeg.
set -u
command -v ffmpeg >/dev/null || exit 77
what=$1 in=$2 out=$3

make() {  # make NAME ARGUMENTS…
  local name=$1
  shift
  ffmpeg -nostdin -v error -y "$@" -threads 1 "$out/$name" || rm -f "$out/$name"
}
from() {  # from NAME ARGUMENTS…: re-encodes IN
  local name=$1
  shift
  make "$name" -i "$in" -fps_mode passthrough "$@"
}

case $what in
formats)
  from h264.mkv -c:v libx264 -g 10 -bf 3
  from h264.ts -c:v libx264 -g 10 -bf 3
  from h264.avi -c:v libx264 -g 10 -bf 3
  from h264_open.mp4 -c:v libx264 -x264-params open-gop=1:keyint=10:bframes=3
  from h264_interlaced.mp4 -c:v libx264 -flags +ildct+ilme
  from h264_10bit.mp4 -c:v libx264 -pix_fmt yuv420p10le
  from h264_422.mp4 -c:v libx264 -pix_fmt yuv422p
  from h264_422_10bit.mp4 -c:v libx264 -pix_fmt yuv422p10le
  from h264_444.mp4 -c:v libx264 -pix_fmt yuv444p
  from h264_rgb.mp4 -c:v libx264rgb
  from hevc.mp4 -c:v libx265 -x265-params log-level=none:keyint=10
  from hevc_open.mkv -c:v libx265 -x265-params log-level=none:keyint=10:open-gop=1
  from mpeg4.avi -c:v mpeg4 -q:v 2 -g 10 -bf 2
  from mpeg4.mp4 -c:v mpeg4 -q:v 2 -g 10
  from mpeg2.ts -c:v mpeg2video -q:v 2 -g 10 -bf 2
  from mjpeg.avi -c:v mjpeg -q:v 2 -pix_fmt yuvj420p
  from vp8.webm -c:v libvpx -b:v 2M -auto-alt-ref 1 -lag-in-frames 16 -arnr-maxframes 5
  from vp9.webm -c:v libvpx-vp9 -b:v 2M -cpu-used 8
  from av1.mp4 -c:v libaom-av1 -cpu-used 8 -b:v 1M
  from prores.mov -c:v prores
  from ffv1.mkv -c:v ffv1
  from raw.avi -c:v rawvideo -pix_fmt bgr24
  from palette.gif
  ;;
colours)
  for matrix in bt601 bt709 bt2020; do
    for range in tv pc; do
      tag=$([ $matrix = bt601 ] && echo smpte170m || { [ $matrix = bt2020 ] && echo bt2020nc || echo bt709; })
      from "${matrix}_$range.mp4" -vf "scale=out_color_matrix=$matrix:out_range=$range:flags=accurate_rnd+full_chroma_inp,format=yuv444p" \
        -c:v libx264 -crf 4 -colorspace $tag -color_range $range
    done
  done
  ;;
oddities)
  make sound.mp4 -f lavfi -i sine=duration=1 -c:a aac
  make large.avi -f lavfi -i color=size=8192x4320:rate=1:duration=1 -c:v mjpeg
  make trimmed.mp4 -ss 0.5 -i "$in" -c copy
  make uneven.mkv -i "$in" -vf "setpts='(0.04*N+0.4*gte(N,20))/TB'" -fps_mode vfr -c:v libx264 -bf 2
  make cover.mp4 -f lavfi -i sine=duration=1 -f lavfi -i color=size=64x64:duration=0.04 -c:a aac -c:v mjpeg -disposition:v:0 attached_pic
  make a.ts -i "$in" -c:v libx264
  make b.ts -i "$in" -vf scale=96:80 -c:v libx264
  cat "$out/a.ts" "$out/b.ts" >"$out/new_size.ts"
  ;;
esac

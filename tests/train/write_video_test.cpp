// Written videos: the same bytes again, the same pictures back, and no traces of who wrote them.
#include "train/data/write_video.h"

#include "tests/train/clips.h"
#include "train/data/video.h"

namespace dactyl {
namespace {

#ifdef DACTYL_FFMPEG
TEST(WriteVideo, EqualClipsGiveEqualBytes) {
  const TempFolder folder;
  const Image clip = numbered_clip(40);
  write_video(folder / "a.mp4", clip, 25);
  write_video(folder / "b.mp4", clip, 25);
  const ByteVector bytes = bytes_of(folder / "a.mp4");
  EXPECT_EQ(bytes, bytes_of(folder / "b.mp4"));
  const std::string text(bytes.begin(), bytes.end());
  for (const char* trace : {"x264", "Lavf", "Lavc"}) EXPECT_EQ(text.find(trace), text.npos) << trace;
}

TEST(WriteVideo, WhatIsReadIsWhatWasWritten) {
  const TempFolder folder;
  for (const auto& [height, width] : {std::pair{48, 64}, {47, 63}, {1, 8}, {2, 2}, {1, 1}}) {
    Image clip = blank_clip(30, height, width);
    for (int f = 0; f < clip.frames; ++f) paint(clip, f, 0, 0, height, width, {40 + 5 * f, 200 - 4 * f, 90});
    write_video(folder / "a.mp4", clip, 25, {.crf = 1});
    const Image back = read_video(folder / "a.mp4");
    ASSERT_EQ(back.frames, clip.frames);
    ASSERT_EQ(back.height, height);
    ASSERT_EQ(back.width, width);
    int worst = 0;
    for (std::size_t i = 0; i < clip.rgb.size(); ++i) worst = std::max(worst, std::abs(clip.rgb[i] - back.rgb[i]));
    EXPECT_LE(worst, 4) << height << " x " << width;  // limited range has fewer steps than RGB
  }
}

TEST(WriteVideo, RatesAndTimes) {
  const TempFolder folder;
  for (const double fps : {25.0, 29.97, 30000.0 / 1001, 12.5, 240.0}) {
    write_video(folder / "a.mp4", numbered_clip(48), fps);
    const VideoInfo info = probe_video(folder / "a.mp4");
    EXPECT_EQ(info.frames, 48);
    EXPECT_NEAR(info.fps, fps, 1e-3 * fps);
    EXPECT_NEAR(info.duration, 48 / fps, 1e-3);
  }
  const Times times = {0, 0.1, 0.15, 0.9, 1.0, 2.5};
  write_video(folder / "v.mp4", numbered_clip(6), 25, {.times = times});
  const VideoInfo info = probe_video(folder / "v.mp4");
  ASSERT_EQ(info.frames, 6);
  for (std::size_t i = 0; i < times.size(); ++i) EXPECT_NEAR(info.times[i], times[i], 1e-3);
}

TEST(WriteVideo, NothingIsLeftWhereItFails) {
  const TempFolder folder;
  EXPECT_NE(error_text(Exit::data, [&] { write_video((folder / "x") + "/no/where.mp4", numbered_clip(2), 25); }), "");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path));
}
#else
TEST(WriteVideo, WithoutFFmpegItSaysSo) {
  EXPECT_NE(error_text(Exit::usage, [] { write_video("a.mp4", numbered_clip(2), 25); }).find("no FFmpeg"),
            std::string::npos);
}
#endif

TEST(WriteVideo, NonsenseIsRefused) {
  const auto refusal = [](const Image& clip, double fps, const VideoOptions& options = {}) {
    return error_text(Exit::usage, [&] { write_video("never.mp4", clip, fps, options); });
  };
  const Image clip = numbered_clip(3);
  EXPECT_NE(refusal(Image{}, 25).find("is no video"), std::string::npos);
  EXPECT_NE(refusal(Image{48, 64, {}, 3}, 25).find("is no video"), std::string::npos);
  EXPECT_NE(refusal(clip, 0).find("frames per second"), std::string::npos);
  EXPECT_NE(refusal(clip, 25, {.crf = 52}).find("CRF"), std::string::npos);
  EXPECT_NE(refusal(clip, 25, {.times = {0, 1}}).find("2 times for 3 frames"), std::string::npos);
  EXPECT_NE(refusal(clip, 25, {.times = {0, 2, 2}}).find("do not ascend"), std::string::npos);
}

}  // namespace
}  // namespace dactyl

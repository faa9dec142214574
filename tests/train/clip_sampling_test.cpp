// Moments of a video: in range, repeatable, and exact where the video has as many frames as are asked for.
#include "train/data/clip_sampling.h"

#include <set>

#include "tests/train/pictures.h"

namespace dactyl {
namespace {

VideoInfo video_of(i64 frames, double fps) {
  VideoInfo info;
  info.frames = frames;
  info.fps = fps;
  info.duration = static_cast<double>(frames) / fps;
  for (i64 i = 0; i < frames; ++i) info.times.push_back(static_cast<double>(i) / fps);
  return info;
}

std::vector<i64> frames_of(const std::string& sampling, const VideoInfo& video, i64 epoch = 0, i64 sample = 0) {
  std::vector<i64> frames;
  for (const Times& times : sample_times(parse_sampling(sampling), video, 1, epoch, sample))
    for (const double t : times) frames.push_back(nearest_frame(video.times, t));
  return frames;
}

std::vector<i64> range(i64 first, i64 end) {
  std::vector<i64> list;
  for (i64 i = first; i < end; ++i) list.push_back(i);
  return list;
}

TEST(ClipSampling, UniformTakesTheMiddlesOfEqualParts) {
  for (const double fps : {25.0, 29.97, 30.0, 7.3})
    for (const i64 n : {1, 2, 20, 64, 301})
      EXPECT_EQ(frames_of("uniform=" + std::to_string(n), video_of(n, fps)), range(0, n)) << fps;
  EXPECT_EQ(frames_of("uniform=4", video_of(12, 25)), (std::vector<i64>{1, 4, 7, 10}));
  EXPECT_EQ(frames_of("uniform=6", video_of(3, 25)), (std::vector<i64>{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(frames_of("uniform", video_of(100, 25)).size(), 20u);
}

TEST(ClipSampling, SegmentsDrawOneMomentOfEachPart) {
  const VideoInfo video = video_of(100, 30);
  std::vector<std::set<i64>> seen(10);
  for (i64 epoch = 0; epoch < 200; ++epoch) {
    const auto frames = frames_of("segments=10", video, epoch);
    for (std::size_t k = 0; k < 10; ++k) seen[k].insert(frames[k]);
  }
  for (i64 k = 0; k < 10; ++k) {
    const auto part = range(10 * k, 10 * k + 10);
    EXPECT_EQ(seen[static_cast<std::size_t>(k)], std::set<i64>(part.begin(), part.end())) << k;
  }
}

TEST(ClipSampling, WindowsAreConsecutiveAndReachBothEnds) {
  const VideoInfo video = video_of(20, 25);
  std::set<i64> starts;
  for (i64 sample = 0; sample < 200; ++sample) {
    const auto frames = frames_of("window=16", video, 3, sample);
    EXPECT_EQ(frames, range(frames[0], frames[0] + 16));
    starts.insert(frames[0]);
  }
  EXPECT_EQ(starts, (std::set<i64>{0, 1, 2, 3, 4}));
}

TEST(ClipSampling, CentreAndOtherRates) {
  EXPECT_EQ(frames_of("centre=4", video_of(10, 25)), range(3, 7));
  EXPECT_EQ(frames_of("centre=5@25", video_of(20, 50)), (std::vector<i64>{4, 6, 8, 10, 12}));
  EXPECT_EQ(frames_of("centre=4@50", video_of(10, 25)).size(), 4u);
}

TEST(ClipSampling, ShortVideosHoldTheirLastFrame) {
  for (const char* kind : {"centre", "window", "dense"})
    EXPECT_EQ(frames_of(std::string(kind) + "=5", video_of(3, 25)), (std::vector<i64>{0, 1, 2, 2, 2})) << kind;
}

TEST(ClipSampling, DenseCoversEverything) {
  EXPECT_EQ(frames_of("dense=4", video_of(12, 25)), range(0, 12));
  EXPECT_EQ(frames_of("dense=4/3", video_of(8, 25)), (std::vector<i64>{0, 1, 2, 3, 3, 4, 5, 6, 4, 5, 6, 7}));
  EXPECT_EQ(frames_of("dense=4", video_of(10, 25)), (std::vector<i64>{0, 1, 2, 3, 4, 5, 6, 7, 6, 7, 8, 9}));
}

TEST(ClipSampling, DependsOnSeedEpochAndSampleAlone) {
  const VideoInfo video = video_of(300, 25);
  for (const char* kind : {"segments=20", "window=64"}) {
    const ClipSampling s = parse_sampling(kind);
    EXPECT_EQ(sample_times(s, video, 1, 2, 3), sample_times(s, video, 1, 2, 3));
    EXPECT_NE(sample_times(s, video, 1, 2, 3), sample_times(s, video, 2, 2, 3));
    EXPECT_NE(sample_times(s, video, 1, 2, 3), sample_times(s, video, 1, 3, 3));
    EXPECT_NE(sample_times(s, video, 1, 2, 3), sample_times(s, video, 1, 2, 4));
  }
}

TEST(ClipSampling, Words) {
  for (const char* text : {"uniform=20", "segments=8", "window=64@25", "centre=64", "dense=64@12.5/32"})
    EXPECT_EQ(to_text(parse_sampling(text)), text);
  EXPECT_EQ(to_text(parse_sampling("uniform")), "uniform=20");
  for (const char* text : {"", "all", "uniform=", "uniform=0", "uniform=-3", "uniform=20@25", "window=8/2", "window=8@",
                           "dense=8/0", "window=8@25x", "window=99999999999"})
    EXPECT_NE(error_text(Exit::usage, [&] { parse_sampling(text); }).find("examples"), std::string::npos) << text;
}

}  // namespace
}  // namespace dactyl

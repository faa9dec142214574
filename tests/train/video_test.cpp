// Frames by time: the right one, whatever the rate, the rotation and the order in the file.
#include "train/data/video.h"

#include <cstdlib>
#include <cstring>
#include <thread>

#include "tests/train/clips.h"
#include "train/data/write_video.h"

#ifdef DACTYL_FFMPEG
namespace dactyl {
namespace {

// The display matrix of the first track of an MP4, in its header 'tkhd'.
void turn(const std::string& path, std::array<int, 4> abcd) {
  ByteVector bytes = bytes_of(path);
  const std::string text(bytes.begin(), bytes.end());
  const std::size_t at = text.find("tkhd") + 4 + 40;
  const std::size_t places[] = {0, 4, 12, 16};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto value = static_cast<std::uint32_t>(abcd[i] * 65536);
    for (std::size_t b = 0; b < 4; ++b) bytes[at + places[i] + b] = static_cast<std::uint8_t>(value >> (24 - 8 * b));
  }
  write_bytes(path, bytes);
}

TEST(Video, EveryFrameInOrder) {
  const TempFolder folder;
  write_video(folder / "a.mp4", numbered_clip(100), 25);  // with B-frames and four key frames
  const Image clip = read_video(folder / "a.mp4");
  ASSERT_EQ(clip.frames, 100);
  for (int f = 0; f < 100; ++f) EXPECT_EQ(number_on(clip, f), f);
}

TEST(Video, TheNearestFrameOfAConstantRate) {
  const TempFolder folder;
  write_video(folder / "a.mp4", numbered_clip(50), 25);
  EXPECT_EQ(numbers_on(read_clip(folder / "a.mp4", {-1, 0, 0.019, 0.021, 0.04, 0.98, 1.96, 1.99, 100})),
            (std::vector<int>{0, 0, 0, 1, 1, 24, 49, 49, 49}));
}

TEST(Video, TheNearestFrameOfAVariableRate) {
  const TempFolder folder;
  Times times;
  for (int i = 0; i < 60; ++i) times.push_back(i == 0 ? 0 : times.back() + 0.01 + 0.05 * (i * 7 % 10) / 10 + (i == 30));
  write_video(folder / "a.mp4", numbered_clip(60), 25, {.times = times});
  Times wanted;
  std::vector<int> expected;
  for (double t = 0; t < times.back(); t += 0.0137) {
    wanted.push_back(t);
    expected.push_back(static_cast<int>(nearest_frame(times, t)));
  }
  EXPECT_EQ(numbers_on(read_clip(folder / "a.mp4", wanted)), expected);
}

TEST(Video, SeveralClipsFromOnePass) {
  const TempFolder folder;
  write_video(folder / "a.mp4", numbered_clip(60), 30);
  const auto clips = read_clips(folder / "a.mp4", {{1.5, 1.5, 1.9}, {0}, {0.1, 1.5}});
  ASSERT_EQ(clips.size(), 3u);
  EXPECT_EQ(numbers_on(clips[0]), (std::vector<int>{45, 45, 57}));
  EXPECT_EQ(numbers_on(clips[1]), (std::vector<int>{0}));
  EXPECT_EQ(numbers_on(clips[2]), (std::vector<int>{3, 45}));
  EXPECT_TRUE(read_clips(folder / "a.mp4", {}).empty());
  EXPECT_EQ(read_clips(folder / "a.mp4", {{}})[0].frames, 0);
}

TEST(Video, NearestIsTheEarlierOfTwo) {
  const Times frames = {0, 1, 3};
  EXPECT_EQ(nearest_frame(frames, 0.5), 0);
  EXPECT_EQ(nearest_frame(frames, 2), 1);
  EXPECT_EQ(nearest_frame(frames, 2.001), 2);
  EXPECT_THROW(nearest_frame(frames, std::nan("")), Error);
  EXPECT_THROW(nearest_frame({}, 0), Error);
}

TEST(Video, StandsUpright) {
  const TempFolder folder;
  const Image upright = cornered_clip(3);
  const std::string path = folder / "a.mp4";
  // What a viewer sees of r g / b w after each rotation and mirroring; EXIF's numbers.
  const std::tuple<std::array<int, 4>, int, std::string> cases[] = {
      {{1, 0, 0, 1}, 1, "rgbw"}, {{-1, 0, 0, 1}, 2, "grwb"}, {{-1, 0, 0, -1}, 3, "wbgr"}, {{1, 0, 0, -1}, 4, "bwrg"},
      {{0, 1, 1, 0}, 5, "rbgw"}, {{0, 1, -1, 0}, 6, "brwg"}, {{0, -1, -1, 0}, 7, "wgbr"}, {{0, -1, 1, 0}, 8, "gwrb"}};
  for (const auto& [matrix, orientation, seen] : cases) {
    write_video(path, upright, 25);
    turn(path, matrix);
    const VideoInfo info = probe_video(path);
    EXPECT_EQ(info.orientation, orientation);
    EXPECT_EQ(info.width, orientation >= 5 ? 48 : 64);
    const Image clip = read_video(path);
    EXPECT_EQ(clip.width, info.width);
    EXPECT_EQ(clip.height, info.height);
    EXPECT_EQ(corners_on(clip, 2), seen) << orientation;
  }
}

TEST(Video, ManyThreadsReadTheSame) {
  const TempFolder folder;
  write_video(folder / "a.mp4", numbered_clip(30), 25);
  const Image alone = read_video(folder / "a.mp4");
  std::vector<Image> clips(4);
  std::vector<std::thread> threads;
  for (Image& clip : clips) threads.emplace_back([&] { clip = read_video(folder / "a.mp4"); });
  for (std::thread& thread : threads) thread.join();
  for (const Image& clip : clips) EXPECT_EQ(clip.rgb, alone.rgb);
}

TEST(Video, RealFootage) {
  const char* data = std::getenv("DACTYL_DATA");
  const std::filesystem::path root =
      data ? std::filesystem::path(data) : std::filesystem::path(__FILE__).parent_path() / "../../../shared/data";
  const std::string path = (root / "asl-clips/jack/A/1.mp4").lexically_normal().string();
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
  const VideoInfo info = probe_video(path);
  EXPECT_EQ(info.frames, 32);
  EXPECT_NEAR(info.fps, 25, 1e-9);
  EXPECT_NEAR(info.duration, 1.28, 1e-9);
  const Image all = read_video(path), some = read_clip(path, {0.4, 1.24});
  EXPECT_EQ(all.height, 200);
  EXPECT_EQ(0, std::memcmp(some.frame(0), all.frame(10), all.frame_bytes()));
  EXPECT_EQ(0, std::memcmp(some.frame(1), all.frame(31), all.frame_bytes()));
}

}  // namespace
}  // namespace dactyl
#else
TEST(Video, WithoutFFmpegItSaysSo) {
  EXPECT_NE(dactyl::error_text(dactyl::Exit::usage, [] { dactyl::probe_video("a.mp4"); }).find("no FFmpeg"),
            std::string::npos);
}
#endif

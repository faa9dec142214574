// Videos as other programs make them: containers, codecs, pixel formats, colours. Made by tests/data/make_videos.sh,
// which needs the program ffmpeg.
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "tests/train/clips.h"
#include "train/data/video.h"
#include "train/data/write_video.h"

#ifdef DACTYL_FFMPEG
namespace dactyl {
namespace {

namespace fs = std::filesystem;

// False where there is no ffmpeg.
bool make_videos(const std::string& what, const std::string& from, const fs::path& to) {
  fs::create_directories(to);
  const auto script = fs::path(__FILE__).parent_path() / "../data/make_videos.sh";
  const int code = std::system(("bash " + script.string() + " " + what + " " + from + " " + to.string()).c_str());
  return WEXITSTATUS(code) != 77;
}

constexpr const char* no_ffmpeg = "the program ffmpeg is not here";

std::vector<int> range(int first, int end) {
  std::vector<int> list(static_cast<std::size_t>(end - first));
  std::iota(list.begin(), list.end(), first);
  return list;
}

TEST(VideoFormats, EveryFrameOfEveryFormat) {
  const TempFolder folder;
  write_video(folder / "in.mp4", numbered_clip(40, 64, 96), 25, {.crf = 4});
  if (!make_videos("formats", folder / "in.mp4", folder.path / "out")) GTEST_SKIP() << no_ffmpeg;
  int read = 0;
  for (const auto& entry : fs::directory_iterator(folder.path / "out")) {
    const std::string path = entry.path().string();
    SCOPED_TRACE(entry.path().filename().string());
    const VideoInfo info = probe_video(path);
    EXPECT_EQ(info.frames, 40);
    EXPECT_EQ(info.height, 64);
    EXPECT_EQ(info.width, 96);
    for (int i = 0; i < 40; ++i) EXPECT_NEAR(info.times[static_cast<std::size_t>(i)], 0.04 * i, 0.0011);
    EXPECT_EQ(numbers_on(read_video(path)), range(0, 40));
    EXPECT_EQ(numbers_on(read_clip(path, {0.2, 0.61, 1.56})), (std::vector<int>{5, 15, 39}));
    EXPECT_EQ(check_video(path).frames, 40);
    ++read;
  }
  RecordProperty("formats", read);
  EXPECT_GE(read, 10);
}

TEST(VideoFormats, ColoursAreThoseTheFileMeans) {
  const TempFolder folder;
  Image clip = blank_clip(4, 64, 64);
  for (int f = 0; f < 4; ++f)
    for (int i = 0; i < 64; ++i)
      paint(clip, f, i / 8 * 8, i % 8 * 8, i / 8 * 8 + 8, i % 8 * 8 + 8, {i % 4 * 80, i / 4 % 4 * 80, i / 16 * 80});
  // An odd side, so that it is written with colours at full size.
  Image padded = blank_clip(4, 65, 65);
  for (int f = 0; f < 4; ++f)
    for (int y = 0; y < 64; ++y) std::memcpy(padded.frame(f) + 3 * 65 * y, clip.frame(f) + 3 * 64 * y, 3 * 64);
  write_video(folder / "in.mp4", padded, 25, {.crf = 1});
  if (!make_videos("colours", folder / "in.mp4", folder.path / "out")) GTEST_SKIP() << no_ffmpeg;
  int read = 0;
  for (const auto& entry : fs::directory_iterator(folder.path / "out")) {
    const Image back = read_video(entry.path());
    int worst = 0;
    for (int i = 0; i < 64; ++i) {
      const std::size_t at = 3 * static_cast<std::size_t>((i / 8 * 8 + 4) * 65 + i % 8 * 8 + 4);
      for (std::size_t c = 0; c < 3; ++c)
        worst = std::max(worst, std::abs(back.frame(2)[at + c] - padded.frame(2)[at + c]));
    }
    EXPECT_LE(worst, 6) << entry.path();  // the wrong matrix or range is off by 20 and more
    ++read;
  }
  EXPECT_EQ(read, 6);
}

TEST(VideoFormats, Oddities) {
  const TempFolder folder;
  const std::string in = folder / "in.mp4";
  write_video(in, numbered_clip(50, 64, 96), 25, {.crf = 4});
  if (!make_videos("oddities", in, folder.path / "out")) GTEST_SKIP() << no_ffmpeg;
  const auto refusal = [&](const char* name) {
    return error_text(Exit::data, [&] { check_video(folder / (std::string("out/") + name)); });
  };
  EXPECT_NE(refusal("sound.mp4").find("has no video, only sound"), std::string::npos) << refusal("sound.mp4");
  EXPECT_NE(refusal("cover.mp4").find("has no video, only sound"), std::string::npos) << refusal("cover.mp4");
  EXPECT_NE(refusal("large.avi").find("8192 x 4320 is too large"), std::string::npos) << refusal("large.avi");
  const std::string resized = error_text(Exit::data, [&] { read_video(folder / "out/new_size.ts"); });
  EXPECT_NE(resized.find("change from 96 x 64 to 96 x 80"), std::string::npos) << resized;

  const std::vector<int> trimmed = numbers_on(read_video(folder / "out/trimmed.mp4"));
  EXPECT_NEAR(trimmed.front(), 12.5, 0.6);  // an edit list hides the frames since the key frame
  EXPECT_EQ(trimmed, range(trimmed.front(), 50));

  const VideoInfo uneven = probe_video(folder / "out/uneven.mkv");
  ASSERT_EQ(uneven.frames, 50);
  for (int i = 0; i < 50; ++i)
    EXPECT_NEAR(uneven.times[static_cast<std::size_t>(i)], 0.04 * i + 0.4 * (i >= 20), 0.0011);
  EXPECT_EQ(numbers_on(read_clip(folder / "out/uneven.mkv", {0.76, 0.9, 1.1, 1.24})),
            (std::vector<int>{19, 19, 20, 21}));
}

// Recorded from the middle of a broadcast: what comes before the first key frame cannot be shown and is no frame.
TEST(VideoFormats, AStreamWithoutItsStart) {
  const TempFolder folder;
  write_video(folder / "in.mp4", numbered_clip(50, 64, 96), 25, {.crf = 4});
  if (!make_videos("formats", folder / "in.mp4", folder.path / "out")) GTEST_SKIP() << no_ffmpeg;
  ByteVector bytes = bytes_of(folder / "out/h264.ts");
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 188 / 3 * 188));
  write_bytes(folder / "late.ts", bytes);
  const std::vector<int> numbers = numbers_on(read_video(folder / "late.ts"));
  EXPECT_GT(numbers.front(), 0);
  EXPECT_EQ(numbers, range(numbers.front(), 50));
}

}  // namespace
}  // namespace dactyl
#endif

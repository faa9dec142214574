// Bad videos: each is refused in one line that says what is wrong, or is read as documented.
#include <sys/stat.h>

#include <cstring>

#include "engine/random.h"
#include "tests/train/clips.h"
#include "train/data/video.h"
#include "train/data/write_video.h"

#ifdef DACTYL_FFMPEG
namespace dactyl {
namespace {

std::string refusal(const std::string& path, const VideoLimits& limits = {}) {
  const std::string text = error_text(Exit::data, [&] { check_video(path, limits); });
  EXPECT_TRUE(text.empty() || text.starts_with(path + ": ")) << text;
  EXPECT_EQ(text.find('\n'), text.npos) << text;
  return text;
}

void expect_refusal(const std::string& path, const std::string& part, const VideoLimits& limits = {}) {
  EXPECT_NE(refusal(path, limits).find(part), std::string::npos) << refusal(path, limits);
}

std::string a_video(const TempFolder& folder, int frames = 60) {
  write_video(folder / "a.mp4", numbered_clip(frames), 25);
  return folder / "a.mp4";
}

std::size_t find(const ByteVector& bytes, const std::string& mark) {
  return std::string(bytes.begin(), bytes.end()).find(mark);
}

// Where the units of an MP4's only stream begin, each with its length in four bytes.
std::vector<std::size_t> units(const ByteVector& bytes) {
  const std::size_t mark = find(bytes, "mdat");
  std::size_t end = 0;
  for (std::size_t b = 0; b < 4; ++b) end = end << 8 | bytes[mark - 4 + b];
  std::vector<std::size_t> places;
  for (std::size_t at = mark + 4; at < mark - 4 + end;) {
    places.push_back(at);
    std::size_t length = 0;
    for (std::size_t b = 0; b < 4; ++b) length = length << 8 | bytes[at + b];
    at += 4 + length;
  }
  return places;
}

TEST(VideoFaults, WhatIsNoFile) {
  const TempFolder folder;
  std::filesystem::create_directory(folder.path / "d.mp4");
  ASSERT_EQ(mkfifo((folder / "p.mp4").c_str(), 0600), 0);
  std::filesystem::create_symlink("loop.mp4", folder.path / "loop.mp4");
  write_text(folder / "e.mp4", "");
  expect_refusal(folder / "none.mp4", "cannot be opened: No such file");
  expect_refusal(folder / "d.mp4", "is a directory, not a video");
  expect_refusal(folder / "p.mp4", "is not a regular file");  // and does not hang
  expect_refusal(folder / "loop.mp4", "cannot be opened");
  expect_refusal(folder / "e.mp4", "is empty");
  expect_refusal(a_video(folder), "the limit is 100", {.file_bytes = 100});
}

TEST(VideoFaults, WhatIsNoVideo) {
  const TempFolder folder;
  const auto with = [&](const std::string& content, const std::string& part) {
    write_text(folder / "x.mp4", content);
    expect_refusal(folder / "x.mp4", part);
  };
  with("just words", "is no video known here; MP4");
  with("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "looks like a playlist");
  with("ffconcat version 1.0\nfile /etc/passwd\n", "looks like a list of files");
  with("[playlist]\nFile1=/etc/passwd\n", "looks like a playlist");
  with("v=0\no=- 0 0 IN IP4 127.0.0.1\n", "looks like a description of a network stream");
  with("<?xml version=\"1.0\"?><MPD/>", "looks like SVG or other XML");
  write_png(folder / "x.mp4", plain_picture(8, 8, 3));
  expect_refusal(folder / "x.mp4", "looks like PNG");
  write_jpeg(folder / "x.mp4", plain_picture(8, 8, 3));
  expect_refusal(folder / "x.mp4", "looks like JPEG");
}

TEST(VideoFaults, CutAnywhere) {
  const TempFolder folder;
  const ByteVector whole = bytes_of(a_video(folder, 30));
  for (std::size_t n = 1; n < whole.size(); n += 1 + whole.size() / 150) {
    write_bytes(folder / "c.mp4", head(whole, n));
    EXPECT_NE(refusal(folder / "c.mp4"), "") << n << " of " << whole.size();
  }
}

TEST(VideoFaults, OnlySound) {
  const TempFolder folder;
  ByteVector bytes = bytes_of(a_video(folder));
  std::memcpy(&bytes[find(bytes, "vide")], "soun", 4);
  write_bytes(folder / "s.mp4", bytes);
  expect_refusal(folder / "s.mp4", "has no video");
}

TEST(VideoFaults, HeaderOf8K) {
  const TempFolder folder;
  ByteVector bytes = bytes_of(a_video(folder));
  std::size_t entry = std::string(bytes.begin(), bytes.end()).rfind("avc1") + 4 + 24;
  for (const int v : {0x20, 0x00, 0x10, 0xE0}) bytes[entry++] = static_cast<std::uint8_t>(v);  // 8192 x 4320
  write_bytes(folder / "k.mp4", bytes);
  expect_refusal(folder / "k.mp4", "8192 x 4320 is too large, the limit is 4096 per side");
  expect_refusal(a_video(folder), "64 x 48 is too large, the limit is 50", {.side = 50});
}

TEST(VideoFaults, OtherLimits) {
  const TempFolder folder;
  const std::string path = a_video(folder, 30);
  expect_refusal(path, "more than 20 frames", {.frames = 20});
  expect_refusal(path, "was not read within 0 s", {.seconds = 0});
  EXPECT_NE(error_text(Exit::data, [&] { read_video(path, {.clip_bytes = 1000}); }).find("need more than 1000 bytes"),
            std::string::npos);
}

TEST(VideoFaults, OneByOne) {
  const TempFolder folder;
  write_video(folder / "a.mp4", blank_clip(5, 1, 1), 25);
  EXPECT_EQ(read_video(folder / "a.mp4").rgb.size(), 15u);
}

// A frame whose length field is wrong: its group of frames is refused, the ones around it are read.
TEST(VideoFaults, DamagedInTheMiddle) {
  const TempFolder folder;
  const std::string path = a_video(folder, 100);  // key frames at least every 25
  const ByteVector whole = bytes_of(path);
  const std::vector<std::size_t> places = units(whole);
  ASSERT_EQ(places.size(), 100u);
  ByteVector bytes = whole;
  for (std::size_t b = 0; b < 3; ++b) bytes[places[60] + b] = 0x7F;
  write_bytes(folder / "m.mp4", bytes);
  expect_refusal(folder / "m.mp4", "damaged at frame ");
  expect_refusal(folder / "m.mp4", "packet 60: ");
  EXPECT_EQ(numbers_on(read_clip(folder / "m.mp4", {0, 0.4, 3.8})), (std::vector<int>{0, 10, 95}));
  EXPECT_EQ(probe_video(folder / "m.mp4").frames, 100);
}

// Whatever happens to the pictures' bytes, a frame that is returned is the right one or was damaged beyond notice:
// H.264 has no checksum. What must not happen is a neighbour in its place, which the bands of its number would show.
TEST(VideoFaults, DamagedAnywhere) {
  const TempFolder folder;
  const std::string path = a_video(folder, 40);
  const ByteVector whole = bytes_of(path);
  const std::vector<std::size_t> places = units(whole);
  int refused = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    ByteVector bytes = whole;
    const std::size_t end = i + 1 < places.size() ? places[i + 1] : find(whole, "moov") - 4;
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(places[i]), bytes.begin() + static_cast<std::ptrdiff_t>(end),
              0);
    write_bytes(folder / "m.mp4", bytes);
    refused += !refusal(folder / "m.mp4").empty();
  }
  EXPECT_EQ(refused, static_cast<int>(places.size()));  // a frame that is gone is always noticed
}

// Bytes changed at random, headers included: a sentence or frames, never a crash. The sanitizer build looks on.
TEST(VideoFaults, ChangedAtRandom) {
  const TempFolder folder;
  const ByteVector whole = bytes_of(a_video(folder, 12));
  int refused = 0;
  for (std::uint32_t round = 0; round < 400; ++round) {
    ByteVector bytes = whole;
    Sequence random(7, round);
    for (i64 changes = 1 + random.below(6); changes > 0; --changes)
      bytes[static_cast<std::size_t>(random.below(static_cast<i64>(bytes.size())))] =
          static_cast<std::uint8_t>(random.below(256));
    write_bytes(folder / "r.mp4", bytes);
    const std::string text = error_text(Exit::data, [&] {
      const Image clip = read_video(folder / "r.mp4", {.seconds = 30});
      EXPECT_EQ(clip.rgb.size(), static_cast<std::size_t>(clip.frames) * clip.frame_bytes());
    });
    EXPECT_EQ(text.find('\n'), text.npos) << text;
    refused += !text.empty();
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace dactyl
#endif

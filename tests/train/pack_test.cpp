// The packed store: the same bytes as from the videos, and no damage unnoticed.
#include "train/data/pack.h"

#include <cstring>

#include "tests/train/clips.h"
#include "train/data/write_video.h"

namespace dactyl {
namespace {

// Folders of pictures, so that packs are tested where there is no FFmpeg as well.
void write_frames(const TempFolder& folder, const std::string& place, const Image& clip) {
  for (int f = 0; f < clip.frames; ++f)
    write_png(folder / (place + "/" + std::to_string(100 + f) + ".png"), frame_of(clip, f));
}

std::string a_pack(const TempFolder& folder) {
  write_frames(folder, "data/a/one", numbered_clip(6));
  write_frames(folder, "data/a/two", numbered_clip(3, 64, 48, 9));
  write_frames(folder, "data/b/three", cornered_clip(4));
  write_pack(folder / "x.pack", *open_clips(folder / "data"), {.side = 40});
  return folder / "x.pack";
}

void expect_same(std::shared_ptr<const ClipSource> source, const ClipSource& pack, int side) {
  const auto direct = with_short_side(source, side);
  ASSERT_EQ(pack.size(), direct->size());
  EXPECT_EQ(pack.labels(), direct->labels());
  for (i64 i = 0; i < pack.size(); ++i) {
    EXPECT_EQ(pack.name(i), direct->name(i));
    EXPECT_EQ(pack.label(i), direct->label(i));
    EXPECT_EQ(pack.files(i), direct->files(i));
    const VideoInfo a = pack.info(i), b = direct->info(i);
    EXPECT_EQ(a.times, b.times);
    EXPECT_EQ(a.duration, b.duration);
    EXPECT_EQ(a.fps, b.fps);
    EXPECT_EQ(std::pair(a.height, a.width), std::pair(b.height, b.width));
    EXPECT_EQ(pack.all_frames(i).rgb, direct->all_frames(i).rgb);
    const Times times = {0.03, 0.05, 0.11, 9};
    EXPECT_EQ(pack.clip(i, times).rgb, direct->clip(i, times).rgb);
  }
}

TEST(Pack, GivesTheSameBytesAsItsSource) {
  const TempFolder folder;
  const std::string path = a_pack(folder);
  EXPECT_TRUE(is_pack(path));
  EXPECT_TRUE(holds_videos(path));
  expect_same(open_clips(folder / "data"), *open_clips(path), 40);
  EXPECT_EQ(open_clips(path, {"b", "a"})->label(0), 1);
}

TEST(Pack, SameBytesForAnyNumberOfThreads) {
  const TempFolder folder;
  const ByteVector bytes = bytes_of(a_pack(folder));
  for (const int threads : {1, 3}) {
    write_pack(folder / "y.pack", *open_clips(folder / "data"), {.side = 40, .threads = threads});
    EXPECT_EQ(bytes_of(folder / "y.pack"), bytes);
  }
}

TEST(Pack, BadSamplesAreLeftOutAndNamed) {
  const TempFolder folder;
  a_pack(folder);
  write_text(folder / "data/b/three/999.png", "no picture");
  const PackReport report = write_pack(folder / "y.pack", *open_clips(folder / "data"), {.side = 40});
  EXPECT_EQ(report.samples, 2);
  EXPECT_EQ(report.frames, 9);
  ASSERT_EQ(report.bad.size(), 1u);
  EXPECT_NE(report.bad[0].find("999.png: neither JPEG nor PNG"), std::string::npos);
  EXPECT_EQ(report.bytes, static_cast<i64>(std::filesystem::file_size(folder / "y.pack")));
  std::filesystem::remove_all(folder / "data/a");
  EXPECT_NE(error_text(Exit::data, [&] { write_pack(folder / "z.pack", *open_clips(folder / "data"), {}); })
                .find("none of the 1 samples is good"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder / "z.pack"));
  EXPECT_FALSE(std::filesystem::exists(folder / "z.pack.part"));
}

TEST(Pack, EveryFlippedBitIsNoticed) {
  const TempFolder folder;
  const std::string path = a_pack(folder);
  const ByteVector whole = bytes_of(path);
  for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 400) {
    ByteVector bytes = whole;
    bytes[at] ^= static_cast<std::uint8_t>(1u << at % 8);
    write_bytes(folder / "y.pack", bytes);
    const std::string text = error_text(Exit::data, [&] {
      const auto pack = open_pack(folder / "y.pack");
      for (i64 i = 0; i < pack->size(); ++i) pack->check_sample(i);
    });
    EXPECT_NE(text.find("y.pack: "), std::string::npos) << "byte " << at << " of " << whole.size();
  }
}

TEST(Pack, CutAnywhere) {
  const TempFolder folder;
  const ByteVector whole = bytes_of(a_pack(folder));
  for (std::size_t n = 0; n < whole.size(); n += 1 + whole.size() / 100) {
    write_bytes(folder / "y.pack", head(whole, n));
    EXPECT_NE(error_text(Exit::data, [&] { open_pack(folder / "y.pack"); }), "") << n;
  }
}

TEST(Pack, AChangedSourceIsNamed) {
  const TempFolder folder;
  const std::string path = a_pack(folder);
  EXPECT_TRUE(changed_sources(path).empty());
  write_png(folder / "data/a/one/103.png", plain_picture(48, 64, 3));
  std::filesystem::remove(folder / "data/b/three/101.png");
  const auto changed = changed_sources(path);
  ASSERT_EQ(changed.size(), 2u);
  EXPECT_NE(changed[0].find("one/103.png: is not what was packed"), std::string::npos);
  EXPECT_NE(changed[1].find("three/101.png: cannot be opened"), std::string::npos);
}

#ifdef DACTYL_FFMPEG
TEST(Pack, FromVideosAndParts) {
  const TempFolder folder;
  Times uneven;
  for (int i = 0; i < 40; ++i) uneven.push_back(0.04 * i + 0.002 * (i % 5));
  write_video(folder / "u.mp4", numbered_clip(40), 25, {.times = uneven});
  write_video(folder / "v.mp4", cornered_clip(30, 80, 60), 30);
  write_text(folder / "a.csv", "path,label,start,end\nu.mp4,x,0.3,0.9\nu.mp4,y,1,\nv.mp4,x,,\n");
  write_pack(folder / "x.pack", *open_clips(folder / "a.csv"), {.side = 64});
  expect_same(open_clips(folder / "a.csv"), *open_pack(folder / "x.pack"), 64);
}
#endif

}  // namespace
}  // namespace dactyl

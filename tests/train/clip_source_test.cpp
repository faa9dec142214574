// Sources of clips: folders, tables with times, folders of pictures; filters, splits, sizes.
#include "train/data/clip_source.h"

#include <cstring>

#include "tests/train/clips.h"
#include "train/data/source.h"
#include "train/data/write_video.h"

namespace dactyl {
namespace {

void write_frames(const std::string& folder, const Image& clip) {
  for (int f = 0; f < clip.frames; ++f) write_png(folder + "/" + std::to_string(100 + f) + ".png", frame_of(clip, f));
}

std::vector<std::string> described(const ClipSource& source, const std::filesystem::path& root) {
  std::vector<std::string> list;
  for (i64 i = 0; i < source.size(); ++i)
    list.push_back(std::filesystem::path(source.name(i)).lexically_relative(root).string() + ":" +
                   source.labels()[static_cast<std::size_t>(source.label(i))]);
  return list;
}

std::string refusal(const std::string& path, Exit exit = Exit::data) {
  return error_text(exit, [&] { open_clips(path); });
}

TEST(ClipSource, FolderPerClass) {
  const TempFolder folder;
  for (const char* name : {"10/b.mp4", "10/a.MOV", "9/x.webm", "9/notes.txt", "9/.hidden.mp4", "9/picture.jpg"})
    write_text(folder / name, "x");
  const auto source = open_clips(folder.path);
  EXPECT_EQ(source->labels(), (std::vector<std::string>{"9", "10"}));
  EXPECT_EQ(described(*source, folder.path), (std::vector<std::string>{"10/a.MOV:10", "10/b.mp4:10", "9/x.webm:9"}));
  EXPECT_TRUE(holds_videos(folder.path));
}

TEST(ClipSource, FoldersOfFrames) {
  const TempFolder folder;
  write_text(folder / "sit/one/x", "");
  write_text(folder / "run/two/x", "");
  write_frames(folder / "sit/one", numbered_clip(10));
  write_frames(folder / "run/two", numbered_clip(4, 48, 64, 7));
  const auto source = open_clips(folder.path, {}, 10);
  EXPECT_EQ(described(*source, folder.path), (std::vector<std::string>{"run/two:run", "sit/one:sit"}));
  EXPECT_FALSE(holds_videos(folder.path));
  write_text(folder / "sit/stray.mp4", "");
  EXPECT_EQ(open_clips(folder.path, {}, 10, true)->size(), 2);
  const VideoInfo info = source->info(1);
  EXPECT_EQ(info.frames, 10);
  EXPECT_NEAR(info.duration, 1, 1e-12);
  EXPECT_EQ(numbers_on(source->clip(1, {0, 0.34, 0.36, 5})), (std::vector<int>{0, 3, 4, 9}));
  EXPECT_EQ(numbers_on(source->all_frames(0)), (std::vector<int>{7, 8, 9, 10}));
  write_png(folder / "run/two/999.png", plain_picture(5, 5, 1));
  EXPECT_NE(error_text(Exit::data, [&] { source->check_sample(0); }).find("999.png: 5 x 5 among frames of 48 x 64"),
            std::string::npos);
}

TEST(ClipSource, EmptyPlacesAndBadTables) {
  const TempFolder folder;
  EXPECT_NE(refusal(folder / "nowhere").find("no such folder"), std::string::npos);
  EXPECT_NE(refusal(folder.path).find("no clip found"), std::string::npos);
  const auto with = [&](const std::string& rows) {
    write_text(folder / "a.csv", "path,label,start,end\n" + rows);
    return refusal(folder / "a.csv");
  };
  EXPECT_NE(with("a.mp4,x,one,2\n").find("\"one\" in column \"start\""), std::string::npos);
  EXPECT_NE(with("a.mp4,x,-1,2\n").find("\"-1\""), std::string::npos);
  EXPECT_NE(with("a.mp4,x,,\na.mp4,x,2,1\n").find("sample 2: ends at 1 s"), std::string::npos);
}

TEST(ClipSource, FrequentClasses) {
  const TempFolder folder;
  for (const auto& [label, count] : {std::pair{"a", 3}, {"b", 1}, {"c", 5}, {"d", 3}})
    for (int i = 0; i < count; ++i) write_text(folder / (std::string(label) + "/" + std::to_string(i) + ".mp4"), "x");
  const std::shared_ptr<const ClipSource> all = open_clips(folder.path);
  EXPECT_EQ(frequent_labels(*all, 3, 0), (std::vector<std::string>{"a", "c", "d"}));
  EXPECT_EQ(frequent_labels(*all, 1, 2), (std::vector<std::string>{"a", "c"}));
  EXPECT_NE(error_text(Exit::data, [&] { frequent_labels(*all, 6, 0); }).find("no class has 6 samples"),
            std::string::npos);
  const auto some = only_classes(all, {"c", "d"});
  EXPECT_EQ(some->labels(), (std::vector<std::string>{"c", "d"}));
  EXPECT_EQ(some->class_counts(), (std::vector<i64>{5, 3}));
  EXPECT_EQ(some->name(0), folder / "c/0.mp4");
  const Split split = split_by_share(*all, 0.5, 1);
  EXPECT_EQ(split.train.size() + split.test.size(), 12u);
}

#ifdef DACTYL_FFMPEG
TEST(ClipSource, WordsCutOutOfSentences) {
  const TempFolder folder;
  write_video(folder / "s.mp4", numbered_clip(100), 25);
  write_text(folder / "a.csv",
             "path,label,start,end\ns.mp4,late,2,3\ns.mp4,early,0.4,0.72\ns.mp4,whole,,\ns.mp4,tail,3.9,\n"
             "s.mp4,instant,1.01,1.02\ns.mp4,gone,7,8\n");
  const auto source = open_clips(folder / "a.csv");
  std::map<std::string, i64> at;
  for (i64 i = 0; i < source->size(); ++i) at[source->labels()[static_cast<std::size_t>(source->label(i))]] = i;
  const auto all_of = [&](const char* label) { return numbers_on(source->all_frames(at[label])); };
  EXPECT_EQ(all_of("early"), (std::vector<int>{10, 11, 12, 13, 14, 15, 16, 17}));
  EXPECT_EQ(all_of("late").size(), 25u);
  EXPECT_EQ(all_of("whole").size(), 100u);
  EXPECT_EQ(all_of("tail"), (std::vector<int>{98, 99}));
  EXPECT_EQ(all_of("instant"), (std::vector<int>{25}));
  const VideoInfo info = source->info(at["early"]);
  EXPECT_NEAR(info.duration, 0.32, 1e-9);
  EXPECT_NEAR(info.times[1], 0.04, 1e-9);
  // Past the word's end its own last frame is held, not what is signed next.
  EXPECT_EQ(numbers_on(source->clip(at["early"], {-1, 0.04, 9})), (std::vector<int>{10, 11, 17}));
  EXPECT_NE(error_text(Exit::data, [&] { source->info(at["gone"]); }).find("a part from 7 s of a video of 4 s"),
            std::string::npos);
  EXPECT_EQ(source->name(at["early"]), folder / "s.mp4" + std::string("@0.4-0.72"));
  source->check_sample(at["early"]);
}

TEST(ClipSource, ShortSide) {
  const TempFolder folder;
  write_video(folder / "x/a.mp4", cornered_clip(2, 48, 90), 25);
  const auto source = with_short_side(open_clips(folder.path), 32);
  EXPECT_EQ(source->info(0).height, 32);
  EXPECT_EQ(source->info(0).width, 60);
  const Image clip = source->all_frames(0);
  EXPECT_EQ(clip.width, 60);
  EXPECT_EQ(corners_on(clip, 1), "rgbw");
}
#endif

}  // namespace
}  // namespace dactyl

// Sources and splits: the same indices and labels on every machine, and errors that say where.
#include "train/data/source.h"

#include <sys/stat.h>

#include <set>

#include "tests/train/pictures.h"

namespace dactyl {
namespace {

namespace fs = std::filesystem;

// Files that only need to be there.
void touch(const TempFolder& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names) write_text(folder / name, "x");
}

std::string refusal(const std::string& path, const std::vector<std::string>& known = {}, Exit exit = Exit::data) {
  return error_text(exit, [&] { open_source(path, known); });
}

std::vector<std::string> described(const DataSource& source, const fs::path& root) {
  std::vector<std::string> list;
  for (i64 i = 0; i < source.size(); ++i)
    list.push_back(fs::path(source.name(i)).lexically_relative(root).string() + ":" +
                   source.labels()[static_cast<std::size_t>(source.label(i))]);
  return list;
}

TEST(Source, FolderPerClass) {
  const TempFolder folder;
  touch(folder,
        {"b/2.JPG", "b/1.png", "a/x.jpeg", "a/notes.txt", "a/.hidden.jpg", "b/empty.jpg", ".git/q.jpg", "read.me"});
  fs::create_directory(folder / "a/dir.jpg");
  write_text(folder / "b/empty.jpg", "");
  const auto source = open_source(folder.path);
  EXPECT_EQ(source->labels(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(described(*source, folder.path),
            (std::vector<std::string>{"a/dir.jpg:a", "a/x.jpeg:a", "b/1.png:b", "b/2.JPG:b", "b/empty.jpg:b"}));
  EXPECT_EQ(source->class_counts(), (std::vector<i64>{2, 3}));
}

TEST(Source, NumbersSortAsNumbers) {
  const TempFolder folder;
  touch(folder, {"10/a.jpg", "9/a.jpg", "1/a.jpg"});
  EXPECT_EQ(open_source(folder.path)->labels(), (std::vector<std::string>{"1", "9", "10"}));
}

TEST(Source, GroupsOfClassFolders) {
  const TempFolder folder;
  touch(folder, {"jack/A/1.jpg", "jack/B/1.jpg", "tom/A/1.jpg"});
  const auto source = open_source(folder.path);
  EXPECT_EQ(described(*source, folder.path),
            (std::vector<std::string>{"jack/A/1.jpg:A", "jack/B/1.jpg:B", "tom/A/1.jpg:A"}));
  const Split split = split_by_group(*source, "(jack|tom)/", {"tom"});
  EXPECT_EQ(split.train, (std::vector<i64>{0, 1}));
  EXPECT_EQ(split.test, (std::vector<i64>{2}));
}

TEST(Source, KnownLabelsFixTheOrder) {
  const TempFolder folder;
  touch(folder, {"a/1.jpg", "b/1.jpg"});
  const auto source = open_source(folder.path, {"b", "unused", "a"});
  EXPECT_EQ(source->label(0), 2);
  EXPECT_EQ(source->label(1), 0);
  EXPECT_EQ(source->class_counts(), (std::vector<i64>{1, 0, 1}));
  EXPECT_NE(refusal(folder.path, {"a"}).find("label \"b\" is not one of"), std::string::npos);
}

TEST(Source, FlatFolderOfNumberedFiles) {
  const TempFolder folder;
  touch(folder, {"0002_x.jpg", "0000_y.jpg"});
  const auto source = open_source(folder.path);
  EXPECT_EQ(source->labels(), (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(source->label(1), 2);
  EXPECT_EQ(open_source(folder.path, {"p", "q", "r", "s"})->labels().size(), 4u);
  EXPECT_NE(refusal(folder.path, {"p"}).find("class 2 of 1 labels"), std::string::npos);
  touch(folder, {"name.jpg"});
  EXPECT_NE(refusal(folder.path).find("name.jpg"), std::string::npos);
}

TEST(Source, CsvWithQuotesAndOtherColumns) {
  const TempFolder folder;
  write_text(
      folder / "set/list.csv",
      "\xEF\xBB\xBFlabel,signer,path\r\n\"a, \"\"b\"\"\",1,img/2.jpg\r\nz,2,/abs/1.jpg\r\n\r\nz,3,\"new\nline.jpg\"\n");
  const auto source = open_source(folder / "set/list.csv");
  EXPECT_EQ(source->labels(), (std::vector<std::string>{"a, \"b\"", "z"}));
  std::set<std::string> names;
  for (i64 i = 0; i < source->size(); ++i) names.insert(source->name(i));
  EXPECT_EQ(names, (std::set<std::string>{"/abs/1.jpg", folder / "set/img/2.jpg", folder / "set/new\nline.jpg"}));
}

TEST(Source, BadTablesAreRefusedWithTheLine) {
  const TempFolder folder;
  const auto with = [&](const std::string& text) {
    write_text(folder / "a.csv", text);
    return refusal(folder / "a.csv");
  };
  EXPECT_NE(with("path,class\nx.jpg,1\n").find("no column \"label\""), std::string::npos);
  EXPECT_NE(with("path,label\nx.jpg\n").find("a.csv:2: 1 fields"), std::string::npos);
  EXPECT_NE(with("path,label\n\"x.jpg,1\n").find("never closed"), std::string::npos);
  EXPECT_NE(with("path,label\n\"x\"y,1\n").find("closing quote"), std::string::npos);
  EXPECT_NE(with("").find("is empty"), std::string::npos);
  EXPECT_NE(with("path,label\n").find("no picture"), std::string::npos);
}

TEST(Source, WhatIsNotUtf8IsRefusedWithItsPlace) {
  const TempFolder folder;
  write_text(folder / "a.csv", "path,label\nx.jpg,good\ny.jpg,\xff\n");
  EXPECT_EQ(refusal(folder / "a.csv"), (folder / "a.csv") + ":3: \"\\xff\" is not UTF-8; save the table as UTF-8");
  touch(folder, {"set/a/1.jpg", "set/\xfe/2.jpg"});
  EXPECT_NE(refusal(folder / "set").find("its label \"\\xfe\" is not UTF-8"), std::string::npos);
}

TEST(Source, APipeIsNotWaitedFor) {
  const TempFolder folder;
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(refusal(folder / "pipe"), (folder / "pipe") + ": is a pipe, a text file was expected");
}

TEST(Source, EmptyPlacesAreRefused) {
  const TempFolder folder;
  EXPECT_NE(refusal(folder / "nowhere").find("no such folder"), std::string::npos);
  EXPECT_NE(refusal(folder.path).find("no picture found"), std::string::npos);
  touch(folder, {"a/1.jpg"});
  fs::create_directory(folder / "b");
  EXPECT_NE(refusal(folder.path).find("class without a picture"), std::string::npos);
}

std::shared_ptr<DataSource> labelled(int classes, int per_class) {
  std::vector<std::string> labels;
  std::vector<Item> items;
  for (int c = 0; c < classes; ++c) {
    labels.push_back(std::to_string(c));
    for (int i = 0; i < per_class; ++i)
      items.push_back(
          {"/d/" + std::to_string(c) + "/hand" + std::to_string(i % 5) + "_" + std::to_string(i) + ".jpg", c});
  }
  return std::make_shared<ImageFiles>(labels, items);
}

TEST(Split, ByShareIsStratifiedAndSeeded) {
  const auto source = labelled(7, 25);
  const Split split = split_by_share(*source, 0.8, 1);
  std::vector<int> train(7), all;
  for (const i64 i : split.train) ++train[static_cast<std::size_t>(source->label(i))];
  EXPECT_EQ(train, std::vector<int>(7, 20));
  std::set<i64> both(split.train.begin(), split.train.end());
  both.insert(split.test.begin(), split.test.end());
  EXPECT_EQ(both.size(), 175u);
  EXPECT_EQ(split.train.size() + split.test.size(), 175u);
  EXPECT_EQ(split_by_share(*source, 0.8, 1).train, split.train);
  EXPECT_NE(split_by_share(*source, 0.8, 2).train, split.train);
  EXPECT_EQ(split_by_share(*labelled(3, 2), 0.99, 1).test.size(), 3u);
  EXPECT_NE(error_text(Exit::usage, [&] { split_by_share(*source, 1.0, 1); }), "");
  EXPECT_NE(error_text(Exit::data, [&] { split_by_share(*labelled(3, 1), 0.8, 1); }), "");
}

TEST(Split, ByGroupOfTheName) {
  const auto source = labelled(3, 10);
  const Split split = split_by_group(*source, R"(hand(\d)_)", {"4", "2"});
  EXPECT_EQ(split.test.size(), 12u);
  for (const i64 i : split.test)
    EXPECT_NE(source->name(i).find_first_of("24", source->name(i).find("hand")), std::string::npos);
  EXPECT_NE(error_text(Exit::data, [&] { split_by_group(*source, R"(hand([0-3])_)", {"1"}); })
                .find("hand4_4.jpg does not match"),
            std::string::npos);
  EXPECT_NE(error_text(Exit::data, [&] { split_by_group(*source, R"(hand(\d)_)", {"9"}); }).find("\"9\""),
            std::string::npos);
  EXPECT_NE(error_text(Exit::usage, [&] { split_by_group(*source, R"(hand\d)", {"1"}); }).find("needs a group"),
            std::string::npos);
  EXPECT_NE(error_text(Exit::usage, [&] { split_by_group(*source, "(", {"1"}); }), "");
}

TEST(Split, WrittenDownItSurvivesMovedAndLostFiles) {
  const TempFolder folder;
  const auto source = labelled(3, 10);
  const Split split = split_by_share(*source, 0.7, 3);
  write_split(folder / "splits.json", *source, split);
  EXPECT_EQ(read_split(folder / "splits.json", *source).train, split.train);
  std::vector<Item> moved;
  for (i64 i = 0; i < source->size(); ++i)
    if (i != split.train[0]) moved.push_back({"/elsewhere/e" + source->name(i).substr(2), source->label(i)});
  const ImageFiles other(source->labels(), moved);
  const Split again = read_split(folder / "splits.json", other);
  EXPECT_EQ(again.train.size() + 1, split.train.size());
  ASSERT_EQ(again.test.size(), split.test.size());
  for (std::size_t i = 0; i < again.test.size(); ++i)
    EXPECT_EQ(other.name(again.test[i]).substr(12), source->name(split.test[i]).substr(2));
  const std::string refused = error_text(Exit::data, [&] { read_split(folder / "splits.json", other, true); });
  EXPECT_NE(refused.find("1 of its 30 samples are gone"), std::string::npos) << refused;
  EXPECT_NE(refused.find(source->name(split.train[0]).substr(3)), std::string::npos) << refused;
}

TEST(Split, DamagedFilesAreRefused) {
  const TempFolder folder;
  const auto source = labelled(2, 2);
  const auto with = [&](const std::string& text) {
    write_text(folder / "s.json", text);
    return error_text(Exit::data, [&] { read_split(folder / "s.json", *source); });
  };
  EXPECT_NE(with("{\"train\":").find("is not the JSON"), std::string::npos);
  EXPECT_NE(with("{\"train\":[\"0/hand0_0.jpg\"]}").find("no list \"test\""), std::string::npos);
  EXPECT_NE(with("{\"train\":[\"0/hand0_0.jpg\"],\"test\":[\"0/hand0_0.jpg\"]}").find("twice"), std::string::npos);
  EXPECT_NE(with("{\"train\":[\"q.jpg\"],\"test\":[\"0/hand0_0.jpg\"]}").find("none of the 1 names"),
            std::string::npos);
}

TEST(Split, AFolderIsNoSplitAndNamesThatCannotBeListedAreNamed) {
  const TempFolder folder;
  EXPECT_NE(error_text(Exit::data, [&] { read_split(folder.path, *labelled(2, 2)); }).find("is a directory"),
            std::string::npos);
  touch(folder, {"set/a/1.jpg", "set/a/2\xff.jpg", "set/b/3.jpg", "set/b/4.jpg"});
  const auto source = open_source(folder / "set");
  const Split split = split_by_share(*source, 0.5, 1);
  EXPECT_NE(error_text(Exit::data, [&] { write_split(folder / "s.json", *source, split); }).find("\"a/2\\xff.jpg\""),
            std::string::npos);
}

TEST(Split, SubsetKeepsOrderAndLabels) {
  const auto source = labelled(3, 4);
  const auto part = subset(source, {7, 0, 11});
  EXPECT_EQ(part->size(), 3);
  EXPECT_EQ(part->name(1), source->name(0));
  EXPECT_EQ(part->label(2), 2);
  EXPECT_EQ(part->labels(), source->labels());
  EXPECT_THROW(subset(source, {12}), Error);
}

TEST(Split, OnlyClassesRenumbersThem) {
  const std::shared_ptr<const DataSource> source = labelled(3, 4);
  const auto& names = source->labels();
  const auto part = only_classes(source, {names[2], names[0]});
  EXPECT_EQ(part->size(), 8);
  EXPECT_EQ(part->labels(), (std::vector<std::string>{names[2], names[0]}));
  for (i64 i = 0; i < part->size(); ++i) {
    EXPECT_EQ(part->name(i), source->name(i < 4 ? i : i + 4));  // the second class is left out
    EXPECT_EQ(part->label(i), i < 4 ? 1 : 0);
  }
  EXPECT_THROW(only_classes(source, {"none of them"}), Error);
  EXPECT_THROW(subset(source, {0, 4}, {names[0]}), Error);
}

}  // namespace
}  // namespace dactyl

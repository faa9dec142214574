// What reaches a terminal, and text files.
#include "weights/text.h"

#include <sys/stat.h>

#include "tests/weights/forge.h"

namespace dactyl {
namespace {

TEST(Text, ControlCharactersStayVisibleAndOnTheirLine) {
  EXPECT_EQ(one_line("plain ü 手 \"quoted\""), "plain ü 手 \"quoted\"");
  EXPECT_EQ(one_line("a\nb\x1b[31m\x7f"), "a\\x0ab\\x1b[31m\\x7f");
  EXPECT_EQ(one_line("\xc2\x9b\x31m"), "\\xc2\\x9b1m");  // CSI in one character
  EXPECT_EQ(one_line("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(shown("a\nb"), "\"a\\x0ab\"");
  EXPECT_EQ(shown(std::string(119, 'x') + "ü"), '"' + std::string(119, 'x') + "…\"");  // no half characters
  EXPECT_FALSE(is_sound_name("a\xc2\x9b"));
}

TEST(Text, Utf8) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("ü手"));
  for (const char* bad : {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf"}) EXPECT_FALSE(is_utf8(bad));
}

TEST(Text, OnlyOrdinaryFilesAreRead) {
  const Folder folder;
  EXPECT_EQ(text_file(put(folder / "a", "x\ny"), Exit::data), "x\ny");
  const auto refusal = [](const std::string& path) {
    return error_of([&] { text_file(path, Exit::data); }, Exit::data);
  };
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(refusal(folder / "pipe"), folder / "pipe: is a pipe, a text file was expected");
  EXPECT_EQ(refusal(folder.path()), folder.path() + ": is a directory, a text file was expected");
  EXPECT_EQ(refusal("/dev/null"), "/dev/null: is a device, a text file was expected");
  expect_part(refusal(folder / "none"), "cannot be opened: No such file");
}

}  // namespace
}  // namespace dactyl

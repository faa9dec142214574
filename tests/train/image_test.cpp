// Files that are no pictures, and real ones where they are at hand.
#include "train/data/image.h"

#include <sys/stat.h>

#include "tests/train/pictures.h"

namespace dactyl {
namespace {

namespace fs = std::filesystem;

std::string refusal(const std::string& path) {
  const std::string text = error_text(Exit::data, [&] { read_image(path); });
  EXPECT_TRUE(text.starts_with(path + ": ")) << text;
  return text;
}

TEST(Image, WhatIsWrittenIsRead) {
  const TempFolder folder;
  const Image image = smooth_picture(64, 90);
  write_png(folder / "a.png", image);
  write_jpeg(folder / "a.jpg", image, 95);
  EXPECT_EQ(read_image(folder / "a.png").rgb, image.rgb);
  EXPECT_LT(mean_difference(read_image(folder / "a.jpg"), image), 1.5);
  EXPECT_NE(error_text(Exit::usage, [&] { write_jpeg(folder / "b.jpg", image, 0); }), "");
}

TEST(Image, WhatIsNoRegularFileIsNamed) {
  const TempFolder folder;
  fs::create_directory(folder / "a.jpg");
  EXPECT_NE(refusal(folder / "a.jpg").find("is a directory"), std::string::npos);
  ASSERT_EQ(mkfifo((folder / "pipe.jpg").c_str(), 0600), 0);
  EXPECT_NE(refusal(folder / "pipe.jpg").find("not a regular file"), std::string::npos);
  fs::create_symlink(folder / "loop.jpg", folder / "loop.jpg");
  EXPECT_NE(refusal(folder / "loop.jpg").find("cannot be opened"), std::string::npos);
  EXPECT_NE(refusal(folder / "missing.jpg").find("No such file"), std::string::npos);
  write_text(folder / "empty.jpg", "");
  EXPECT_NE(refusal(folder / "empty.jpg").find("is empty"), std::string::npos);
  fs::resize_file(folder / "empty.jpg", std::uintmax_t{600} << 20);
  EXPECT_NE(refusal(folder / "empty.jpg").find("the limit is"), std::string::npos);
}

TEST(Image, OtherFormatsAreRecognised) {
  const TempFolder folder;
  using namespace std::string_literals;
  for (const auto& [bytes, name] :
       std::vector<std::pair<std::string, std::string>>{{"GIF89a", "GIF"},
                                                        {"RIFF\1\2\3\4WEBPVP8 ", "WebP"},
                                                        {"\0\0\0\x18"s + "ftypheic", "HEIC"},
                                                        {"\0\0\0\x18"s + "ftypavif", "AVIF"},
                                                        {"\0\0\0\x18"s + "ftypisom", "a video"},
                                                        {"II*\0"s, "TIFF"},
                                                        {"BM123", "BMP"},
                                                        {"<svg>", "SVG"},
                                                        {"<!DOCTYPE html>", "a web page"}}) {
    write_text(folder / "x.jpg", bytes);
    EXPECT_NE(refusal(folder / "x.jpg").find("looks like " + name), std::string::npos) << refusal(folder / "x.jpg");
  }
  write_text(folder / "x.jpg", "hello");
  EXPECT_NE(refusal(folder / "x.jpg").find("neither JPEG nor PNG"), std::string::npos);
}

TEST(Image, CropsStayInside) {
  const Image image = computed_picture(9, 7), part = cropped(image, 2, 3, 4, 2);
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 2; ++x)
      EXPECT_TRUE(std::equal(pixel(part, y, x), pixel(part, y, x) + 3, pixel(image, y + 2, x + 3)));
  EXPECT_THROW(cropped(image, 6, 0, 4, 2), Error);
}

TEST(Image, RealPhotosDecode) {
  const fs::path data = fs::path(__FILE__).parent_path().parent_path().parent_path().parent_path() / "shared" / "data";
  if (!fs::exists(data)) GTEST_SKIP() << "no " << data;
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(data)) {
    const std::string e = entry.path().extension().string();
    if (e == ".jpg" || e == ".JPG" || e == ".jpeg" || e == ".png") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  for (std::size_t i = 0; i < files.size(); i += std::max<std::size_t>(1, files.size() / 200))
    EXPECT_GT(read_image(files[i]).rgb.size(), 0u) << files[i];
}

}  // namespace
}  // namespace dactyl

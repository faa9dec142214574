// PNG: every depth and colour type decodes, every damaged byte is refused.
#include <random>

#include "tests/train/png_bytes.h"

namespace dactyl {
namespace {

std::string refusal(const ByteVector& bytes) {
  return error_text(Exit::data, [&] { decode(bytes); });
}

ByteVector written(const Image& image) {
  const TempFolder folder;
  write_png(folder / "a.png", image);
  return bytes_of(folder / "a.png");
}

TEST(Png, WhatIsWrittenIsRead) {
  const Image image = computed_picture(113, 227);
  EXPECT_EQ(decode(written(image)).rgb, image.rgb);
  EXPECT_EQ(decode(written(plain_picture(1, 1, 7))).rgb, ByteVector(3, 7));
}

TEST(Png, EveryDamagedByteIsRefused) {
  const ByteVector whole = written(computed_picture(64, 64));
  std::mt19937 random(1);
  for (int trial = 0; trial < 2000; ++trial) {
    ByteVector bytes = whole;
    const std::size_t at = random() % bytes.size();
    bytes[at] ^= static_cast<std::uint8_t>(1 + random() % 255);
    EXPECT_NE(refusal(bytes), "") << "byte " << at;
  }
}

TEST(Png, EveryTruncationIsRefused) {
  const ByteVector whole = written(computed_picture(64, 64));
  for (std::size_t k = 0; k < 64; ++k) EXPECT_NE(refusal(head(whole, whole.size() * k / 64)), "");
}

TEST(Png, NarrowGreyIsSpread) {
  EXPECT_EQ(decode(png_bytes({1, 4, 1, 0, false, rows_of({{0b01010000}}), {}})).rgb,
            (ByteVector{0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255}));
  EXPECT_EQ(decode(png_bytes({1, 2, 4, 0, false, rows_of({{0x3F}}), {}})).rgb, (ByteVector{51, 51, 51, 255, 255, 255}));
}

TEST(Png, SixteenBitsAreRounded) {
  const ByteVector row = {0x12, 0xFF, 0x80, 0x7F, 0xFF, 0xFF};  // 0x12FF / 257 = 18.92…: 19, not the high byte 0x12
  EXPECT_EQ(decode(png_bytes({1, 1, 16, 2, false, rows_of({row}), {}})).rgb, (ByteVector{19, 128, 255}));
}

TEST(Png, AlphaIsBlendedOverBlack) {
  EXPECT_EQ(decode(png_bytes({1, 1, 8, 6, false, rows_of({{200, 100, 50, 128}}), {}})).rgb, (ByteVector{100, 50, 25}));
  EXPECT_EQ(decode(png_bytes({1, 1, 8, 4, false, rows_of({{200, 0}}), {}})).rgb, (ByteVector{0, 0, 0}));
  EXPECT_EQ(decode(png_bytes({1, 1, 16, 4, false, rows_of({{0xFF, 0xFF, 0x80, 0x00}}), {}})).rgb,
            (ByteVector{128, 128, 128}));
}

TEST(Png, PalettesAndTheirTransparencyAreExpanded) {
  const ByteVector palette = {10, 20, 30, 200, 100, 50};
  EXPECT_EQ(decode(png_bytes({1, 2, 1, 3, false, rows_of({{0b01000000}}), {{"PLTE", palette}}})).rgb,
            (ByteVector{10, 20, 30, 200, 100, 50}));
  EXPECT_EQ(
      decode(png_bytes({1, 2, 1, 3, false, rows_of({{0b01000000}}), {{"PLTE", palette}, {"tRNS", {255, 51}}}})).rgb,
      (ByteVector{10, 20, 30, 40, 20, 10}));
}

TEST(Png, AColourBeyondThePaletteIsRefused) {
  const ByteVector palette = {10, 20, 30, 200, 100, 50, 1, 2, 3};
  const auto with = [&](int depth, const ByteVector& row) {
    return refusal(png_bytes({1, 2, depth, 3, false, rows_of({row}), {{"PLTE", palette}, {"tRNS", {255}}}}));
  };
  EXPECT_EQ(with(8, {0, 2}), "");
  EXPECT_NE(with(8, {0, 3}).find("a pixel of colour 3, the palette has 3"), std::string::npos) << with(8, {0, 3});
  EXPECT_NE(with(8, {0, 255}), "");
  EXPECT_EQ(with(4, {0x12}), "");
  EXPECT_NE(with(4, {0x1F}).find("colour 15"), std::string::npos);
  EXPECT_EQ(with(2, {0b00100000}), "");
  EXPECT_NE(with(2, {0b00110000}).find("colour 3"), std::string::npos);
}

TEST(Png, TheChecksumOfThePixelsIsVerified) {
  ByteVector pixels = stored(rows_of({{9}}));
  const auto with = [&] {
    ByteVector bytes = head(png_bytes({1, 1, 8, 0, false, rows_of({{9}}), {}}), 33);
    put_chunk(bytes, "IDAT", pixels);
    put_chunk(bytes, "IEND", {});
    return refusal(bytes);
  };
  EXPECT_EQ(with(), "");
  pixels.back() ^= 1;
  EXPECT_NE(with().find("wrong checksum"), std::string::npos) << with();
  pixels.resize(pixels.size() - 4);
  EXPECT_NE(with(), "");
}

TEST(Png, InterlacedPicturesAreWoven) {
  const Image image = computed_picture(11, 9);
  constexpr int passes[7][4] = {{0, 8, 0, 8}, {0, 8, 4, 8}, {4, 8, 0, 4}, {0, 4, 2, 4},
                                {2, 4, 0, 2}, {0, 2, 1, 2}, {1, 2, 0, 1}};
  ByteVector rows;
  for (const auto& [top, down, left, right] : passes)
    for (int y = top; y < 11; y += down) {
      rows.push_back(0);
      for (int x = left; x < 9; x += right) append(rows, pixel(image, y, x), 3);
    }
  EXPECT_EQ(decode(png_bytes({11, 9, 8, 2, true, rows, {}})).rgb, image.rgb);
}

TEST(Png, TheOrientationChunkTurnsThePicture) {
  const ByteVector exif = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0};
  const Image image = decode(png_bytes({1, 2, 8, 0, false, rows_of({{10, 20}}), {{"eXIf", exif}}}));
  EXPECT_EQ(image.height, 2);
  EXPECT_EQ(image.rgb, (ByteVector{10, 10, 10, 20, 20, 20}));
}

TEST(Png, PixelsMustBeExactlyWhatTheHeaderPromises) {
  const auto grey = [](int bytes) {
    return png_bytes({4, 4, 8, 0, false, ByteVector(static_cast<std::size_t>(bytes)), {}});
  };
  EXPECT_EQ(decode(grey(20)).rgb, ByteVector(48));
  EXPECT_NE(refusal(grey(19)).find("19 bytes of pixels"), std::string::npos) << refusal(grey(19));
  EXPECT_NE(refusal(grey(21)), "");
  EXPECT_NE(refusal(grey(50'000'000)), "");
}

TEST(Png, ChunksOutOfPlaceAreRefused) {
  const ByteVector good = png_bytes({1, 1, 8, 0, false, rows_of({{9}}), {}});
  EXPECT_EQ(decode(good).rgb, ByteVector(3, 9));
  EXPECT_NE(refusal(png_bytes({1, 1, 8, 0, false, rows_of({{9}}), {{"CgBI", {}}}})).find("CgBI"), std::string::npos);
  EXPECT_EQ(refusal(png_bytes({1, 1, 8, 0, false, rows_of({{9}}), {{"IDAT", {}}, {"gAMA", {0, 0, 0, 1}}}})), "");
  ByteVector no_pixels = head(good, 33);
  put_chunk(no_pixels, "IDAT", {});
  put_chunk(no_pixels, "IEND", {});
  EXPECT_NE(refusal(no_pixels).find("no pixel data"), std::string::npos);
  EXPECT_NE(refusal(png_bytes({1, 1, 5, 0, false, {}, {}})).find("5 bits"), std::string::npos);
  EXPECT_NE(refusal(png_bytes({65535, 65535, 8, 0, false, {}, {}})).find("too large"), std::string::npos);
  EXPECT_NE(refusal(png_bytes({0, 1, 8, 0, false, {}, {}})), "");
}

}  // namespace
}  // namespace dactyl

// JPEG: every kind we promise decodes, everything incomplete is refused.
#if __has_include(<jpeglib.h>)
#include "tests/train/jpeg_bytes.h"

namespace dactyl {
namespace {

std::string refusal(const ByteVector& bytes) {
  return error_text(Exit::data, [&] { decode(bytes); });
}

void progressive(jpeg_compress_struct& info) { jpeg_simple_progression(&info); }

TEST(Jpeg, BaselineAndProgressiveKeepThePicture) {
  const Image image = smooth_picture(113, 227);
  const Image baseline = decode(jpeg_bytes(image));
  EXPECT_LT(mean_difference(baseline, image), 1.5);
  EXPECT_EQ(decode(jpeg_bytes(image, progressive)).rgb, baseline.rgb);
  const auto restarts = [](jpeg_compress_struct& info) { info.restart_interval = 3; };
  EXPECT_EQ(decode(jpeg_bytes(image, restarts)).rgb, baseline.rgb);
}

TEST(Jpeg, EveryTruncationIsRefused) {
  for (const bool is_progressive : {false, true}) {
    const ByteVector whole =
        is_progressive ? jpeg_bytes(smooth_picture(96, 128), progressive) : jpeg_bytes(smooth_picture(96, 128));
    for (std::size_t k = 0; k < 64; ++k) {
      const ByteVector cut = head(whole, whole.size() * k / 64);
      EXPECT_NE(refusal(cut), "") << k << "/64";
    }
    EXPECT_NE(refusal(head(whole, whole.size() - 1)), "");
    EXPECT_NE(refusal(head(whole, whole.size() - 2)), "");
  }
}

TEST(Jpeg, ACutWithAnEndMarkerIsRefused) {
  const ByteVector whole = jpeg_bytes(computed_picture(96, 128));
  ByteVector half = head(whole, whole.size() / 2);
  append(half, {0xFF, 0xD9});
  EXPECT_NE(refusal(half).find("damaged"), std::string::npos) << refusal(half);

  const ByteVector scans = jpeg_bytes(computed_picture(96, 128), progressive);
  ByteVector first_scans = head(scans, marker_at(scans, 0xDA, 3));
  append(first_scans, {0xFF, 0xD9});
  EXPECT_NE(refusal(first_scans), "");

  ByteVector header = head(whole, marker_at(whole, 0xDA));
  append(header, {0xFF, 0xD9});
  EXPECT_NE(refusal(header).find("lacks its scan"), std::string::npos) << refusal(header);
}

TEST(Jpeg, ADamagedRestartMarkerIsRefused) {
  ByteVector bytes = jpeg_bytes(smooth_picture(96, 128), [](jpeg_compress_struct& info) { info.restart_interval = 2; });
  bytes[marker_at(bytes, 0xD1) + 1] = 0xD5;
  EXPECT_NE(refusal(bytes).find("restart"), std::string::npos) << refusal(bytes);
}

TEST(Jpeg, OtherCodingsAreNamed) {
  const Image image = smooth_picture(32, 32);
  const ByteVector arithmetic = jpeg_bytes(image, [](jpeg_compress_struct& info) { info.arith_code = TRUE; });
  EXPECT_NE(refusal(arithmetic).find("arithmetic coding is unsupported"), std::string::npos) << refusal(arithmetic);
  ByteVector lossless = jpeg_bytes(image), deep = lossless;
  lossless[marker_at(lossless, 0xC0) + 1] = 0xC3;
  EXPECT_NE(refusal(lossless).find("lossless"), std::string::npos) << refusal(lossless);
  deep[marker_at(deep, 0xC0) + 4] = 12;
  EXPECT_NE(refusal(deep).find("12 bits"), std::string::npos) << refusal(deep);
}

TEST(Jpeg, HugeHeadersAreRefusedBeforeDecoding) {
  ByteVector bytes = jpeg_bytes(smooth_picture(32, 32));
  for (std::size_t i = 5; i < 9; ++i) bytes[marker_at(bytes, 0xC0) + i] = 0xFF;
  EXPECT_NE(refusal(bytes).find("65535 x 65535 is too large"), std::string::npos) << refusal(bytes);
}

TEST(Jpeg, GreyBecomesThreeEqualChannels) {
  ByteVector grey;
  for (int i = 0; i < 40 * 30; ++i) grey.push_back(static_cast<std::uint8_t>(i % 40 * 6));
  const Image image = decode(jpeg_bytes(30, 40, JCS_GRAYSCALE, grey));
  for (int i = 0; i < 40 * 30; ++i) {
    const std::uint8_t* p = pixel(image, i / 40, i % 40);
    EXPECT_EQ(p[0], p[1]);
    EXPECT_EQ(p[0], p[2]);
    EXPECT_NEAR(p[0], grey[static_cast<std::size_t>(i)], 6);
  }
}

// Ink c, m, y, k as light: (255 − ink)·(255 − k)/255. Adobe's marker means that the file holds 255 − ink.
TEST(Jpeg, FourColoursAreNeverInverted) {
  const int c = 200, m = 60, y = 20, k = 40;
  for (const bool adobe : {false, true})
    for (const J_COLOR_SPACE stored : {JCS_CMYK, JCS_YCCK}) {
      if (stored == JCS_YCCK && !adobe) continue;  // without the marker nobody can tell that it is YCCK
      ByteVector ink;
      for (int i = 0; i < 32 * 32; ++i)
        for (const int v : {c, m, y, k}) ink.push_back(static_cast<std::uint8_t>(adobe ? 255 - v : v));
      const Image image = decode(jpeg_bytes(32, 32, JCS_CMYK, ink, [&](jpeg_compress_struct& info) {
        jpeg_set_colorspace(&info, stored);
        info.write_Adobe_marker = adobe ? TRUE : FALSE;
      }));
      const std::uint8_t* p = pixel(image, 16, 16);
      EXPECT_NEAR(p[0], (255 - c) * (255 - k) / 255, 3) << adobe << stored;
      EXPECT_NEAR(p[1], (255 - m) * (255 - k) / 255, 3) << adobe << stored;
      EXPECT_NEAR(p[2], (255 - y) * (255 - k) / 255, 3) << adobe << stored;
    }
}

// EXIF 2.3, table 6: where the stored pixel (y, x) of an h × w picture is shown.
std::pair<int, int> shown(int orientation, int y, int x, int h, int w) {
  switch (orientation) {
    case 2:
      return {y, w - 1 - x};
    case 3:
      return {h - 1 - y, w - 1 - x};
    case 4:
      return {h - 1 - y, x};
    case 5:
      return {x, y};
    case 6:
      return {x, h - 1 - y};
    case 7:
      return {w - 1 - x, h - 1 - y};
    case 8:
      return {w - 1 - x, y};
    default:
      return {y, x};
  }
}

TEST(Jpeg, AllEightOrientationsStandUpright) {
  const ByteVector bytes = jpeg_bytes(computed_picture(20, 33));
  const Image stored = decode(bytes);
  for (int o = 1; o <= 8; ++o)
    for (const bool little : {false, true}) {
      const Image upright = decode(with_orientation(bytes, o, little));
      ASSERT_EQ(upright.height, o < 5 ? 20 : 33);
      for (int y = 0; y < 20; ++y)
        for (int x = 0; x < 33; ++x) {
          const auto [row, column] = shown(o, y, x, 20, 33);
          ASSERT_TRUE(std::equal(pixel(stored, y, x), pixel(stored, y, x) + 3, pixel(upright, row, column)))
              << "orientation " << o << " at " << y << ", " << x;
        }
    }
  EXPECT_EQ(decode(with_orientation(bytes, 9, true)).rgb, stored.rgb);
}

TEST(Jpeg, AnySingleByteOfDamageDecodesOrIsRefused) {
  const ByteVector whole = jpeg_bytes(computed_picture(40, 56), progressive);
  int refused = 0;
  for (std::size_t i = 0; i < whole.size(); i += 3) {
    ByteVector bytes = whole;
    bytes[i] ^= 0x5A;
    refused += !refusal(bytes).empty();
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace dactyl
#endif

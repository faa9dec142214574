// Pictures decoded and prepared on a device: from the same planes the host's own bytes, from nvJPEG's nearly so; the
// same files are refused.
#ifdef DACTYL_JPEG
#include "tests/train/mixed_folder.h"
#include "train/data/nvjpeg_decoder.h"

namespace dactyl {
namespace {

TEST(Develop, TheHostsPlanesGiveTheHostsBytes) {
  const auto decoder = std::make_shared<HostPlanes>();
  for (const Case& c : plain_jpegs())
    for (const InputSpec& input : inputs()) {
      ASSERT_TRUE(coded(c.jpeg)) << c.name;
      const Image wanted = prepared(decode(c.jpeg), input);
      EXPECT_EQ(developed(c.jpeg, input, decoder), wanted.rgb) << c.name << " to " << input.resize_to;
    }
}

TEST(Develop, OtherJpegsAreTheHosts) {
  const Image image = smooth_picture(40, 60);
  EXPECT_FALSE(coded(jpeg_bytes(image, progressive)));
  EXPECT_FALSE(coded(jpeg_bytes(image, sampled(1, 2))));
  EXPECT_FALSE(coded(jpeg_bytes(image, sampled(4, 1))));
  EXPECT_FALSE(coded(jpeg_bytes(image, [](auto& info) { jpeg_set_colorspace(&info, JCS_RGB); })));
  EXPECT_FALSE(coded(jpeg_bytes(10, 10, JCS_CMYK, ByteVector(400, 77))));
}

TEST(Develop, DamageThatOnlyDecodingFindsGoesToTheHost) {
  const ByteVector whole = jpeg_bytes(computed_picture(96, 128));
  ByteVector half = head(whole, whole.size() / 2);
  append(half, {0xFF, 0xD9});
  EXPECT_TRUE(coded(whole));
  EXPECT_FALSE(coded(half));
  // Where it was found whole before, the coefficients are not looked at again.
  EXPECT_TRUE(layout_for_device(half, examine_jpeg(half, {}), true));
}

TEST(Develop, FlippedBitsNeverReachTheDeviceWhereTheHostRefuses) {
  const ByteVector whole = jpeg_bytes(computed_picture(48, 64));
  int refused = 0;
  for (std::size_t at = marker_at(whole, 0xDA) + 14; at + 2 < whole.size(); at += 7) {
    ByteVector bytes = whole;
    bytes[at] ^= 0x55;
    try {
      decode(bytes);
    } catch (const Error&) {
      ++refused;
      std::shared_ptr<const CodedPicture> given;
      try {
        given = coded(bytes);
      } catch (const Error&) {
      }
      EXPECT_FALSE(given) << "byte " << at;
    }
  }
  EXPECT_GT(refused, 10);
}

TEST(Develop, WhatADecoderRefusesTheHostDecodes) {
  const auto decoder = std::make_shared<HostPlanes>();
  decoder->refused_width = 96;
  const InputSpec input = input_of(48, Resize::short_side);
  const ByteVector jpeg = jpeg_bytes(computed_picture(64, 96));
  i64 refused = 0;
  EXPECT_EQ(developed(jpeg, input, decoder, &refused), prepared(decode(jpeg), input).rgb);
  EXPECT_EQ(refused, 1);
}

TEST(Develop, BatchesAndBadSamplesAreTheHosts) {
  const MixedFolder mixed;
  for (const bool training : {false, true})
    for (const i64 cache : {i64{0}, i64{3000}, i64{1} << 30})
      for (const int threads : {1, 4}) {
        LoaderOptions o = mixed_options(training, threads);
        o.cache_bytes = cache;
        const Epochs host = two_epochs(*mixed.source, o, nullptr);
        const Epochs device = two_epochs(*mixed.source, o, std::make_shared<HostPlanes>());
        EXPECT_EQ(device.batches, host.batches) << training << cache << threads;
        EXPECT_EQ(device.bad, host.bad);
        EXPECT_EQ(host.bad.size(), 4u);
        EXPECT_GT(device.decoded.on_device, device.decoded.on_host);
        EXPECT_GT(device.decoded.on_host, 0);
        EXPECT_EQ(host.decoded.on_device + host.decoded.on_host, 0);
      }
}

TEST(Develop, TurnedPicturesAreTheHosts) {
  const MixedFolder mixed;
  LoaderOptions o = mixed_options(true, 2);
  o.augment = parse_augment("rotate=10");
  const Epochs host = two_epochs(*mixed.source, o, nullptr);
  const Epochs device = two_epochs(*mixed.source, o, std::make_shared<HostPlanes>());
  EXPECT_EQ(device.batches, host.batches);
  EXPECT_EQ(device.decoded.on_device, 0);
}

TEST(Develop, DecodersAreNamed) {
  EXPECT_EQ(decoder_named("auto", Device::cpu()), nullptr);
  EXPECT_EQ(decoder_named("cpu", Device::cpu()), nullptr);
  EXPECT_NE(error_text(Exit::usage, [] { decoder_named("gpu", Device::cpu()); }).find("--decode cpu works"),
            std::string::npos);
  EXPECT_NE(error_text(Exit::usage, [] { decoder_named("tpu", Device::cpu()); }).find("auto, cpu or gpu"),
            std::string::npos);
}

}  // namespace
}  // namespace dactyl
#endif

// nvJPEG's planes: the host's pixels but for roundings, the same bytes every time, the same bad samples.
#ifdef DACTYL_JPEG
#include "tests/train/mixed_folder.h"
#include "train/data/nvjpeg_decoder.h"

namespace dactyl {
namespace {

// On a GPU with nvJPEG.
class NvJpegDecoder : public testing::Test {
 protected:
  void SetUp() override {
    if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
    if (const std::string missing = nvjpeg_missing(Device::cuda()); !missing.empty()) GTEST_SKIP() << missing;
    decoder = nvjpeg_decoder(Device::cuda());
  }
  std::shared_ptr<PlaneDecoder> decoder;
};

struct Difference {
  int largest = 0;
  double mean = 0;
};

Difference between(const ByteVector& a, const ByteVector& b) {
  Difference d;
  for (std::size_t i = 0; i < a.size(); ++i) {
    d.largest = std::max(d.largest, std::abs(a[i] - b[i]));
    d.mean += std::abs(a[i] - b[i]) / static_cast<double>(a.size());
  }
  return d;
}

// Planes of the inverse transform may differ by 1 each: 1 + 1.772 in blue, rounded, is 3 at most before the resize.
TEST_F(NvJpegDecoder, PixelsAreTheHostsButForRoundings) {
  Difference worst;
  i64 refused = 0, all = 0;
  for (const Case& c : plain_jpegs())
    for (const InputSpec& input : inputs()) {
      i64 here = 0;
      const Difference d = between(developed(c.jpeg, input, decoder, &here), prepared(decode(c.jpeg), input).rgb);
      refused += here, ++all;
      EXPECT_LE(d.largest, 3) << c.name << " to " << input.resize_to;
      EXPECT_LE(d.mean, 1) << c.name << " to " << input.resize_to;
      worst = {std::max(worst.largest, d.largest), std::max(worst.mean, d.mean)};
    }
  std::cout << decoder->name() << ": at most " << worst.largest << " of 255, on average " << worst.mean << ", refused "
            << refused << " of " << all << "\n";
  EXPECT_LT(refused, all / 2);
}

TEST_F(NvJpegDecoder, AlwaysGivesTheSameBytes) {
  const MixedFolder mixed;
  const Epochs first = two_epochs(*mixed.source, mixed_options(true, 4), decoder);
  const Epochs second = two_epochs(*mixed.source, mixed_options(true, 1), decoder);
  EXPECT_EQ(first.batches, second.batches);
  EXPECT_GT(first.decoded.on_device, 0);
}

TEST_F(NvJpegDecoder, ReportsTheHostsBadSamples) {
  const MixedFolder mixed;
  EXPECT_EQ(two_epochs(*mixed.source, mixed_options(true, 4), decoder).bad,
            two_epochs(*mixed.source, mixed_options(true, 4), nullptr).bad);
}

}  // namespace
}  // namespace dactyl
#endif

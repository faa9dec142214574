// A folder of photos of every kind, and what a loader makes of it by one decoder or another.
#pragma once

#include "tests/train/computed.h"
#include "tests/train/develop_cases.h"

namespace dactyl {

// Two classes of photos of every kind: plain ones, some for the host, some bad.
struct MixedFolder {
  TempFolder folder;
  std::unique_ptr<DataSource> source;
  int plain = 0;

  MixedFolder() {
    for (int i = 0; i < 24; ++i) {
      const Image image = smooth_picture(40 + i, 90 - 2 * i);
      ByteVector bytes = i % 6 == 4 ? jpeg_bytes(image, progressive) : jpeg_bytes(image, sampled(1 + i % 2, 1));
      if (i % 8 == 7) bytes = head(bytes, bytes.size() / 2), append(bytes, {0xFF, 0xD9});
      if (i == 10) bytes = head(bytes, 200);
      const std::string name = folder / ((i % 2 ? "b/" : "a/") + std::to_string(100 + i) + ".jpg");
      if (i == 12)
        write_png(name, image);
      else
        write_bytes(name, bytes);
    }
    source = open_source(folder.path.string());
  }
};

struct Epochs {
  std::vector<std::string> batches, bad;
  Decoded decoded;
};

inline Epochs two_epochs(const DataSource& source, LoaderOptions o, const std::shared_ptr<PlaneDecoder>& decoder) {
  o.decoder = decoder;
  if (decoder) o.device = decoder->device();
  const Use use(o.device);
  Loader loader(source, o);
  Epochs found{epoch_of(loader, 0), {}, {}};
  for (const auto& batch : epoch_of(loader, 1)) found.batches.push_back(batch);
  for (const BadSample& b : loader.bad()) found.bad.push_back(b.name + ": " + b.reason);
  found.decoded = loader.times().decoded;
  return found;
}

inline LoaderOptions mixed_options(bool training, int threads) {
  LoaderOptions o = options(5, training, threads);
  o.input = input_of(32, Resize::short_side);
  o.augment = parse_augment("reflect-x,crop,jitter");
  return o;
}

}  // namespace dactyl

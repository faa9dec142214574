// Reading a file as far as a device needs.
#include "train/data/coded.h"

#include "train/data/load_stage.h"
#include "train/data/regular_file.h"

namespace dactyl {

ReadPicture read_for_device(const std::string& path, bool whole, const ImageLimits& limits) {
  return about(path, [&]() -> ReadPicture {
    const Staged decoding(LoadStage::decode);
    std::vector<std::uint8_t> bytes = [&] {
      const Staged reading(LoadStage::read);
      return RegularFile(path, "a picture", limits.file_bytes).read_all();
    }();
    if (looks_like(bytes) == "JPEG")
      if (const auto layout = layout_for_device(bytes, examine_jpeg(bytes, limits), whole))
        return {std::make_shared<const CodedPicture>(CodedPicture{std::move(bytes), *layout}), {}};
    return {nullptr, decode(bytes, limits)};
  });
}

}  // namespace dactyl

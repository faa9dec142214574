// Reads, prepares and keeps pictures.
#include "train/data/picture_cache.h"

#include <algorithm>

namespace dactyl {

PictureCache::PictureCache(const DataSource& source, const InputSpec& input, i64 byte_limit, bool coded)
    : source_(source),
      input_(input),
      coded_(coded),
      byte_limit_(byte_limit),
      next_of_class_(static_cast<std::size_t>(source.size())) {
  std::vector<i64> first(source.labels().size(), -1), last(first);
  for (i64 i = 0; i < source.size(); ++i) {
    const auto c = static_cast<std::size_t>(source.label(i));
    (last[c] < 0 ? first[c] : next_of_class_[static_cast<std::size_t>(last[c])]) = i;
    last[c] = i;
  }
  for (std::size_t c = 0; c < first.size(); ++c)
    if (last[c] >= 0) next_of_class_[static_cast<std::size_t>(last[c])] = first[c];
}

Drawn PictureCache::draw(i64 sample, i64 epoch) {
  Drawn drawn{nullptr, nullptr, sample, {}};
  do {
    const Picture picture = get(drawn.sample, epoch);
    if (picture.good()) {
      drawn.image = picture.image;
      drawn.coded = picture.coded;
      return drawn;
    }
    drawn.faults.push_back({drawn.sample, picture.reason});
    if (epoch < 0) return drawn;
    drawn.sample = next_of_class_[static_cast<std::size_t>(drawn.sample)];
  } while (drawn.sample != sample);
  fail(Exit::data, "data: none of the {} samples of class \"{}\" can be read; the first: {}: {}",
       {to_text(drawn.faults.size()), source_.labels()[static_cast<std::size_t>(source_.label(sample))],
        source_.name(sample), drawn.faults.front().reason});
}

PictureCache::Picture PictureCache::get(i64 sample, i64 epoch) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = kept_.find(sample); found != kept_.end()) return found->second;
  }
  Picture picture = read(sample, epoch);
  if (picture.image && epoch >= 0 && source_.varies()) return picture;
  const std::lock_guard lock(mutex_);
  const i64 bytes = picture.bytes();
  if (bytes_ + bytes <= byte_limit_ || bytes == 0)
    if (kept_.emplace(sample, picture).second) bytes_ += bytes;
  return picture;
}

i64 PictureCache::Picture::bytes() const {
  return static_cast<i64>(image ? image->rgb.size() : coded ? coded->bytes.size() : 0);
}

PictureCache::Picture PictureCache::read(i64 sample, i64 epoch) {
  try {
    if (const std::string path = coded_ ? source_.file(sample) : ""; !path.empty()) return read_coded(sample, path);
    const Image image = epoch < 0 ? source_.image(sample) : source_.drawn(sample, epoch);
    check(Exit::data, image.frames == std::max<i64>(input_.frames, 1), "has {} frames, the net takes {}", image.frames,
          std::max<i64>(input_.frames, 1));
    return {std::make_shared<Image>(prepared(image, input_)), nullptr, ""};
  } catch (const Error& error) {
    if (error.exit() != Exit::data) throw;
    const std::string text = error.what(), start = source_.name(sample) + ": ";
    return {nullptr, nullptr, text.starts_with(start) ? text.substr(start.size()) : text};
  }
}

// The costly part of the check is made once.
PictureCache::Picture PictureCache::read_coded(i64 sample, const std::string& path) {
  const bool whole = [&] {
    const std::lock_guard lock(mutex_);
    return whole_.contains(sample);
  }();
  ReadPicture found = read_for_device(path, whole);
  if (!found.coded) return {std::make_shared<Image>(prepared(found.image, input_)), nullptr, ""};
  const std::lock_guard lock(mutex_);
  whole_.insert(sample);
  return {nullptr, std::move(found.coded), ""};
}

}  // namespace dactyl

// Clips from a packed store, by position and checksum.
#include <algorithm>
#include <cstring>

#include "train/data/class_folders.h"
#include "train/data/load_stage.h"
#include "train/data/pack.h"
#include "train/data/pack_format.h"
#include "weights/crc32c.h"

namespace dactyl {
namespace {

constexpr i64 size_limit = i64{1} << 50;

class Pack : public ClipSource {
 public:
  Pack(const std::string& path, const std::vector<std::string>& known)
      : path_(path), file_(path, "a pack", size_limit), index_(read_pack_index(file_)) {
    std::vector<Named> found;
    for (const PackedSample& s : index_.samples)
      found.push_back({s.name, index_.labels[static_cast<std::size_t>(s.label)]});
    labels_ = known.empty() ? index_.labels : known;
    label_ = label_indices(found, labels_);
  }

  i64 size() const override { return static_cast<i64>(index_.samples.size()); }
  int label(i64 i) const override { return label_.at(static_cast<std::size_t>(i)); }
  std::string name(i64 i) const override { return sample(i).name; }
  const std::vector<std::string>& labels() const override { return labels_; }

  int channels() const override { return index_.channels; }
  std::string flow() const override { return index_.flow; }
  int packed_side() const override { return index_.side; }

  VideoInfo info(i64 i) const override {
    return about(path_ + ": " + name(i), [&] { return read_tail(i).info; });
  }

  std::vector<Image> clips(i64 i, const ChooseTimes& choose) const override {
    const Staged reading(LoadStage::read);
    return about(path_ + ": " + name(i), [&] {
      const PackedSample& s = sample(i);
      const Tail tail = read_tail(i);
      std::vector<Image> clips;
      for (const Times& times : choose(tail.info)) {
        Image clip{s.height, s.width, {}, static_cast<int>(times.size()), s.channels};
        clip.rgb.resize(times.size() * clip.frame_bytes());
        for (std::size_t f = 0; f < times.size(); ++f)
          read_frame(s, tail, nearest_frame(tail.info.times, times[f]), clip.frame(static_cast<int>(f)));
        clips.push_back(std::move(clip));
      }
      return clips;
    });
  }

  void check_sample(i64 i) const override {
    about(path_ + ": " + name(i), [&] {
      const Tail tail = read_tail(i);
      std::vector<std::uint8_t> frame(static_cast<std::size_t>(sample(i).frame_bytes()));
      for (i64 f = 0; f < tail.info.frames; ++f) read_frame(sample(i), tail, f, frame.data());
    });
  }

  std::vector<std::string> files(i64 i) const override {
    std::vector<std::string> paths;
    for (const PackedSource& source : sample(i).sources) paths.push_back(source.path);
    return paths;
  }

 private:
  struct Tail {
    VideoInfo info;
    std::vector<std::uint32_t> crcs;
  };
  const PackedSample& sample(i64 i) const { return index_.samples.at(static_cast<std::size_t>(i)); }

  Tail read_tail(i64 i) const {
    const PackedSample& s = sample(i);
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(s.tail_bytes()));
    file_.read(s.offset + s.frame_bytes() * s.frames, bytes.data(), s.tail_bytes());
    check(Exit::data, crc32c(bytes.data(), bytes.size()) == s.crc, "its times are damaged; pack it again");
    Tail tail;
    tail.info.frames = s.frames;
    tail.info.times.resize(static_cast<std::size_t>(s.frames));
    tail.crcs.resize(static_cast<std::size_t>(s.frames));
    const std::size_t times = tail.info.times.size() * sizeof(double);
    std::memcpy(tail.info.times.data(), bytes.data(), times);
    std::memcpy(tail.crcs.data(), bytes.data() + times, bytes.size() - times);
    tail.info.duration = s.duration;
    tail.info.fps = s.fps;
    tail.info.height = s.height;
    tail.info.width = s.width;
    tail.info.container = "pack";
    tail.info.codec = index_.flow.empty() ? "rgb" : "flow";
    return tail;
  }

  void read_frame(const PackedSample& s, const Tail& tail, i64 f, std::uint8_t* to) const {
    file_.read(s.offset + f * s.frame_bytes(), to, s.frame_bytes());
    check(Exit::data, crc32c(to, static_cast<std::size_t>(s.frame_bytes())) == tail.crcs[static_cast<std::size_t>(f)],
          "frame {} of {} is damaged; pack it again", f, s.frames);
  }

  std::string path_;
  RegularFile file_;
  PackIndex index_;
  std::vector<std::string> labels_;
  std::vector<int> label_;
};

}  // namespace

bool is_pack(const std::string& path) {
  try {
    char mark[sizeof pack_mark] = {};
    const RegularFile file(path, "a pack", size_limit);
    return file.read_some(0, reinterpret_cast<std::uint8_t*>(mark), sizeof mark) == sizeof mark &&
           std::memcmp(mark, pack_mark, sizeof mark) == 0;
  } catch (const Error&) {
    return false;
  }
}

std::unique_ptr<ClipSource> open_pack(const std::string& path, const std::vector<std::string>& known) {
  return about(path, [&] { return std::make_unique<Pack>(path, known); });
}

std::vector<std::string> changed_sources(const std::string& path) {
  const PackIndex index = about(path, [&] { return read_pack_index(RegularFile(path, "a pack", size_limit)); });
  std::vector<std::string> changed;
  std::string before;
  for (const PackedSample& sample : index.samples)
    for (const PackedSource& then : sample.sources) {
      if (std::exchange(before, then.path) == then.path) continue;  // parts of one video lie side by side
      try {
        const PackedSource now = examine_source(then.path);
        if (now.bytes == then.bytes && now.crc == then.crc) continue;
        changed.push_back(then.path + ": is not what was packed: " + to_text(then.bytes) + " bytes, CRC " +
                          hex8(then.crc) + " then, " + to_text(now.bytes) + " bytes, CRC " + hex8(now.crc) + " now");
      } catch (const Error& error) {
        changed.push_back(then.path + ": " + error.what());
      }
    }
  return changed;
}

}  // namespace dactyl

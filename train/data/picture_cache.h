// Pictures of a source, prepared or as a device is to decode them: each read once while there is room, unless every
// epoch draws another, and the bad ones remembered.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "train/data/coded.h"
#include "train/data/source.h"

namespace dactyl {

// A sample and why it cannot be read.
struct Fault {
  i64 sample = 0;
  std::string reason;
};

// What stands for a sample: itself, or another one of its class.
struct Drawn {
  std::shared_ptr<const Image> image;         // prepared; or
  std::shared_ptr<const CodedPicture> coded;  // for a device; neither: bad, and no substitute was asked for
  i64 sample = 0;
  std::vector<Fault> faults;  // met on the way
};

// Safe to use from many threads. Results depend on the files alone, never on the order of calls.
class PictureCache {
 public:
  // coded: files that a device may decode are handed out, and kept, as they are.
  PictureCache(const DataSource& source, const InputSpec& input, i64 byte_limit, bool coded = false);
  // In training (epoch ≥ 0) as the epoch draws it, and a bad sample gives the next good one of its class, by index and
  // cyclically; throws Exit::data if there is none.
  Drawn draw(i64 sample, i64 epoch);

 private:
  struct Picture {
    std::shared_ptr<const Image> image;
    std::shared_ptr<const CodedPicture> coded;
    std::string reason;

    bool good() const { return image || coded; }
    i64 bytes() const;
  };
  Picture get(i64 sample, i64 epoch);
  Picture read(i64 sample, i64 epoch);
  Picture read_coded(i64 sample, const std::string& path);

  const DataSource& source_;
  InputSpec input_;
  const bool coded_;
  i64 byte_limit_, bytes_ = 0;
  std::vector<i64> next_of_class_;
  std::mutex mutex_;
  std::map<i64, Picture> kept_;
  std::set<i64> whole_;  // files for a device that were found complete
};

}  // namespace dactyl

// How fast samples are read, without a net: the loader as training uses it, and its stages one thread at a time.
#pragma once

#include <string>
#include <vector>

#include "nets/nets.h"
#include "train/data_wait.h"

namespace dactyl {

struct LoadingOptions {
  i64 batch = 32;
  int threads = 0;     // 0: one per core, at most 16
  double seconds = 3;  // but at least one batch
  std::string decode = "auto";  // as train --decode
};
struct Loading {
  i64 samples = 0;
  double samples_per_s = 0;  // of the loader, with its copy to the current device
  std::vector<double> ms;    // of each batch
  StageTimes alone;          // of some samples one by one, on one thread
  StageTimes together;       // of the loader's threads
  std::string decoder;       // of the device, as it calls itself; empty: the host decodes
  Decoded decoded;
  Reading reading;
};
// Nothing is kept in memory between epochs, so every sample is decoded again. Exit::data where none can be read.
Loading measure_loading(const std::string& path, const DataSource& source, const InputSpec& input,
                        const LoadingOptions& options);

// Samples for a net of so many frames (0: pictures), as `dactyl train` would open them.
std::shared_ptr<const DataSource> loading_source(const std::string& path, i64 frames, bool frame_folders);

}  // namespace dactyl

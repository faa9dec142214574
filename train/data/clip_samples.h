// Clips of videos as a loader takes them: every sample so many frames, in training other ones in every epoch.
#pragma once

#include <optional>

#include "train/data/clip_sampling.h"
#include "train/data/clip_source.h"
#include "train/data/flow_recipe.h"
#include "train/data/source.h"

namespace dactyl {

// Which frames of a sample a net sees. Both name the same number of frames; `testing` is not dense.
struct FrameChoice {
  ClipSampling training{.kind = Sampling::segments}, testing{.kind = Sampling::uniform};
  std::uint64_t seed = 1;
};

// image(i) holds the frames of `testing`, drawn(i, epoch) those of `training`, a pure function of (seed, epoch, i).
// Usage error where the choice makes no sense.
std::unique_ptr<DataSource> clip_samples(std::shared_ptr<const ClipSource> source, const FrameChoice& choice);
// Which classes of the data take part; as it stands, all.
struct ClassChoice {
  i64 min_per_class = 1;  // samples that a class needs
  i64 top_classes = 0;    // so many of the largest ones; 0: all
  bool all() const { return min_per_class <= 1 && top_classes == 0; }
};

struct SampleChoice {
  FrameChoice frames;
  ClassChoice classes;
  std::optional<FlowRecipe> flow;  // clips of optical flow instead of colours
  Device device = Device::cpu();   // that computes it
  bool frame_folders = false;      // folders of pictures are clips, their pictures frames; so they are for flow
};

// What a path holds: pictures as open_source has them, or of videos, folders of frames and packs such clips. Where
// `classes` leaves some out, samples of other labels than the `known` ones are left out too, instead of refused. Flow
// is that of a store made by the same recipe, else computed by the threads that read; usage error where a store was
// made by another recipe.
std::shared_ptr<const DataSource> open_samples(const std::string& path, const std::vector<std::string>& known,
                                               const SampleChoice& choice);

}  // namespace dactyl

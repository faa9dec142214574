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
// What a path holds: pictures as open_source has them, or of videos, folders of frames and packs such clips. With
// `flow` clips of optical flow: of a store made by that recipe, else computed on `device` by the threads that read. Usage
// error where a store was made by another recipe, or where flow is asked of pictures.
std::shared_ptr<const DataSource> open_samples(const std::string& path, const std::vector<std::string>& known,
                                               const FrameChoice& choice, const std::optional<FlowRecipe>& flow = {},
                                               Device device = Device::cpu());

}  // namespace dactyl

// Clips of optical flow, computed when they are read.
#pragma once

#include "train/data/clip_source.h"
#include "train/data/flow_recipe.h"

namespace dactyl {

// The same samples with two channels, u and v as bytes. The clips of `source` are brought to the recipe's short side
// first. Computed on `device` by the thread that asks, each on a stream of its own; the same bytes for any choice of
// frames, so a store of all of them (write_pack) is a cache of this. Usage error where the source is flow already,
// or a pack of frames of another size.
std::unique_ptr<ClipSource> with_flow(std::shared_ptr<const ClipSource> source, const FlowRecipe& recipe,
                                      Device device);
// Flow of what open_clips finds at a path: of a store made by that recipe, else computed. Usage error where a store was
// made by another one, or a pack holds frames of another size.
std::shared_ptr<const ClipSource> open_flow(const std::string& path, const std::vector<std::string>& known,
                                            const FlowRecipe& recipe, Device device, bool frame_folders = false);

}  // namespace dactyl

// A sheet with one sample per class and what the model saw in it, as Fig. 4 of the paper.
#pragma once

#include <string>
#include <vector>

#include "train/data/source.h"
#include "train/metrics.h"

namespace dactyl {

// predictions.svg and .png in `folder`, from predictions.gp and the tiled pictures predictions_tiles.png. The sample of
// a class is its middle one in the predictions' order, of clips three frames, of optical flow in flow_picture's
// colours; of many classes the first hundred are shown.
void draw_sheet(const std::string& folder, const std::vector<Prediction>& predictions, const DataSource& source,
                const std::vector<std::string>& labels);

}  // namespace dactyl

// F1 of the most frequent classes as bars.
#pragma once

#include <string>

#include "train/metrics.h"

namespace dactyl {

// f1_top10.svg and .png into `folder`: the 10 classes with the most samples, the most frequent one above; the same for
// 20 where more than 10 classes have samples, else a former f1_top20 is removed. Drawn from CSV files beside them.
void draw_f1(const std::string& folder, const Metrics& metrics);

}  // namespace dactyl

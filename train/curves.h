// The picture of a training: accuracy and loss against the iteration, training and validation.
#pragma once

#include <string>
#include <vector>

#include "engine/check.h"

namespace dactyl {

// The gnuplot script that draws train.csv and val.csv, which lie beside it, to curves.svg and curves.png. `starts`: the
// steps at which stages begin, marked by lines. `smoothing`: training values are averaged over about this many steps.
// `loss_note`: what sets the training loss apart from the validation loss on the same axis, as "weighted by class".
std::string curves_script(const std::string& title, const std::vector<i64>& starts, i64 smoothing, bool validated,
                          const std::string& loss_note = "");

}  // namespace dactyl

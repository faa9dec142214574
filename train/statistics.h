// Running statistics from data, for nets whose weights came without them.
#pragma once

#include <functional>

#include "nets/nets.h"

namespace dactyl {

// Measures over inputs, as model.forward takes them, what each normalisation of an I3D sees, and makes that its running
// statistics; what the net computes at inference stays (recalibrate in weights/inflate.h). `next` gives an undefined
// tensor when there are no more. Exit::usage for another net than i3d, Exit::data without any input.
void reestimate_statistics(Model& model, const std::function<Tensor()>& next);

}  // namespace dactyl

// Running statistics from data, for nets whose weights came without them.
#pragma once

#include <functional>

#include "nets/nets.h"
#include "train/data/source.h"

namespace dactyl {

// Measures over inputs, as model.forward takes them, what each normalisation of an I3D sees, and makes that its running
// statistics; what the net computes at inference stays (recalibrate in weights/inflate.h). `next` gives an undefined
// tensor when there are no more. Exit::usage for another net than i3d, Exit::data without any input.
void reestimate_statistics(Model& model, const std::function<Tensor()>& next);

// Inflates BVLC's GoogLeNet into an I3D so that every unit gives on `pictures`, as clips of one repeated picture, the
// mean and deviation it gave on the pictures themselves, which an I3D without the two LRN else does not. Bad pictures
// are left out. `advance` is told how many pictures were seen; each is seen twice. Exit::data if none can be read.
void inflate_measured(Model& i3d, const Model& googlenet, const DataSource& pictures,
                      const std::function<void(i64 pictures)>& advance = {});

}  // namespace dactyl

// Turns two-dimensional filters into three-dimensional ones: a GoogLeNet trained on pictures begins an I3D.
#pragma once

#include <map>

#include "engine/parameters.h"

namespace dactyl {

// Which GoogLeNet a file holds: "googlenet-bn" or "googlenet"; "" for any other. `holds` tells whether it has a tensor.
std::string inflatable(const std::function<bool(const std::string&)>& holds);

// Mean and variance per channel of what a unit's convolution hands to its normalisation.
struct Moments {
  std::vector<float> mean, var;
};

// What BVLC's GoogLeNet, which does not normalise, makes of pictures.
struct PictureMoments {
  std::map<std::string, Moments> units;            // of convolution plus bias, by unit
  std::map<std::string, std::vector<float>> kept;  // by unit before an LRN: what that leaves of each channel, a factor
};

// Fills every parameter of an I3D, head included, from a GoogLeNet's (Carreira and Zisserman 2017, section 3.4): a
// kernel is repeated in time and divided by its new length, so that a clip of one repeated frame gives what the frame
// gave. `model` is "googlenet-bn" or "googlenet". A gamma moves into the filters that read its channel. Exit::usage
// with the counts if the heads have different numbers of classes. The GoogLeNet lies on the CPU.
// With `seen`, for BVLC's, every unit has as scale and shift the deviation and the mean that it had on pictures, and
// its statistics must be set next.
void inflate(Parameters& i3d, const Parameters& googlenet, const std::string& model, const PictureMoments& seen = {});

// Makes these the running statistics of an I3D, by unit, without changing what it computes at inference: the rest moves
// into shifts and filters. Training with the statistics of batches then begins where inference stands. Needed after
// inflating BVLC's GoogLeNet, which knows no statistics.
void recalibrate(Parameters& i3d, const std::map<std::string, Moments>& measured);

// Makes these the running statistics of an I3D, by unit, and nothing else: what it computes at inference follows them.
void set_statistics(Parameters& i3d, const std::map<std::string, Moments>& measured);

}  // namespace dactyl

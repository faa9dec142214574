// AlexNet: BVLC's caffemodel (conv1 … fc8) and torchvision's state_dict (features.0 … classifier.6).
#pragma once

#include "weights/names/names.h"

namespace dactyl {

inline constexpr NameRow alexnet_names[] = {
    {"conv1.weight", "conv1.weight", 0, Channels::bgr},
    {"fc6.weight", "fc6.weight", 256},
};

inline constexpr NameRow alexnet_torchvision_names[] = {
    {"classifier.1.weight", "classifier.1.weight", 256},
};

}  // namespace dactyl

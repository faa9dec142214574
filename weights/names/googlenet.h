// GoogLeNet: BVLC's caffemodel (conv1/7x7_s2 … loss3/classifier) and torchvision's state_dict (conv1.conv … fc).
#pragma once

#include "weights/names/names.h"

namespace dactyl {

inline constexpr NameRow googlenet_names[] = {
    {"conv1/7x7_s2.weight", "conv1/7x7_s2.weight", 0, Channels::bgr},
    {"loss1/fc.weight", "loss1/fc.weight", 128},
    {"loss2/fc.weight", "loss2/fc.weight", 128},
};

inline constexpr NameRow googlenet_bn_names[] = {
    {"aux1.fc1.weight", "aux1.fc1.weight", 128},
    {"aux2.fc1.weight", "aux2.fc1.weight", 128},
};

}  // namespace dactyl

// MobileNet v1 of any width: Keras' application, whose units are called as ours (conv1, conv_dw_1 … conv_preds).
#pragma once

#include "weights/names/names.h"

namespace dactyl {

inline constexpr Dialect mobilenet_keras{"",
                                         "/kernel",
                                         "/bias",
                                         "_bn/gamma",
                                         "_bn/beta",
                                         "_bn/moving_mean",
                                         "_bn/moving_variance",
                                         Axes::outputs_last,
                                         "/depthwise_kernel"};

}  // namespace dactyl

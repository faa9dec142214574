// Foreign axis orders brought into ours: channels last, and red before green before blue.
#pragma once

#include "engine/tensor.h"

namespace dactyl {

// A foreign weight (O, I, k…) as (O, k…, I). On the CPU; rank 3 or more.
Tensor channels_last(const Tensor& weight);
// A linear layer's weight (O, K) whose columns are a flattened (channels, H, W), as (H, W, channels).
Tensor channels_last_columns(const Tensor& weight, i64 channels);
// A first convolution's weight (O, k…, 3) with input channels 0 and 2 exchanged.
Tensor red_and_blue_swapped(const Tensor& weight);

}  // namespace dactyl

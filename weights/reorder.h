// Foreign axis orders brought into ours: channels last, and red before green before blue.
#pragma once

#include "engine/tensor.h"

namespace dactyl {

// A foreign weight (O, I, k…) as (O, k…, I). On the CPU; rank 3 or more.
Tensor channels_last(const Tensor& weight);

// The order of a weight's axes in a file. outputs_first: (O, I, k…), PyTorch and Caffe; outputs_last: (k…, I, O),
// TensorFlow and Keras, vectors and (I, O) of a linear layer included; depthwise: (k…, C, 1), Keras, a filter per
// channel.
enum class Axes { outputs_first, outputs_last, depthwise };
const char* change_of(Axes axes);                     // in words, for reports
Shape stored_shape(const Shape& ours, Axes axes);     // of a weight that is `ours` here: (O, k…, I), or (C, k…, 1)
Tensor from_stored(const Tensor& weight, Axes axes);  // a weight of a file as ours; on the CPU

// A linear layer's weight (O, K) whose columns are a flattened (channels, H, W), as (H, W, channels).
Tensor channels_last_columns(const Tensor& weight, i64 channels);
// A first convolution's weight (O, k…, 3) with input channels 0 and 2 exchanged.
Tensor red_and_blue_swapped(const Tensor& weight);

}  // namespace dactyl

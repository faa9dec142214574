// A checkpoint with every number type, a name and a note that need care.
#pragma once

#include "weights/checkpoint.h"

namespace dactyl {

inline Checkpoint sample(float first = 1) {
  Checkpoint c;
  c.tensors["conv.weight"] = Tensor::from({2, 1, 1, 3}, std::vector<float>{first, 2, 3, 4, 5, 6});
  c.tensors["conv.bias"] = Tensor::from({2}, std::vector<float>{-1, -2}, DType::bf16);
  c.tensors["double"] = Tensor::from({1}, std::vector<float>{0.5f}, DType::f64);
  c.tensors["half"] = Tensor::from({3}, std::vector<float>{1, 2, 3}, DType::f16);
  c.tensors["steps"] = Tensor::from({2}, std::vector<std::int32_t>{7, -9});
  c.tensors["bytes"] = Tensor::full({5}, 200, DType::u8);
  c.tensors["none"] = Tensor::zeros({0, 4});
  c.tensors["手"] = Tensor::scalar(4);
  c.notes = {{"dactyl.layout", "dactyl"}, {"who", "line\nbreak \"quoted\" ü"}};
  return c;
}

}  // namespace dactyl

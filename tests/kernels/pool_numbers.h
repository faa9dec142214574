// Numbers on which pools differ if they can.
#pragma once

#include <limits>

#include "tests/check_op.h"

namespace dactyl {

// Few different numbers, so that ties are common, with zeros of both signs, NaN and −∞ among them.
inline Tensor tied(const Shape& shape, DType type) {
  std::vector<float> values(static_cast<std::size_t>(shape.count()));
  Sequence random(test_seed(), 78);
  const float special[] = {0.0f, -0.0f, std::numeric_limits<float>::quiet_NaN(),
                           -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};
  for (float& v : values) {
    const auto drawn = random.below(14);
    v = drawn < 5 ? special[drawn] : static_cast<float>(drawn) - 9.5f;
  }
  return Tensor::from(shape, values, type);
}

// The same numbers with other numbers between the rows.
inline Tensor pitched(const Tensor& t) {
  const i64 channels = t.shape().channels();
  Tensor wide(t.shape().with(-1, channels + 16), t.dtype(), t.device());
  wide.fill(3);
  Tensor inner = wide.slice(8, channels);
  inner.copy_from(t);
  return inner;
}

}  // namespace dactyl

// Windows and numbers for normalisation with a max pool behind it.
#pragma once

#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl::norm_pool {

struct Case {
  Shape x;
  Window window;
  Rounding rounding = Rounding::floor;
};

// The windows of the nets, paddings that differ, and one that no net has; extents that fill no box.
inline std::vector<Case> cases() {
  return {{{2, 13, 15, 64}, square(3, 2), Rounding::ceil},
          {{1, 14, 9, 48}, square(3, 2, 1)},
          {{1, 11, 12, 24}, square(3, 1, 1)},
          {{2, 3, 12, 14, 16}, {{1, 3, 3}, {1, 2, 2}, {0, 0, 0}, {0, 1, 1}}},
          {{2, 3, 9, 7, 72}, {{1, 3, 3}, {1, 2, 2}, {0, 1, 1}, {0, 1, 1}}},
          {{1, 6, 9, 14, 72}, {{3, 3, 3}, {2, 2, 2}, {0, 0, 0}, {1, 1, 1}}},
          {{2, 4, 7, 6, 16}, {{2, 2, 2}, {2, 2, 2}, {0, 0, 0}, {0, 1, 0}}},
          {{1, 5, 7, 9, 8}, window({3, 3, 3}, {1, 1, 1}, {1, 1, 1})},
          {{2, 9, 8, 32}, square(5, 3, 2)},
          {{2, 9, 24}, window({4}, {1}, {2})}};
}

inline constexpr DType types[] = {DType::f32, DType::bf16, DType::f16};

// Whole numbers of which few differ: ties are common, and sums of the gradient are exact.
inline Tensor few(const Shape& shape, std::uint32_t stream, DType type, float step = 1, bool with_nan = false) {
  std::vector<float> values(static_cast<std::size_t>(shape.count()));
  Sequence random(test_seed(), stream);
  for (float& v : values) {
    v = (static_cast<float>(random.below(13)) - 6) * step;
    if (with_nan && random.below(4) == 0) v = std::numeric_limits<float>::quiet_NaN();
  }
  return Tensor::from(shape, values, type);
}

// Powers of two of either sign as scales, small numbers as mean and shift: no rounding changes what is equal.
struct Exact {
  Tensor gamma, beta, mean, var;
  explicit Exact(i64 channels) : gamma(each(channels, {1, -2, 0.5f, -1})), beta(each(channels, {0, 1, -2})) {
    mean = each(channels, {1, 0, -1, 2, 0.5f});
    var = each(channels, {4, 1});
  }
  static Tensor each(i64 channels, const std::vector<float>& values) {
    std::vector<float> all(static_cast<std::size_t>(channels));
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = values[i % values.size()];
    return Tensor::from({channels}, all);
  }
};

// The same numbers with other numbers between the rows, on the 16-byte grid.
inline Tensor pitched(const Tensor& t) {
  const i64 channels = t.shape().channels();
  Tensor inner = Tensor::full(t.shape().with(-1, channels + 16), 3, t.dtype()).slice(8, channels);
  inner.copy_from(t);
  return inner;
}

inline NormOptions frozen(bool relu, Algorithm algorithm = Algorithm::automatic) {
  return {.statistics = Statistics::frozen, .epsilon = 0, .relu = relu, .algorithm = algorithm};
}

inline PoolOptions pool_of(const Case& c, Algorithm algorithm = Algorithm::automatic) {
  return {.window = c.window, .rounding = c.rounding, .into = {}, .algorithm = algorithm};
}

}  // namespace dactyl::norm_pool

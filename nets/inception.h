// The four-branch block of GoogLeNet: 1×1, 1×1 → 3×3, 1×1 → 5×5, pool → 1×1, joined over channels.
#pragma once

#include <array>

#include "nets/layers.h"

namespace dactyl {

// A row of Table 1 of the GoogLeNet paper.
struct InceptionRow {
  std::string name;
  i64 c1, c3_reduce, c3, c5_reduce, c5, pool;
  i64 channels() const { return c1 + c3 + c5 + pool; }
};

// What differs between releases: the units' names, the kernels, what follows a convolution.
struct InceptionStyle {
  std::array<std::string, 6> names;  // 1×1, reduce, 3×3, reduce, 5×5, projection
  Kernel k1, k3, k5, pool;
  Style unit;
};

class Inception {
 public:
  Inception(Scope at, i64 in, const InceptionRow& row, const InceptionStyle& s)
      : row_(row),
        pool_(s.pool),
        one_(at / s.names[0], in, row.c1, s.k1, s.unit),
        three_reduce_(at / s.names[1], in, row.c3_reduce, s.k1, s.unit),
        three_(at / s.names[2], row.c3_reduce, row.c3, s.k3, s.unit),
        five_reduce_(at / s.names[3], in, row.c5_reduce, s.k1, s.unit),
        five_(at / s.names[4], row.c5_reduce, row.c5, s.k5, s.unit),
        projection_(at / s.names[5], in, row.pool, s.k1, s.unit) {}

  // Each branch's last unit writes its slice of the joined tensor, so concat finds them in place and copies nothing.
  Tensor operator()(const Tensor& x, Pass& pass) const {
    Tensor joined(x.shape().with(-1, row_.channels()), x.dtype(), x.device());
    const i64 third = row_.c1 + row_.c3, fourth = third + row_.c5;
    const Tensor a = one_(x, pass, joined.slice(0, row_.c1));
    const Tensor b = three_(three_reduce_(x, pass), pass, joined.slice(row_.c1, row_.c3));
    const Tensor c = five_(five_reduce_(x, pass), pass, joined.slice(third, row_.c5));
    const Tensor d = projection_(max_pool(x, {.window = pool_.on(x.shape())}), pass, joined.slice(fourth, row_.pool));
    return concat({a, b, c, d});
  }

 private:
  InceptionRow row_;
  Kernel pool_;
  ConvUnit one_, three_reduce_, three_, five_reduce_, five_, projection_;
};

}  // namespace dactyl

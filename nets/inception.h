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
// The widths of a block as the paper calls it, "3a" … "5b", under the name a release gives it.
InceptionRow inception_row(const std::string& block, const std::string& name);

// What differs between releases: the units' names, the kernels (for images or clips), what follows a convolution.
struct InceptionStyle {
  std::array<std::string, 6> names;  // 1×1, reduce, 3×3, reduce, 5×5, projection
  Kernel k1, k3, k5, pool;
  Style unit;
};

class Inception {
 public:
  Inception(Scope at, i64 in, const InceptionRow& row, const InceptionStyle& style);
  Tensor operator()(const Tensor& x, Pass& pass) const;

 private:
  struct Branches {
    Tensor one, three, five, projection;  // slices of a joined tensor, or what lies in them
  };
  Branches places_for(const Tensor& x) const;
  Branches apart(const Tensor& x, const Branches& into, Pass& pass) const;
  Branches normalised(const Tensor& x, const Branches& into, Pass& pass) const;
  Tensor pooled(const Tensor& x) const;

  InceptionRow row_;
  Kernel pool_;
  ConvUnit one_, three_reduce_, five_reduce_;  // in this order: their weights are neighbours
  ConvUnit three_, five_, projection_;
};

}  // namespace dactyl

// One convolution for several units.
#include "nets/siblings.h"

namespace dactyl {

Siblings::Siblings(const Tensor& x, Pass& pass, std::vector<const ConvUnit*> units)
    : x_(x), pass_(pass), units_(std::move(units)) {
  std::vector<Tensor> weights;
  std::vector<i64> widths;
  for (const ConvUnit* unit : units_) {
    if (!unit->normalises(x, pass) || unit->groups_ != 1) return;
    weights.push_back(in_type_of(*unit->weight_, x));
    widths.push_back(weights.back().shape()[0]);
  }
  const Range range(units_.front()->name_);
  convolved_ = split(conv(x, concat_rows(weights), {.window = units_.front()->kernel_.on(x.shape())}), widths);
}

Tensor Siblings::operator()(std::size_t unit, const Tensor& into) const {
  const Range range(units_[unit]->name_);
  return convolved_.empty() ? (*units_[unit])(x_, pass_, into)
                            : units_[unit]->normalised(convolved_[unit], pass_, into);
}

}  // namespace dactyl

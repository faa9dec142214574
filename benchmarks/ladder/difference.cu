// Comparing a large result where it lies.
#include <cmath>
#include <limits>

#include "benchmarks/ladder/ladder.h"
#include "engine/reduce.h"

namespace dactyl::ladder {
namespace {

// Folded by the larger one; NaN counts as infinite.
struct Largest {
  double off = 0, number = 0;
  HD Largest& operator+=(const Largest& o) {
    off = o.off > off ? o.off : off;
    number = o.number > number ? o.number : number;
    return *this;
  }
};

// Number n of a part of both.
struct Load {
  i64 count, columns;
  const bf16* got;
  const double* want;
  HD Largest operator()(i64 part, i64 n) const {
    const i64 i = part * columns + n;
    if (i >= count) return {};
    const double off = std::abs(double(float(got[i])) - want[i]);
    return {off >= 0 ? off : std::numeric_limits<double>::infinity(), std::abs(want[i])};
  }
};

struct Kept {
  Largest* all;
  HD Largest operator()(i64, i64 part) const { return all[part]; }
  HD void operator()(i64 part, const Largest& sum) const { all[part] = sum; }
};

struct Answer {
  double* to;
  HD void operator()(i64, const Largest& sum) const {
    to[0] = sum.off;
    to[1] = sum.number;
  }
};

}  // namespace

double largest_difference(const Tensor& got, const Tensor& want) {
  check(got.shape() == want.shape() && got.is_dense() && want.is_dense(), "ladder: results {} and {} do not fit",
        got.shape(), want.shape());
  constexpr i64 parts = 4096;
  const Tensor scratch({parts * static_cast<i64>(sizeof(Largest))}, DType::u8, got.device());
  const Tensor answer({2}, DType::f64, got.device());
  const Kept kept{reinterpret_cast<Largest*>(scratch.raw())};
  const i64 columns = (got.count() + parts - 1) / parts;
  const Load load{got.count(), columns, got.data<bf16>(), want.data<double>()};
  fold_rows<Largest>(got.device(), parts, columns, load, kept);
  fold_rows<Largest>(got.device(), 1, parts, kept, Answer{answer.data<double>()});
  const Tensor host = answer.to(Device::cpu());
  const double off = host.data<double>()[0], number = host.data<double>()[1];
  return off == 0 ? 0 : off / number;
}

}  // namespace dactyl::ladder

// Nine rows of the GoogLeNet paper's Table 1, and the block they describe.
#include "nets/inception.h"

#include "engine/fork.h"
#include "nets/siblings.h"

namespace dactyl {
namespace {

// clang-format off
//                               1×1  3×3r  3×3  5×5r  5×5  pool
const InceptionRow table[] = {{"3a",  64,  96, 128,  16,  32,  32},
                              {"3b", 128, 128, 192,  32,  96,  64},
                              {"4a", 192,  96, 208,  16,  48,  64},
                              {"4b", 160, 112, 224,  24,  64,  64},
                              {"4c", 128, 128, 256,  24,  64,  64},
                              {"4d", 112, 144, 288,  32,  64,  64},
                              {"4e", 256, 160, 320,  32, 128, 128},
                              {"5a", 256, 160, 320,  32, 128, 128},
                              {"5b", 384, 192, 384,  48, 128, 128}};
// clang-format on

}  // namespace

InceptionRow inception_row(const std::string& block, const std::string& name) {
  for (InceptionRow r : table)
    if (r.name == block) {
      r.name = name;
      return r;
    }
  fail(Exit::failure, "inception: no block {}", {block});
}

Inception::Inception(Scope at, i64 in, const InceptionRow& row, const InceptionStyle& s)
    : row_(row),
      pool_(s.pool),
      one_(at / s.names[0], in, row.c1, s.k1, s.unit),
      three_reduce_(at / s.names[1], in, row.c3_reduce, s.k1, s.unit),
      five_reduce_(at / s.names[3], in, row.c5_reduce, s.k1, s.unit),
      three_(at / s.names[2], row.c3_reduce, row.c3, s.k3, s.unit),
      five_(at / s.names[4], row.c5_reduce, row.c5, s.k5, s.unit),
      projection_(at / s.names[5], in, row.pool, s.k1, s.unit) {}

// Each branch's last unit writes its slice of the joined tensor, so concat finds them in place and copies nothing.
Tensor Inception::operator()(const Tensor& x, Pass& pass) const {
  Tensor joined(x.shape().with(-1, row_.channels()), x.dtype(), x.device());
  const i64 third = row_.c1 + row_.c3, fourth = third + row_.c5;
  const Siblings first(x, pass, {&one_, &three_reduce_, &five_reduce_});
  Tensor a, b, c, d;
  {
    Fork fork;
    fork([&] { a = first(0, joined.slice(0, row_.c1)); });
    fork([&] { b = three_(first(1), pass, joined.slice(row_.c1, row_.c3)); });
    fork([&] { c = five_(first(2), pass, joined.slice(third, row_.c5)); });
    fork([&] { d = projection_(max_pool(x, {.window = pool_.on(x.shape())}), pass, joined.slice(fourth, row_.pool)); });
  }
  return concat({a, b, c, d});
}

}  // namespace dactyl

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
  const Branches into = places_for(x);
  const Branches y = one_.normalises(x, pass) ? normalised(x, into, pass) : apart(x, into, pass);
  return concat({y.one, y.three, y.five, y.projection});
}

Inception::Branches Inception::places_for(const Tensor& x) const {
  const Tensor joined(x.shape().with(-1, row_.channels()), x.dtype(), x.device());
  const i64 third = row_.c1 + row_.c3, fourth = third + row_.c5;
  return {joined.slice(0, row_.c1), joined.slice(row_.c1, row_.c3), joined.slice(third, row_.c5),
          joined.slice(fourth, row_.pool)};
}

Inception::Branches Inception::apart(const Tensor& x, const Branches& into, Pass& pass) const {
  Branches y;
  Fork fork;
  fork([&] { y.one = one_(x, pass, into.one); });
  fork([&] { y.three = three_(three_reduce_(x, pass), pass, into.three); });
  fork([&] { y.five = five_(five_reduce_(x, pass), pass, into.five); });
  fork([&] { y.projection = projection_(pooled(x), pass, into.projection); });
  return y;
}

// What is normalised after its convolution is done in steps of the whole block.
Inception::Branches Inception::normalised(const Tensor& x, const Branches& into, Pass& pass) const {
  const std::vector<Tensor> first = convolved_together(x, {&one_, &three_reduce_, &five_reduce_});
  const std::vector<Tensor> inner = normalised_together(
      {{one_, first[0], into.one}, {three_reduce_, first[1], {}}, {five_reduce_, first[2], {}}}, pass);
  Tensor three, five, projection;
  {
    Fork fork;
    fork([&] { three = three_.convolved(inner[1]); });
    fork([&] { five = five_.convolved(inner[2]); });
    fork([&] { projection = projection_.convolved(pooled(x)); });
  }
  const std::vector<Tensor> last = normalised_together(
      {{three_, three, into.three}, {five_, five, into.five}, {projection_, projection, into.projection}}, pass);
  return {inner[0], last[0], last[1], last[2]};
}

Tensor Inception::pooled(const Tensor& x) const { return max_pool(x, {.window = pool_.on(x.shape())}); }

}  // namespace dactyl

// y = x·keep/(1 − p), keep drawn from the counter (seed, step, call, index). Nothing is stored: backward draws again.
#include "engine/each.h"
#include "engine/random.h"
#include "kernels/ops.h"

namespace dactyl {
namespace {

// The step is read where the body runs, so that a replayed graph draws anew. Who increments it must do so after
// backward, or the mask of backward would differ from that of forward.
struct Mask {
  std::uint64_t seed;
  std::uint32_t call;
  float drop;
};

template <class T>
void masked(const Mask& mask, const Tensor& step, const Tensor& from, const Tensor& to) {
  using C = compute_t<T>;
  const T* x = from.data<T>();
  T* y = to.data<T>();
  const std::int32_t* step_number = step.data<std::int32_t>();
  const i64 n = from.count();
  const C scale = C(1 / (1 - double{mask.drop}));
  each(from.device(), (n + 3) / 4, [=] HD(i64 four) {
    const Philox::Block drawn =
        Philox(mask.seed)(static_cast<std::uint32_t>(four), static_cast<std::uint32_t>(four >> 32), mask.call,
                          static_cast<std::uint32_t>(*step_number));
    for (i64 j = 0; j < 4 && 4 * four + j < n; ++j) {
      const i64 i = 4 * four + j;
      y[i] = T(Philox::uniform(drawn.v[j]) < mask.drop ? C(0) : C(x[i]) * scale);
    }
  });
}

Tensor masked(const Mask& mask, const Tensor& step, const Tensor& x) {
  Tensor y = empty_like(x);
  with_float(x.dtype(), [&]<class T>() { masked<T>(mask, step, x.dense(), y); });
  return y;
}

}  // namespace

Tensor dropout(const Tensor& x, double drop, Random& random) {
  check(drop >= 0 && drop < 1, "dropout: {} is not a probability below 1", drop);
  check(random.step.defined() && random.step.device() == x.device(),
        "dropout: the random state has no step counter on {}", x.device());
  if (drop == 0) return x;
  const Mask mask{random.seed, random.call++, static_cast<float>(drop)};
  return record("dropout", {x}, masked(mask, random.step, x),
                [mask, step = random.step](const Tensor& dy) { return Grads{masked(mask, step, dy)}; });
}

}  // namespace dactyl

// Numbers in another floating-point type.
#include "engine/each.h"

namespace dactyl {
namespace {

// As many numbers as fill 16 bytes of the narrower type.
template <class A, class B>
struct ConvertPacks {
  static constexpr int size = std::max(Pack<A>::size, Pack<B>::size);
  A* to;
  const B* from;
  HD void operator()(i64 i) const {
    Pack<A> out[size / Pack<A>::size];
    for (int first = 0; first < size; first += Pack<B>::size) {
      const Pack<B> in = Pack<B>::load(from + i * size + first);
      for (int j = 0; j < Pack<B>::size; ++j)
        out[(first + j) / Pack<A>::size].v[(first + j) % Pack<A>::size] = A(compute_t<A>(in.v[j]));
    }
    for (int p = 0; p < size / Pack<A>::size; ++p) out[p].store(to + i * size + p * Pack<A>::size);
  }
};

template <class A, class B>
void convert_typed(Device device, i64 n, A* to, const B* from) {
  if (device.is_cuda() && aligned(to) && aligned(from)) {
    const i64 packs = n / ConvertPacks<A, B>::size, done = packs * ConvertPacks<A, B>::size;
    each(device, packs, ConvertPacks<A, B>{to, from});
    to += done;
    from += done;
    n -= done;
  }
  each(device, n, [=] HD(i64 i) { to[i] = A(compute_t<A>(from[i])); });
}

}  // namespace

Tensor Tensor::to(DType type) const {
  if (type == dtype_) return *this;
  const Tensor source = dense();
  Tensor t(shape_, type, device());
  with_float(type, [&]<class A>() {
    with_float(dtype_, [&]<class B>() { convert_typed(device(), count(), t.data<A>(), source.data<B>()); });
  });
  return t;
}

}  // namespace dactyl

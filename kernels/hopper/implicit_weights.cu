// Which weights' gradients the implicit product computes, by which kernels, and the sums of their parts.
#include "kernels/hopper/implicit_weights.h"

#include "kernels/hopper/implicit.h"

#ifdef __CUDACC__
#include "engine/each.h"
#include "kernels/hopper/implicit_weights_kernel.h"
#endif

namespace dactyl::hopper {

bool is_implicit_weights(const ConvProblem& p) {
  if (p.pass != Pass::weights || p.kernel[2] % 2 == 0) return false;
  ConvProblem other = p;
  other.pass = Pass::forward;
  if (is_implicit(other)) return true;
  other.pass = Pass::data;
  return is_implicit(other);
}

#ifdef __CUDACC__
namespace {

using Launch = void (*)(const ImplicitShape&, const WeightsTile&, const void*, const void*, float*);

template <class M, int taps>
void launch(const ImplicitShape& s, const WeightsTile& tile, const void* x, const void* dy, float* sums) {
  constexpr int bytes = M::stages * M::bytes + 1024, threads = 128 * (M::warpgroups + 1);
  const WeightsGrid grid(s, tile);
  const auto kernel = weights_kernel<M, taps>;
  allow(kernel, bytes);
  kernel<<<grid.tiles * grid.parts, threads, bytes, Context::current().compute().handle()>>>(
      s, grid, input_map(s, x, M::brought(s)), gradient_map(s, dy, M::places), sums);
  check_launch("implicit convolution: weights' gradient");
}

template <int taps, int blocks, int columns>
constexpr Launch launch_if_any() {
  if constexpr (has_weights_kernel(taps, blocks, columns))
    return launch<WeightsMemory<blocks, columns>, taps>;
  else
    return nullptr;
}

template <int taps, int blocks, std::size_t... i>
Launch launch_of(int columns, std::index_sequence<i...>) {
  Launch found = nullptr;
  ((weights_columns[i] == columns ? void(found = launch_if_any<taps, blocks, weights_columns[i]>()) : void()), ...);
  return found;
}

template <int taps>
Launch launch_of(const WeightsTile& t) {
  constexpr auto all = std::make_index_sequence<std::size(weights_columns)>();
  return t.blocks == 1   ? launch_of<taps, 1>(t.columns, all)
         : t.blocks == 2 ? launch_of<taps, 2>(t.columns, all)
         : t.blocks == 3 ? launch_of<taps, 3>(t.columns, all)
                         : nullptr;
}

// dw from the sums of so many parts, in their order.
template <class T>
void add_parts(const Tensor& sums, int parts, const Tensor& dw) {
  const float* from = sums.data<float>();
  T* to = dw.data<T>();
  const i64 count = dw.count();
  each(dw.device(), count, [=] HD(i64 i) {
    constexpr int at_once = 8;  // loads that are on the way together
    float sum = 0;
    int part = 0;
    for (; part + at_once <= parts; part += at_once) {
      float some[at_once];
      for (int k = 0; k < at_once; ++k) some[k] = from[(part + k) * count + i];
      for (int k = 0; k < at_once; ++k) sum += some[k];
    }
    for (; part < parts; ++part) sum += from[part * count + i];
    to[i] = T(sum);
  });
}

}  // namespace

std::vector<WeightsTile> implicit_weights_tiles(const ConvProblem& p) {
  return weights_tiles(weights_shape(p), multiprocessors());
}

void implicit_weights(const ConvProblem& p, const ConvTensors& t, const WeightsTile& tile) {
  const ImplicitShape s = weights_shape(p);
  const Launch launch = s.shared == 5 ? launch_of<5>(tile) : s.shared == 3 ? launch_of<3>(tile) : launch_of<1>(tile);
  check(launch && tile.parts >= 1 && tile.parts <= WeightsGrid(s, tile).runs,
        "implicit convolution: there is no tile {}", to_text(tile));
  const int parts = tile.parts * weights_halves(tile.blocks);
  const Tensor sums({parts * p.w_count()}, DType::f32, t.w.device());
  launch(s, tile, t.x.raw(), t.y.raw(), sums.data<float>());
  add_parts<bf16>(sums, parts, t.w);
}
#else
std::vector<WeightsTile> implicit_weights_tiles(const ConvProblem& p) { return weights_tiles(weights_shape(p), 1); }
void implicit_weights(const ConvProblem&, const ConvTensors&, const WeightsTile&) {
  check(false, "implicit convolution: this build has no GPU code");
}
#endif

}  // namespace dactyl::hopper

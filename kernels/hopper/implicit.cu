// Which convolutions the implicit product computes, by which tiles, and the filter of the data gradient.
#include "kernels/hopper/implicit.h"

#include "kernels/hopper/implicit_choice.h"
#include "kernels/hopper/stem.h"

#ifdef __CUDACC__
#include "engine/each.h"
#include "kernels/clusters.h"
#include "kernels/hopper/implicit_kernel.h"
#include "kernels/hopper/stem_launch.h"
#endif

namespace dactyl::hopper {
namespace {

constexpr i64 longest = i64{1} << 20, most = i64{1} << 30;  // an extent, all places: ints

bool is_window(const ConvProblem& p) {
  for (std::size_t i = 0; i < 3; ++i) {
    const i64 low = p.low[i], high = p.out[i] - p.in[i] + p.kernel[i] - 1 - low, half = p.kernel[i] / 2;
    if (p.kernel[i] < 1 || p.kernel[i] > 5 || p.stride[i] != 1 || low < 0 || low > half || high < 0 || high > half ||
        p.in[i] < 1 || p.out[i] < 1 || p.in[i] > longest)
      return false;
  }
  return p.taps() > 1;
}

bool is_same(const ConvProblem& p) {
  return p.in == p.out && p.kernel[0] % 2 == 1 && p.kernel[1] % 2 == 1 && p.kernel[2] % 2 == 1;
}

// A step of 64 channels may reach into the next group's; the matrix unit takes 16 of them, so a group must end there.
bool are_groups(const ConvProblem& p) {
  if (p.groups < 1 || p.ins % 8 != 0 || p.outs % (8 * p.groups) != 0) return false;
  return p.groups == 1 || (p.pass == Pass::forward ? p.ins : p.outs / p.groups) % unit_channels == 0;
}

}  // namespace

bool is_implicit(const ConvProblem& p) {
  const auto in_packs = [](i64 n) { return n > 0 && n % 8 == 0 && n < longest; };
  const i64 row = p.in[2] + p.kernel[2];  // at least its places
  const bool is_pass = p.pass == Pass::forward || (p.pass == Pass::data && is_same(p));
  const bool aligned = p.alignment[0] >= 16 && p.alignment[1] >= 16 && p.alignment[2] >= 16;
  return is_pass && p.dtype == DType::bf16 && is_window(p) && are_groups(p) && in_packs(p.groups * p.ins) &&
         in_packs(p.outs) && in_packs(p.y_pitch()) && aligned && p.batch >= 1 && p.batch < most &&
         p.out[1] * row < most / p.out[0] && p.out[0] * p.out[1] * row < most / p.batch;
}

#ifdef __CUDACC__
namespace {

static_assert(most_parts <= clusters::blocks);

// As many blocks as there are processors go through the tiles; or, in parts, a cluster of blocks has one tile.
template <int blocks, int columns>
void launch_implicit(const ImplicitShape& s, const void* x, const void* w, int parts, const ImplicitOutput& e) {
  using M = TileMemory<blocks, columns>;
  constexpr int bytes = M::bytes + 1024;
  TileGrid grid(s, {blocks, columns, s.shared > 1, parts});
  const CUtensorMap of_x = input_map(s, x, M::brought(s)), of_w = filter_map(s, w, columns);
  const auto kernel = implicit_kernel<blocks, columns>;
  if (parts > 1)
    return clusters::launch_of(parts, kernel, grid.count / parts, implicit_threads, bytes, "implicit convolution", s,
                               grid, of_x, of_w, e);
  const int launched = std::min(grid.count, multiprocessors());
  grid.stay = grid.filters_stay(s, launched);
  allow(kernel, bytes);
  kernel<<<launched, implicit_threads, bytes, Context::current().compute().handle()>>>(s, grid, of_x, of_w, e);
  check_launch("implicit convolution");
}

using Launch = void (*)(const ImplicitShape&, const void*, const void*, int, const ImplicitOutput&);

template <std::size_t... i>
Launch launch_of(const ImplicitTile& tile, std::index_sequence<i...>) {
  Launch found = nullptr;
  ((implicit_columns[i] == tile.columns ? void(found = tile.blocks == 2 ? launch_implicit<2, implicit_columns[i]>
                                                                        : launch_implicit<1, implicit_columns[i]>)
                                        : void()),
   ...);
  return found;
}

template <class T>
void exchange(const ImplicitShape& s, const Tensor& w, const Tensor& exchanged_w) {
  const T* from = w.data<T>();
  T* to = exchanged_w.data<T>();
  const i64 outs = s.ins, taps = s.taps(), ins = s.outs;  // of w, a group's
  each(w.device(), exchanged_w.count(), [=] HD(i64 i) { to[i] = from[exchanged(i, outs, taps, ins)]; });
}

void run(const ImplicitShape& s, const ImplicitTile& tile, const Tensor& x, const Tensor& w, const ImplicitOutput& e) {
  const Launch launch = launch_of(tile, std::make_index_sequence<std::size(implicit_columns)>());
  const bool parts_fit = tile.parts == 1 || (tile.parts > 1 && tile.blocks == 1 && tile.columns <= parted_columns &&
                                             tile.parts <= std::min(most_parts, s.least_steps()));
  check((tile.blocks == 1 || tile.blocks == 2) && launch && parts_fit, "implicit convolution: there is no tile {}",
        to_text(tile));
  launch(s, x.raw(), w.raw(), tile.parts, e);
}

}  // namespace

bool has_implicit_kernels() { return has_stem_kernels(); }

std::vector<ImplicitTile> implicit_tiles(const ConvProblem& p) { return implicit_tiles(p, multiprocessors()); }

void implicit_conv(const ConvProblem& p, const ConvTensors& t, const ImplicitTile& tile) {
  const ImplicitShape s(p, tile.rows);
  if (p.pass == Pass::forward)
    return run(s, tile, t.x, t.w, {t.bias.defined() ? t.bias.data<bf16>() : nullptr, p.relu, t.y.data<bf16>()});
  const Tensor w({p.w_count()}, DType::bf16, t.w.device());
  exchange<bf16>(s, t.w, w);
  run(s, tile, t.y, w, {nullptr, false, t.x.data<bf16>()});
}
#else
bool has_implicit_kernels() { return false; }
std::vector<ImplicitTile> implicit_tiles(const ConvProblem& p) { return implicit_tiles(p, 1); }
void implicit_conv(const ConvProblem&, const ConvTensors&, const ImplicitTile&) {
  check(false, "implicit convolution: this build has no GPU code");
}
#endif

}  // namespace dactyl::hopper

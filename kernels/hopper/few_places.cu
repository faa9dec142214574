// Which convolutions have few places, and the launch.
#include "kernels/hopper/few_places.h"

#ifdef __CUDACC__
#include "kernels/early.h"
#include "kernels/hopper/few_places_kernel.h"
#include "kernels/hopper/implicit.h"
#include "kernels/hopper/stem_launch.h"
#endif

namespace dactyl::hopper {
namespace {

constexpr i64 most_results = i64{1} << 20;  // 256 full tiles of 64×64
constexpr i64 most = i64{1} << 30;          // of what is counted by ints

bool is_counted(const ConvProblem& p) {
  bool counted = p.x_count() < most && p.w_count() < most && p.y_pitch() < most;
  for (std::size_t i = 0; i < 3; ++i)
    counted = counted && p.in[i] >= 1 && p.stride[i] < most && p.out[i] * p.stride[i] < most && p.low[i] > -most &&
              p.low[i] < most;
  return counted;
}

}  // namespace

bool is_few_places(const ConvProblem& p) {
  const auto in_packs = [](i64 n) { return n > 0 && n % 8 == 0; };
  const bool aligned = p.alignment[0] >= 16 && p.alignment[1] >= 16 && p.alignment[2] >= 16;
  const bool has_packs = p.groups >= 1 && p.outs % p.groups == 0 && in_packs(p.ins) && in_packs(p.outs / p.groups) &&
                         in_packs(p.y_pitch());
  return p.pass == Pass::forward && p.dtype == DType::bf16 && aligned && has_packs && p.y_count() >= 1 &&
         p.y_count() <= most_results && is_counted(p);
}

#ifdef __CUDACC__
namespace {

template <int columns>
void launch(const FewPlacesShape& s, const FewPlacesGrid& g, const ConvTensors& t, const ImplicitOutput& e) {
  early::launch_clusters(g.parts, few_places_kernel<columns>, g.tiles, few_places_threads,
                         FewPlacesMemory<columns>::bytes, "convolution of few places", s, g, t.x.data<bf16>(),
                         t.w.data<bf16>(), e);
}

}  // namespace

std::vector<FewPlacesTile> few_places_tiles(const ConvProblem& p) {
  if (!is_few_places(p) || !has_implicit_kernels()) return {};
  return few_places_tiles(FewPlacesShape(p), multiprocessors());
}

void few_places(const ConvProblem& p, const ConvTensors& t, const FewPlacesTile& tile) {
  check(is_few_places(p), "convolution: {} has more than few places", p);
  const FewPlacesShape s(p);
  const bool is_tile = (tile.columns == 32 || tile.columns == 64) && tile.parts >= 1 &&
                       tile.parts <= std::min(few_places_parts, s.steps());
  check(is_tile, "convolution: there is no tile {}", to_text(tile));
  const ImplicitOutput e{t.bias.defined() ? t.bias.data<bf16>() : nullptr, p.relu, t.y.data<bf16>()};
  (tile.columns == 32 ? launch<32> : launch<64>)(s, FewPlacesGrid(s, tile), t, e);
}
#else
std::vector<FewPlacesTile> few_places_tiles(const ConvProblem&) { return {}; }
void few_places(const ConvProblem&, const ConvTensors&, const FewPlacesTile&) {
  check(false, "convolution of few places: this build has no GPU code");
}
#endif

}  // namespace dactyl::hopper

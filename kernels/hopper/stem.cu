// Which convolutions are stems that the kernels beside this compute.
#include "kernels/hopper/stem.h"

#ifdef __CUDACC__
#include "kernels/hopper/stem_launch.h"
#endif
#include "kernels/hopper/stem_shape.h"

namespace dactyl::hopper {
namespace {

constexpr i64 longest = i64{1} << 20, most = i64{1} << 30;  // an extent, a product of some: places are ints

bool is_small(const ConvProblem& p) {
  for (std::size_t i = 0; i < 3; ++i)
    if (p.in[i] > longest || p.out[i] > longest || p.low[i] > longest || p.stride[i] > 1 << 10) return false;
  const i64 tiles = (p.out[1] / tile_rows + 1) * (p.out[2] / tile_columns + 1);
  return p.in[1] * p.in[2] * p.ins < most && p.out[1] * p.out[2] < most && p.batch < most / p.out[0] / tiles;
}

}  // namespace

bool is_stem(const ConvProblem& p) {
  return p.pass != Pass::data && p.dtype == DType::bf16 && p.groups == 1 && (p.ins == 2 || p.ins == 3) &&
         p.outs == outs && p.kernel[0] <= 7 && p.kernel[1] == 7 && p.kernel[2] == 7 && p.stride[1] == 2 &&
         p.stride[2] == 2 && p.alignment[2] >= 16 && p.rows_out() > 0 && is_small(p);
}

#ifdef __CUDACC__
bool has_stem_kernels() {
  return device_attribute(cudaDevAttrComputeCapabilityMajor) == 9 &&
         device_attribute(cudaDevAttrComputeCapabilityMinor) == 0 &&
         device_attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin) >= 227 << 10;
}
#else
bool has_stem_kernels() { return false; }
void stem_forward(const ConvProblem&, const ConvTensors&) { check(false, "stem: this build has no GPU code"); }
void stem_weights(const ConvProblem&, const ConvTensors&) { check(false, "stem: this build has no GPU code"); }
#endif

}  // namespace dactyl::hopper

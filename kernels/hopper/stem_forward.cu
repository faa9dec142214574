// y = conv(x, w) of a stem. A block keeps all filters in shared memory and goes through tiles of 28×16 outputs. Two
// warpgroups multiply, each 64 channels × 224 outputs (8 columns) in registers; a third one stages the next slab's
// lines into one of two buffers.
//
// The multiplying groups share the matrix unit and go through the slabs independently, the second one behind the first:
// so one multiplies while the other waits or writes its outputs.
//
// Per slab of 3 channels the matrix unit is busy for 2·11 steps of 112 cycles; shared memory for 2·11·(16 + 56) cycles
// of operands and 265 of staging, so arithmetic is the bound.
#include "kernels/hopper/stem.h"

#ifdef __CUDACC__
#include "kernels/hopper/stem_filter.h"
#include "kernels/hopper/stem_launch.h"
#include "kernels/hopper/stem_stage.h"
#include "kernels/hopper/stem_turns.h"
#include "kernels/hopper/wgmma_shapes.h"

namespace dactyl::hopper {
namespace {

struct Epilogue {
  const bf16* bias;  // or null
  bool relu;
  bf16* y;
};

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
using Sums = float[tile_rows * 4];

template <int channels>
__device__ void multiply_slab(Sums& d, unsigned filters, unsigned lines, bool begins) {
  using L = Lines<channels, false>;
  using F = Filters<channels>;
  open_multiplications();
#pragma unroll
  for (int k = 0; k < L::k_steps; ++k) {
    const Granule first = L::granule(L::first_of_step(k)), second = L::granule(L::second_of_step(k));
    const unsigned a = filters + k * F::step_bytes, b = lines + first.at;
    const int leading = second.at - first.at;
    multiply(d, operand(a, F::half_bytes, 128), operand(b, leading, first.row_step), k > 0 || !begins);
  }
  end_multiplications();
  wait_for_multiplications<0>();
  settle(d);
}

__device__ float finished(float sum, float bias, bool relu) {
  sum += bias;
  return relu && sum < 0 ? 0 : sum;
}

__device__ std::uint32_t two(float a, float b) {
  return std::uint32_t{bf16(a).bits} | std::uint32_t{bf16(b).bits} << 16;
}

// A lane ends up with four neighbouring channels of one pixel, a warp with 32 bytes of eight pixels.
__device__ void store_tile(const StemShape& s, const Tile& t, int column, int warp, int lane, const Sums& d,
                           const Epilogue& e) {
  const int m = 16 * warp + lane / 4, out = 16 * warp + lane % 4 * 4;
  const float upper = e.bias ? float(e.bias[out_of_row(m)]) : 0, lower = e.bias ? float(e.bias[out_of_row(m + 8)]) : 0;
  const bool inside = t.column + column + lane / 4 < s.out[2];
  bf16* y = e.y + s.pixel(t, 0, column + lane / 4) * outs + out;
#pragma unroll
  for (int row = 0; row < tile_rows; ++row) {
    const float* v = d + 4 * row;
    const std::uint32_t a = turned(two(finished(v[0], upper, e.relu), finished(v[1], upper, e.relu)));
    const std::uint32_t b = turned(two(finished(v[2], lower, e.relu), finished(v[3], lower, e.relu)));
    if (inside && t.row + row < s.out[1]) store_two(y + i64{row} * s.out[2] * outs, a, b);
  }
}

template <int channels>
__device__ void multiply_all(const StemShape& s, const unsigned char* memory, const Epilogue& e) {
  const int group = warpgroup(), warp = static_cast<int>(threadIdx.x) / 32 % 4;
  const unsigned filters = shared_address(memory), lines = filters + s.depth * Filters<channels>::slab_bytes;
  Sums d = {};
  if (group == 1) wait_at<256>(behind);
  int slab = 0;
  for (TileWalk at(s, blockIdx.x, gridDim.x); at.more(); at.next(), ++slab) {
    const int buffer = slab % 2;
    wait_until_full(buffer, group);
    multiply_slab<channels>(d, filters + at.tap * Filters<channels>::slab_bytes,
                            lines + buffer * Lines<channels, false>::bytes + group * 128, at.begins());
    say_empty(buffer, group);
    if (group == 0 && slab == 0) arrive_at<256>(behind);
    if (at.ends()) store_tile(s, at.tile, 8 * group, warp, threadIdx.x % 32, d, e);
  }
}

template <int channels, bool wide>
__device__ void stage_all(const StemShape& s, unsigned char* lines, const std::uint16_t* x) {
  Staged<channels> staged(static_cast<int>(threadIdx.x) % stagers);
  TileWalk at(s, blockIdx.x, gridDim.x);
  const auto load = [&] {
    if (at.more()) staged.template load<wide>(s, at.tile, at.tap, x);
  };
  load();
  int slab = 0;
  for (; at.more(); ++slab) {
    const int buffer = slab % 2;
    if (slab >= 2) wait_until_empty(buffer);
    staged.template store<false>(lines + buffer * Lines<channels, false>::bytes);
    publish_to_matrix_unit();
    say_full(buffer);
    at.next();
    load();  // its numbers arrive while the buffers are in use
  }
  finish_turns(slab);
}
#endif

template <int channels, bool wide>
__global__ void __launch_bounds__(stem_threads, 1)
    forward_kernel(const __grid_constant__ StemShape s, [[maybe_unused]] const std::uint16_t* x,
                   [[maybe_unused]] const uint4* filters, [[maybe_unused]] const Epilogue e) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  extern __shared__ __align__(128) unsigned char memory[];
  const int bytes = s.depth * Filters<channels>::slab_bytes;
  for (int i = threadIdx.x; i < bytes / 16; i += stem_threads) reinterpret_cast<uint4*>(memory)[i] = filters[i];
  publish_to_matrix_unit();
  __syncthreads();
  if (threadIdx.x < stem_threads - stagers)
    multiply_all<channels>(s, memory, e);
  else
    stage_all<channels, wide>(s, memory + bytes, x);
#endif
}

template <int channels>
Tensor packed_filters(const StemShape& s, const Tensor& w) {
  const Tensor packed({i64{s.depth} * Filters<channels>::slab}, DType::bf16, w.device());
  const bf16* from = w.data<bf16>();
  bf16* to = packed.data<bf16>();
  each(w.device(), packed.count(), [=] HD(i64 i) {
    const i64 source = Filters<channels>::source(s, static_cast<int>(i));
    to[i] = source < 0 ? bf16(0) : from[source];
  });
  return packed;
}

template <int channels, bool wide>
void launch(const StemShape& s, const ConvTensors& t, bool relu) {
  const Tensor filters = packed_filters<channels>(s, t.w);
  const int bytes = s.depth * Filters<channels>::slab_bytes + 2 * Lines<channels, false>::bytes;
  allow(forward_kernel<channels, wide>, bytes);
  const Epilogue e{t.bias.defined() ? t.bias.data<bf16>() : nullptr, relu, t.y.data<bf16>()};
  forward_kernel<channels, wide>
      <<<std::min(s.tiles, multiprocessors()), stem_threads, bytes, Context::current().compute().handle()>>>(
          s, reinterpret_cast<const std::uint16_t*>(t.x.raw()), reinterpret_cast<const uint4*>(filters.raw()), e);
  check_launch("stem: forward");
}

}  // namespace

void stem_forward(const ConvProblem& p, const ConvTensors& t) {
  const StemShape s(p);
  const bool wide = has_wide_rows(p, t.x);
  if (p.ins == 3)
    wide ? launch<3, true>(s, t, p.relu) : launch<3, false>(s, t, p.relu);
  else
    wide ? launch<2, true>(s, t, p.relu) : launch<2, false>(s, t, p.relu);
}

}  // namespace dactyl::hopper
#endif

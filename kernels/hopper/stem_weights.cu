// dw = dyᵀ·windows(x) of a stem. A block has one tap along the depth and some of the tiles; each of two warpgroups
// takes every second row of a tile, 16 outputs a step, and keeps 64 channels × all granules in registers. dy comes in
// as it is and is turned on its way to registers. A third warpgroup brings the next tile in meanwhile. Partial sums are
// added in the order of the blocks.
#include "kernels/hopper/stem.h"

#ifdef __CUDACC__
#include "kernels/hopper/stem_blocks.h"
#include "kernels/hopper/stem_filter.h"
#include "kernels/hopper/stem_launch.h"
#include "kernels/hopper/stem_stage.h"
#include "kernels/hopper/stem_turns.h"
#include "kernels/hopper/wgmma_shapes.h"

namespace dactyl::hopper {
namespace {

template <int channels>
constexpr int stage_bytes = gradient_bytes + Lines<channels, true>::bytes;

#ifdef __CUDA_ARCH_FEAT_SM90_ALL
// Adds the products with a run of granules of the 16 outputs of row 2·pair + parity.
template <int channels, int n>
__device__ void add_run(float (&d)[n], const std::uint32_t (&a)[4], unsigned lines, int run, int parity, int pair) {
  const Granules g = Lines<channels, true>::run(run, parity);
  const unsigned b = lines + g.at + pair * g.two_rows;
  multiply(d, a, operand(b, 128, g.step));
}

// The sums of a warpgroup: runs of granules, as Lines has them.
template <int channels>
struct Sums;
template <>
struct Sums<3> {
  float shifts[3][24] = {}, last[16] = {};

  __device__ void add(const std::uint32_t (&a)[4], unsigned lines, int parity, int pair) {
#pragma unroll
    for (int i = 0; i < 3; ++i) add_run<3>(shifts[i], a, lines, i, parity, pair);
    add_run<3>(last, a, lines, 3, parity, pair);
  }
  template <class F>
  __device__ void each_run(const F& f) {
#pragma unroll
    for (int i = 0; i < 3; ++i) f(shifts[i], 6 * i);
    f(last, 18);
  }
};
template <>
struct Sums<2> {
  float shifts[2][28] = {};

  __device__ void add(const std::uint32_t (&a)[4], unsigned lines, int parity, int pair) {
#pragma unroll
    for (int i = 0; i < 2; ++i) add_run<2>(shifts[i], a, lines, i, parity, pair);
  }
  template <class F>
  __device__ void each_run(const F& f) {
#pragma unroll
    for (int i = 0; i < 2; ++i) f(shifts[i], 7 * i);
  }
};

// A group's rows of a tile, two at a time: dyᵀ of the next two arrives in registers while the last two are multiplied.
template <int channels>
__device__ void multiply_tile(Sums<channels>& sums, unsigned gradient, unsigned lines, int parity) {
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32 % 4;
  std::uint32_t dy[2][2][4];
#pragma unroll
  for (int pair = 0; pair < tile_rows / 2; pair += 2) {
    auto& now = dy[pair / 2 % 2];
    if (pair >= 4) wait_for_multiplications<1>();  // of those before the last
#pragma unroll
    for (int i = 0; i < 2; ++i)
      load_turned(now[i], gradient + turned_pack_at((2 * (pair + i) + parity) * tile_columns, warp, lane));
    open_multiplications();
#pragma unroll
    for (int i = 0; i < 2; ++i) sums.add(now[i], lines, parity, pair + i);
    end_multiplications();
  }
  wait_for_multiplications<0>();
  sums.each_run([](auto& d, int) { settle(d); });
}

template <int channels>
__device__ void multiply_all(TapWalk at, const unsigned char* memory, float* partial) {
  const int group = warpgroup(), warp = threadIdx.x / 32 % 4, lane = threadIdx.x % 32;
  const unsigned stages = shared_address(memory);
  Sums<channels> sums;
  for (int slab = 0; at.more(); at.next(), ++slab) {
    const int buffer = slab % 2;
    const unsigned gradient = stages + buffer * stage_bytes<channels>, lines = gradient + gradient_bytes;
    wait_until_full(buffer, group);
    multiply_tile(sums, gradient, lines, group);
    say_empty(buffer, group);
  }
  float* to = partial + group * FilterSums<channels>::slab + 16 * warp + lane / 4;
  sums.each_run([&](auto& d, int granule) {
    constexpr int count = sizeof(d) / sizeof(float);
#pragma unroll
    for (int i = 0; i < count; ++i) to[(granule * 8 + i / 4 * 8 + lane % 4 * 2 + i % 2) * outs + i / 2 % 2 * 8] = d[i];
  });
}

// dy of a tile, zeros beyond its ends: a stager has one pack of one column.
__device__ void copy_gradient(const StemShape& s, const Tile& t, const bf16* dy, unsigned to) {
  const int column = threadIdx.x % stagers / 8, pack = threadIdx.x % 8;
  const bool inside = t.column + column < s.out[2];
#pragma unroll 4
  for (int row = 0; row < tile_rows; ++row) {
    const bool any = inside && t.row + row < s.out[1];
    copy_pack(to + pack_at(row * tile_columns + column, pack),
              any ? dy + s.pixel(t, row, column) * outs + pack * 8 : dy, any);
  }
}

template <int channels, bool wide>
__device__ void stage_all(const StemShape& s, TapWalk at, unsigned char* memory, const std::uint16_t* x,
                          const bf16* dy) {
  Staged<channels> staged(static_cast<int>(threadIdx.x) % stagers);
  const auto load = [&] {
    if (at.more()) staged.template load<wide>(s, at.tile, at.tap, x);
  };
  load();
  int slab = 0;
  for (; at.more(); ++slab) {
    const int buffer = slab % 2;
    unsigned char* stage = memory + buffer * stage_bytes<channels>;
    if (slab >= 2) wait_until_empty(buffer);
    copy_gradient(s, at.tile, dy, shared_address(stage));
    staged.template store<true>(stage + gradient_bytes);
    publish_to_matrix_unit();
    at.next();
    load();  // for the next slab: its numbers arrive meanwhile
    finish_copies();
    say_full(buffer);
  }
  finish_turns(slab);
}
#endif

template <int channels, bool wide>
__global__ void __launch_bounds__(stem_threads, 1)
    weights_kernel(const __grid_constant__ StemShape s, [[maybe_unused]] const __grid_constant__ StemBlocks blocks,
                   [[maybe_unused]] const std::uint16_t* x, [[maybe_unused]] const bf16* dy,
                   [[maybe_unused]] float* partial) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  extern __shared__ __align__(128) unsigned char memory[];
  const int block = static_cast<int>(blockIdx.x), tap = blocks.tap(block);
  const TapWalk at(s, tap, block - blocks.first[tap], blocks.count(tap));
  if (threadIdx.x < stem_threads - stagers)
    multiply_all<channels>(at, memory, partial + i64{block} * 2 * FilterSums<channels>::slab);
  else
    stage_all<channels, wide>(s, at, memory, x, dy);
#endif
}

// partial (blocks, 2, numbers, outs).
template <int channels>
void add_up(const StemShape& s, const StemBlocks& blocks, const Tensor& partial, const Tensor& dw) {
  constexpr int slab = FilterSums<channels>::slab;
  const float* from = partial.data<float>();
  bf16* to = dw.data<bf16>();
  each(dw.device(), i64{s.depth} * slab, [=] HD(i64 i) {
    const i64 target = FilterSums<channels>::target(s, static_cast<int>(i));
    if (target < 0) return;
    const int tap = static_cast<int>(i / slab), end = 2 * blocks.first[tap + 1];
    float sum = 0;
    for (i64 k = 2 * blocks.first[tap]; k < end; ++k) sum += from[k * slab + i % slab];
    to[target] = bf16(sum);
  });
}

template <int channels, bool wide>
void launch(const StemShape& s, const ConvTensors& t) {
  const StemBlocks blocks(s, multiprocessors());
  const int count = blocks.first[s.depth];
  const Tensor partial({i64{count} * 2 * FilterSums<channels>::slab}, DType::f32, t.x.device());
  constexpr int bytes = 2 * stage_bytes<channels>;
  allow(weights_kernel<channels, wide>, bytes);
  weights_kernel<channels, wide><<<count, stem_threads, bytes, Context::current().compute().handle()>>>(
      s, blocks, reinterpret_cast<const std::uint16_t*>(t.x.raw()), t.y.data<bf16>(), partial.data<float>());
  check_launch("stem: weights' gradient");
  add_up<channels>(s, blocks, partial, t.w);
}

}  // namespace

void stem_weights(const ConvProblem& p, const ConvTensors& t) {
  const StemShape s(p);
  const bool wide = has_wide_rows(p, t.x);
  if (p.ins == 3)
    wide ? launch<3, true>(s, t) : launch<3, false>(s, t);
  else
    wide ? launch<2, true>(s, t) : launch<2, false>(s, t);
}

}  // namespace dactyl::hopper
#endif

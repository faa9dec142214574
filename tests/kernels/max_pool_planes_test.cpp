// 3×3×3 pools by planes in shared memory against the plain bodies. A GPU's blocks run on the CPU as fibers: memory is
// full of NaN at first, copies arrive when they are waited for, blocks' threads run forwards and backwards in turns.
#include "kernels/fast/max_pool_planes_forward.h"

#include "kernels/fast/max_pool.h"
#include "kernels/fast/max_pool_planes_backward.h"
#include "kernels/fast/max_pool_scatter.h"
#include "tests/kernels/host_lanes.h"
#include "tests/kernels/pool_numbers.h"

namespace dactyl {
namespace {

using fast::PoolGrid;

template <class Task>
void run_blocks(const Task& task) {
  const i64 bytes = task.grid.bytes(Task::bytes_per_pack);
  EXPECT_LE(bytes, PoolGrid::most_bytes(Task::bytes_per_pack));
  for (unsigned block = 0; block < static_cast<unsigned>(task.grid.blocks()); ++block)
    ladder::run_fibers(task.grid.threads(), static_cast<std::size_t>(bytes),
                       [&](int index, ladder::Fibers& team, std::byte* memory) {
                         const HostLane lane{team, index, memory, bytes};
                         task(lane, block, index);
                       });
}

struct Case {
  Shape x;
  Shape low = {1, 1, 1}, high = {1, 1, 1};

  Window window() const { return {{3, 3, 3}, {1, 1, 1}, low, high}; }
};

// Tiles of 7 and of 8, filled and not; channels that fill no group of packs; chunks of planes, and whole clips.
std::vector<Case> cases() {
  std::vector<Case> list{{{1, 5, 28, 7, 64}},
                         {{2, 3, 7, 7, 136}},
                         {{1, 4, 15, 16, 8}},
                         {{3, 2, 14, 14, 16}},
                         {{1, 1, 1, 1, 8}},
                         {{1, 2, 3, 2, 24}},
                         {{2, 11, 5, 9, 72}},
                         {{1, 8, 13, 15, 200}},
                         {{1, 6, 5, 8, 8}, {0, 2, 1}, {2, 0, 0}},
                         {{3, 4, 9, 30, 24}},
                         {{1, 7, 2, 3, 8}, {2, 2, 2}, {2, 2, 2}},
                         {{2, 3, 4, 5, 16}, {0, 0, 0}, {0, 0, 0}}};
  if (Context::current().device().is_cuda())  // I3D's, where fibers would take minutes
    for (const Shape& layer : {Shape{2, 10, 28, 28, 192}, {8, 5, 14, 14, 480}, {5, 5, 14, 14, 528}, {3, 3, 7, 7, 832}})
      list.push_back({layer});
  return list;
}

// By the walk of max_pool_walk.h, on the CPU.
Tensor plain_taps(const Geometry& g, const Tensor& x) {
  const Tensor here = x.to(Device::cpu());
  const Use cpu(Device::cpu());
  const Shape shape({g.batch, g.out[0], g.out[1], g.out[2], g.channels});
  const Tensor y(shape, x.dtype()), taps(shape, DType::u8);
  fast::max_pool_forward(g, here, y, taps.data<std::uint8_t>());
  return taps;
}

template <class T, int wide>
void forward_as_fibers(const PoolGrid& grid, const Geometry& g, const Tensor& x, const Tensor& y, std::uint8_t* taps) {
  const fast::Sides<T> at(g, x.pitch(), y.pitch());
  if (taps)
    run_blocks(fast::PlanesForward<T, wide, true>{grid, at, x.data<T>(), y.data<T>(), taps});
  else
    run_blocks(fast::PlanesForward<T, wide, false>{grid, at, x.data<T>(), y.data<T>(), taps});
}

// On the CPU by fibers, in `enough` blocks if chunks can be so short.
void forward(const Geometry& g, const Tensor& x, const Tensor& y, std::uint8_t* taps, i64 enough) {
  if (x.device().is_cuda()) {
    EXPECT_TRUE(fast::max_pool_forward_by_planes(g, x, y, taps));
    return;
  }
  with_narrow(x.dtype(), [&]<class T>(T) {
    const PoolGrid grid = PoolGrid::forward(g, Pack<T>::size, enough);
    (grid.wide == 7 ? forward_as_fibers<T, 7> : forward_as_fibers<T, 8>)(grid, g, x, y, taps);
  });
}

template <class T, int wide>
void backward_as_fibers(const PoolGrid& grid, const Geometry& g, const Tensor& dy, const std::uint8_t* taps,
                        const Tensor& dx) {
  const fast::Sides<T> at(g, dx.pitch(), dy.pitch());
  run_blocks(fast::PlanesBackward<T, wide>{grid, at, dy.data<T>(), taps, dx.data<T>()});
}

void backward(const Geometry& g, const Tensor& dy, const std::uint8_t* taps, const Tensor& dx, i64 enough) {
  if (dy.device().is_cuda()) {
    EXPECT_TRUE(fast::max_pool_backward_by_planes(g, dy, taps, dx));
    return;
  }
  with_narrow(dy.dtype(), [&]<class T>(T) {
    const PoolGrid grid = PoolGrid::backward(g, Pack<T>::size, enough);
    (grid.wide == 7 ? backward_as_fibers<T, 7> : backward_as_fibers<T, 8>)(grid, g, dy, taps, dx);
  });
}

void scatter(const Geometry& g, const Tensor& dy, const std::uint8_t* taps, const Tensor& dx, i64 enough) {
  if (dy.device().is_cuda()) {
    EXPECT_TRUE(fast::max_pool_backward_by_scattering(g, dy, taps, dx));
    return;
  }
  with_narrow(dy.dtype(), [&]<class T>(T) {
    const fast::ScatterGrid grid(g, enough);
    const fast::Sides<T> at(g, dx.pitch(), dy.pitch());
    const fast::ScatterBackward<T> task{grid, at, dy.data<T>(), taps, dx.data<T>()};
    for (unsigned block = 0; block < static_cast<unsigned>(grid.blocks()); ++block)
      ladder::run_fibers(grid.threads(), static_cast<std::size_t>(grid.bytes()),
                         [&](int index, ladder::Fibers&, std::byte* memory) {
                           task(HostWarpLane{memory, grid.bytes()}, block, index);
                         });
  });
}

}  // namespace

TEST(MaxPoolPlanes, forward_equals_plain_bodies) {
  on_each_device([] {
    const Device device = Context::current().device();
    for (const Case& c : cases())
      for (const DType type : {DType::f32, DType::bf16, DType::f16}) {
        SCOPED_TRACE(to_text(c.x) + " " + to_text(c.low) + " " + to_text(type));
        const Tensor x = pitched(tied(c.x, type).to(device));
        const Tensor y = max_pool(x, {.window = c.window(), .algorithm = Algorithm::reference});
        const Geometry g = geometry(c.x, y.shape(), c.window());
        const Tensor into = pitched(y), want = plain_taps(g, x), taps(y.shape(), DType::u8, device);
        for (const i64 enough : {1, 264}) {
          into.detached().fill(-3);
          forward(g, x, into, taps.data<std::uint8_t>(), enough);
          EXPECT_TRUE(same_bits(into, y)) << enough;
          EXPECT_TRUE(same_bits(taps.to(Device::cpu()), want)) << "taps, " << enough;
        }
        into.detached().fill(-3);
        forward(g, x, into, nullptr, 264);
        EXPECT_TRUE(same_bits(into, y)) << "without taps";
      }
  });
}

TEST(MaxPoolPlanes, backward_equals_plain_bodies) {
  on_each_device([] {
    const Device device = Context::current().device();
    for (const Case& c : cases())
      for (const DType type : {DType::f32, DType::bf16, DType::f16}) {
        SCOPED_TRACE(to_text(c.x) + " " + to_text(c.low) + " " + to_text(type));
        const Tensor x = tied(c.x, type).to(device);
        const Tensor y = max_pool(x, {.window = c.window(), .algorithm = Algorithm::reference});
        const Tensor dy = pitched(random(y.shape()).value.to(type).to(device));
        const auto plain = [&](const std::vector<Tensor>& in) {
          return max_pool(in[0], {.window = c.window(), .algorithm = Algorithm::reference});
        };
        const Tensor want = run(plain, {{x}}, dy).dx[0];
        const Geometry g = geometry(c.x, y.shape(), c.window());
        const Tensor taps = plain_taps(g, x).to(device), into = pitched(want);
        for (const i64 enough : {1, 264}) {
          into.detached().fill(-3);
          backward(g, dy, taps.data<std::uint8_t>(), into, enough);
          EXPECT_TRUE(same_bits(into, want)) << enough;
          into.detached().fill(-3);
          scatter(g, dy, taps.data<std::uint8_t>(), into, enough);
          EXPECT_TRUE(same_bits(into, want)) << "scattered, " << enough;
        }
      }
  });
}

}  // namespace dactyl

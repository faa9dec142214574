// 3×3×3 pools by planes in shared memory against the plain bodies. A GPU's blocks run on the CPU as fibers: memory is
// full of NaN at first, copies arrive when they are waited for, blocks' threads run forwards and backwards in turns.
#include "kernels/fast/max_pool_planes_forward.h"

#include "benchmarks/ladder/fibers.h"
#include "kernels/fast/max_pool.h"
#include "kernels/fast/max_pool_planes_backward.h"
#include "kernels/fast/max_pool_scatter.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

using fast::PoolGrid;

struct HostLane {
  ladder::Fibers& team;
  int index;
  std::byte* memory;
  i64 bytes;

  template <class V>
  std::byte* at(i64 i) const {
    check(i >= 0 && (i + 1) * i64{sizeof(V)} <= bytes, "number {} of {} bytes each is not in {}", i, sizeof(V), bytes);
    return memory + i * i64{sizeof(V)};
  }
  template <class V>
  V read(i64 i) const {
    return fast::read<V>(at<V>(i));
  }
  template <class V>
  void write(i64 i, const V& v) const {
    fast::write(at<V>(i), v);
  }
  template <class V>
  void copy(i64 i, const void* from) const {
    team.copy_later(index, at<V>(i), from, sizeof(V));
  }
  void end_group() const { team.commit_copies(index); }
  void wait_but_one() const { team.wait_copies(index, 1); }
  void barrier() const { team.wait(index); }
};

// A thread of a warp: what `pick` asks of another lane is computed here.
struct HostWarpLane {
  std::byte* memory;
  i64 bytes;

  std::byte* at(i64 i) const {
    check(i >= 0 && i + 4 <= bytes && i % 4 == 0, "byte {} of {}", i, bytes);
    return memory + i;
  }
  template <class V>
  V read(i64 i) const {
    return fast::read<V>(at(i));
  }
  template <class V>
  void write(i64 i, const V& v) const {
    fast::write(at(i), v);
  }
  template <class V>
  V load(std::uintptr_t address) const {
    return fast::read<V>(reinterpret_cast<const void*>(address));
  }
  template <class V>
  void store(std::uintptr_t address, V v) const {
    fast::write(reinterpret_cast<void*>(address), v);
  }
  template <class Of>
  int pick(int, const Of& of, unsigned i) const {
    return of(static_cast<int>(i % 32));
  }
};

template <class Task>
void run_blocks(const Task& task) {
  const i64 bytes = task.grid.bytes(Task::bytes_per_pack);
  EXPECT_LE(bytes, PoolGrid::most_bytes(Task::bytes_per_pack));
  for (unsigned block = 0; block < static_cast<unsigned>(task.grid.blocks); ++block)
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
  return {{{1, 5, 28, 7, 64}},   {{2, 3, 7, 7, 136}},   {{1, 4, 15, 16, 8}},
          {{3, 2, 14, 14, 16}},  {{1, 1, 1, 1, 8}},     {{1, 2, 3, 2, 24}},
          {{2, 11, 5, 9, 72}},   {{1, 8, 13, 15, 200}}, {{1, 6, 5, 8, 8}, {0, 2, 1}, {2, 0, 0}},
          {{24, 4, 9, 30, 24}},  {{1, 7, 2, 3, 8}, {2, 2, 2}, {2, 2, 2}},
          {{2, 3, 4, 5, 16}, {0, 0, 0}, {0, 0, 0}}};
}

// Few different numbers, so that ties are common, with zeros of both signs, NaN and −∞ among them.
Tensor tied(const Shape& shape, DType type) {
  std::vector<float> values(static_cast<std::size_t>(shape.count()));
  Sequence random(test_seed(), 78);
  const float special[] = {0.0f, -0.0f, std::numeric_limits<float>::quiet_NaN(),
                           -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};
  for (float& v : values) {
    const auto drawn = random.below(14);
    v = drawn < 5 ? special[drawn] : static_cast<float>(drawn) - 9.5f;
  }
  return Tensor::from(shape, values, type);
}

// The same numbers with other numbers between the rows.
Tensor pitched(const Tensor& t) {
  const i64 channels = t.shape().channels();
  Tensor wide(t.shape().with(-1, channels + 16), t.dtype(), t.device());
  wide.fill(3);
  Tensor inner = wide.slice(8, channels);
  inner.copy_from(t);
  return inner;
}

// By the walk of max_pool_walk.h, on the CPU.
Tensor plain_taps(const Geometry& g, const Tensor& x) {
  const Tensor here = x.to(Device::cpu());
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

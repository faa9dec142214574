// The convolution's first two rungs, and the ladder as a whole. Counted for I3D's Mixed_3b, x (16, 10, 28, 28, 96), 128
// filters: 41.6e9 multiply-adds, 57 MB. A GPU that multiplies 700e12 numbers a second and moves 3 TB takes at least
// 0.12 ms for the one and 0.02 ms for the other: arithmetic is the roof, and the ladder is about feeding it.
#include "benchmarks/ladder/conv3d.h"

namespace dactyl::ladder {
namespace {

// Rung 1: one thread per result, a filter's results one after another.
// The 32 threads of a warp stand at 32 places, whose rows lie 2·ins bytes apart: each load of 2 bytes touches 32 lines
// of the first-level cache, which gives one line per clock. So there is one multiply-add for 32 threads in 32 clocks: 1
// a clock and multiprocessor of the 128 it could do; 132 of them at 1.7 GHz take 41.6e9 / 0.22e12 = 190 ms.
struct Naive {
  Conv3d c;
  HD void operator()(i64 i) const {
    const int n = static_cast<int>(i), row = n % c.rows(), out = n / c.rows();
    const Conv3d::Place at = c.place(row);
    float sum = 0;
    for (int tap = 0; tap < Conv3d::taps; ++tap) {
      const int from = c.under(row, at, tap);
      if (from < 0) continue;
      for (int k = 0; k < c.ins; ++k) sum += float(*c.x_at(from, k)) * float(*c.w_at(out, tap, k));
    }
    *c.y_at(row, out) = bf16(sum);
  }
};

// Rung 2: neighbouring threads take neighbouring channels of y, and a load brings 16 bytes, 8 channels.
// A warp stands at one place: its load of x is one address for all 32, its stores are neighbours. Now the filters lie
// apart (27·2·ins bytes), 32 lines to a load, but a load serves 8 multiply-adds: 33 clocks for 8 instead of for 1.
// Predicted: 8 times as fast.
struct Vectors {
  Conv3d c;
  HD void operator()(i64 i) const {
    const int n = static_cast<int>(i), row = n / c.outs, out = n % c.outs;
    const Conv3d::Place at = c.place(row);
    float sum = 0;
    for (int tap = 0; tap < Conv3d::taps; ++tap) {
      const int from = c.under(row, at, tap);
      if (from < 0) continue;
      for (int k = 0; k < c.ins; k += 8) {
        const auto x = Conv3d::Eight::load(c.x_at(from, k)), w = Conv3d::Eight::load(c.w_at(out, tap, k));
        for (int j = 0; j < 8; ++j) sum += float(x.v[j]) * float(w.v[j]);
      }
    }
    *c.y_at(row, out) = bf16(sum);
  }
};

Conv3d conv_of(const Tensor& x, const Tensor& w, const Tensor& y) {
  const Shape& s = x.shape();
  check(s.rank() == 5 && w.shape() == Shape{y.shape().channels(), 3, 3, 3, s.channels()} &&
            y.shape() == s.with(-1, y.shape().channels()),
        "ladder conv3d: x {}, w {} and y {} do not fit 3×3×3 filters with stride 1", s, w.shape(), y.shape());
  check(packed(x) && packed(w) && packed(y) && x.is_dense() && y.is_dense(),
        "ladder conv3d: {} and {} channels must be multiples of 8", s.channels(), y.shape().channels());
  check(y.count() < 1 << 30 && x.count() < 1 << 30, "ladder conv3d: x {} or y {} is too large", s, y.shape());
  const auto extent = [](i64 n) { return static_cast<int>(n); };
  return {extent(s[0]),   extent(s[1]),   extent(s[2]),  extent(s[3]), extent(s[4]), extent(y.shape().channels()),
          x.data<bf16>(), w.data<bf16>(), y.data<bf16>()};
}

}  // namespace

std::vector<Rung> conv3d_rungs(const Tensor& x, const Tensor& w, const Tensor& y) {
  const Conv3d c = conv_of(x, w, y);
  const Device device = x.device();
  const i64 results = y.count();
  std::vector<Rung> rungs{
      {"naive", "a thread per result", 0, [=] { each(device, results, Naive{c}); }},
      {"vectors", "threads along channels, loads of 16 bytes", 8, [=] { each(device, results, Vectors{c}); }},
      shared_conv(c, device)};
  for (Rung& rung : tensor_convs(c, device)) rungs.push_back(std::move(rung));
  return rungs;
}

}  // namespace dactyl::ladder

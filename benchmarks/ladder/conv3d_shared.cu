// The convolution's third rung: a product of matrices by tiles in shared memory.
#include "benchmarks/ladder/block.h"
#include "benchmarks/ladder/conv3d.h"

namespace dactyl::ladder {
namespace {

// Rung 3: a convolution is a product of matrices: y (rows, outs) = columns (rows, 27·ins) · w (outs, 27·ins)ᵀ, where
// the columns are never written down ("implicit GEMM"): a block gathers the part it needs. A block makes 128×128
// results; 16 channels of one tap at a time are brought into shared memory as f32. A thread keeps 8×8 sums in
// registers. A number brought in serves 128 sums instead of 1, and 16 numbers read from shared memory (4 loads of 16
// bytes) serve 64 multiply-adds. So the multipliers bound it: 128 a clock and multiprocessor, with the loads, the
// conversions and the barriers perhaps 60 % of them. Predicted: 41.6e9 / (0.6 · 132 · 128 · 1.7e9) = 2.4 ms, 10 times
// as fast.
struct SharedTiles {
  static constexpr int threads = 256, resident = 2, tile = 128, slice = 16;
  struct Shared {
    alignas(16) float x[slice][tile], w[slice][tile];
  };
  Conv3d c;

  HD void operator()(const Thread& t, Shared& s) const {
    const Tile first(c, tile, tile, t.block);
    const int mine = t.index % tile, channel = t.index / tile * 8;  // brings 8 channels of one row and of one filter
    const int row = first.row + mine, out = first.out + mine;
    const Conv3d::Place at = c.place(row);
    float sum[8][8] = {};
    for (int tap = 0; tap < Conv3d::taps; ++tap) {
      const int from = row < c.rows() ? c.under(row, at, tap) : -1;
      for (int k = channel; k - channel < c.ins; k += slice) {
        Conv3d::Eight x{}, w{};  // zeros, beyond the edges
        if (from >= 0 && k < c.ins) x = Conv3d::Eight::load(c.x_at(from, k));
        if (out < c.outs && k < c.ins) w = Conv3d::Eight::load(c.w_at(out, tap, k));
        t.sync();  // nobody reads the slice before any more
        for (int j = 0; j < 8; ++j) {
          s.x[channel + j][mine] = float(x.v[j]);
          s.w[channel + j][mine] = float(w.v[j]);
        }
        t.sync();  // everybody's part is there
        multiply(t, s, sum);
      }
    }
    store(t, first, sum);
  }

  // The i-th of a thread's 8 rows or channels: two groups of 4, 64 apart. Then 8 neighbouring threads read 128
  // neighbouring bytes, one from each of the 32 banks of shared memory.
  HD static int part(int group, int i) { return i / 4 * 64 + group * 4 + i % 4; }

  HD static void multiply(const Thread& t, const Shared& s, float (&sum)[8][8]) {
    for (int k = 0; k < slice; ++k) {
      Pack<float> x[2], w[2];
      for (int half = 0; half < 2; ++half) {
        x[half] = Pack<float>::load(&s.x[k][part(t.index / 16, 4 * half)]);
        w[half] = Pack<float>::load(&s.w[k][part(t.index % 16, 4 * half)]);
      }
      for (int i = 0; i < 8; ++i)
        for (int j = 0; j < 8; ++j) sum[i][j] += x[i / 4].v[i % 4] * w[j / 4].v[j % 4];
    }
  }

  HD void store(const Thread& t, const Tile& first, const float (&sum)[8][8]) const {
    for (int i = 0; i < 8; ++i)
      for (int j = 0; j < 8; ++j) {
        const int row = first.row + part(t.index / 16, i), out = first.out + part(t.index % 16, j);
        if (row < c.rows() && out < c.outs) *c.y_at(row, out) = bf16(sum[i][j]);
      }
  }
};

}  // namespace

Rung shared_conv(const Conv3d& c, Device device) {
  return {"shared tiles", "tiles in shared memory, 8×8 sums per thread", 10,
          [=] { blocks(device, Tile::count(c, SharedTiles::tile, SharedTiles::tile), SharedTiles{c}); }};
}

}  // namespace dactyl::ladder

// The convolution's rungs on tensor cores: products of 16×16 by 16×8 numbers, made by a warp in one instruction.
#include "benchmarks/ladder/conv3d.h"
#include "benchmarks/ladder/tensor_core.h"

namespace dactyl::ladder {
namespace {

constexpr int tile = 128, slice = 32;  // a block's results: 128×128; channels of one tap brought in at a time

// A row of a slice is 64 bytes, and 16 that nobody reads: so 8 rows one below the other begin in 8 different groups of
// 4 banks (0, 20, 8, 28, …), and ldmatrix reads them at once.
using Rows = bf16[tile][slice + 8];
struct Slice {
  alignas(16) Rows x, w;
};

// A warp's part of a tile: 16·high rows by 8·wide channels. Sums in registers, in the layout of mma.sync.
template <int high, int wide>
struct WarpTile {
  float sum[high][wide][4] = {};
  int row, out;  // the first, within the tile

  HD explicit WarpTile(int warp) {
    constexpr int down = tile / (16 * high);
    row = warp % down * 16 * high;
    out = warp / down * 8 * wide;
  }

  HD void multiply(const Thread& t, const Slice& s) {
    const int lane = t.lane();
    for (int k = 0; k < slice; k += 16) {
      Word a[high][4], b[wide][2];
      for (int i = 0; i < high; ++i)  // four 8×8 matrices: upper left, lower left, upper right, lower right
        load_matrices(t, a[i], &s.x[row + 16 * i + lane % 16][k + lane / 16 * 8]);
      for (int j = 0; j < wide; j += 2) {  // 8 filters' first and second 8 channels, then the next 8 filters'
        Word two[4];
        load_matrices(t, two, &s.w[out + 8 * j + lane / 16 * 8 + lane % 8][k + lane / 8 % 2 * 8]);
        b[j][0] = two[0], b[j][1] = two[1], b[j + 1][0] = two[2], b[j + 1][1] = two[3];
      }
      for (int i = 0; i < high; ++i)
        for (int j = 0; j < wide; ++j) ladder::multiply(t, sum[i][j], a[i], b[j]);
    }
  }

  // Neighbouring pairs of channels: two numbers in a word.
  HD void store(const Thread& t, const Conv3d& c, const Tile& first) const {
    for (int i = 0; i < high; ++i)
      for (int j = 0; j < wide; ++j)
        for (int pair = 0; pair < 4; pair += 2) {
          const Cell cell = cell_of_sum(t.lane(), pair);
          const int r = first.row + row + 16 * i + cell.row, o = first.out + out + 8 * j + cell.column;
          if (r >= c.rows() || o >= c.outs) continue;
          const float* both = sum[i][j] + pair;
          *reinterpret_cast<Two*>(c.y_at(r, o)) = {bf16(both[0]), bf16(both[1])};
        }
  }
  struct alignas(4) Two {
    bf16 v[2];
  };
};

// A thread's part of bringing a slice: 16 bytes of each of `count` rows of x and as many filters. Four neighbouring
// threads share a row.
template <int threads>
struct SliceLoader {
  static constexpr int count = tile * slice / 8 / threads;
  const Conv3d& c;
  Tile first;
  int mine, channel;  // the first row within the tile; the others follow threads/4 below
  Conv3d::Place at[count];

  HD SliceLoader(const Thread& t, const Conv3d& conv, const Tile& tile)
      : c(conv), first(tile), mine(t.index / 4), channel(t.index % 4 * 8) {
    for (int i = 0; i < count; ++i) at[i] = c.place(first.row + row(i));
  }
  HD int row(int i) const { return mine + i * (threads / 4); }
  HD int slices() const { return Conv3d::taps * per_tap(); }
  HD int per_tap() const { return (c.ins + slice - 1) / slice; }

  // each(to, from, inside) for the 16 bytes of x and of w of every row; `from` is an address even where it is not
  // inside.
  template <class Each>
  HD void operator()(int n, Slice& s, const Each& each) const {
    const int tap = n / per_tap(), k = n % per_tap() * slice + channel;
    for (int i = 0; i < count; ++i) {
      const int r = first.row + row(i), out = first.out + row(i), from = r < c.rows() ? c.under(r, at[i], tap) : -1;
      const bool has_x = from >= 0 && k < c.ins, has_w = out < c.outs && k < c.ins;
      each(&s.x[row(i)][channel], has_x ? c.x_at(from, k) : c.x, has_x);
      each(&s.w[row(i)][channel], has_w ? c.w_at(out, tap, k) : c.w, has_w);
    }
  }
};

// Rung 4: the same tiles in bf16, multiplied by tensor cores. 8 warps make 64×32 results each.
// mma.sync does 16·8·16 multiply-adds: up to 1024 a clock and multiprocessor, 8 times the 128 of before, and there is
// nothing to convert. Shared memory gives 128 bytes a clock: for 16 channels a warp reads (64 + 32) · 32 bytes and
// makes 16 products, 192 clocks for the block's 262144 multiply-adds: 1365 a clock, just enough. But the slice that is
// brought in waits for memory while nobody multiplies: half of it. Predicted: 41.6e9 / (0.5 · 132 · 1024 · 1.7e9) =
// 0.36 ms, 6 times as fast.
struct Tensors {
  static constexpr int threads = 256, resident = 2;
  using Shared = Slice;
  Conv3d c;

  HD void operator()(const Thread& t, Slice& s) const {
    const Tile first(c, tile, tile, t.block);
    const SliceLoader<threads> load(t, c, first);
    WarpTile<4, 4> mine(t.warp());
    for (int n = 0; n < load.slices(); ++n) {
      t.sync();  // nobody reads the slice before any more
      load(n, s, [](bf16* to, const bf16* from, bool inside) {
        (inside ? Conv3d::Eight::load(from) : Conv3d::Eight{}).store(to);
      });
      t.sync();  // everybody's part is there
      mine.multiply(t, s);
    }
    mine.store(t, c, first);
  }
};

// Rungs 5 and 6: slices are brought by copies that need no thread (cp.async), three ahead of the one that is
// multiplied. Four slices of 20 KiB take turns; one barrier per slice is enough: who passes it has seen slice n arrive,
// and has multiplied slice n − 1, whose place slice n + 3 takes.
template <int warps, int high, int wide>
struct Pipeline {
  static constexpr int threads = 32 * warps, resident = 2, stages = 4;
  struct Shared {
    Slice stage[stages];
  };
  Conv3d c;

  HD void operator()(const Thread& t, Shared& s) const {
    const Tile first(c, tile, tile, t.block);
    const SliceLoader<threads> load(t, c, first);
    WarpTile<high, wide> mine(t.warp());
    const int slices = load.slices();
    const auto begin = [&](int n) {
      if (n < slices)
        load(n, s.stage[n % stages], [&](bf16* to, const bf16* from, bool inside) { copy_async(t, to, from, inside); });
      commit(t);  // an empty group at the end, so that counting groups stays counting slices
    };
    for (int n = 0; n < stages - 1; ++n) begin(n);
    for (int n = 0; n < slices; ++n) {
      wait_copies<stages - 2>(t);
      t.sync();
      begin(n + stages - 1);
      mine.multiply(t, s.stage[n % stages]);
    }
    mine.store(t, c, first);
  }
};

// Rung 5: 64×32 results per warp, as before. A slice's two trips to memory (about 1 µs) hide behind three others, so
// that what mma.sync can do bounds it. Predicted: 80 % of that, 0.23 ms, 1.6 times as fast.
using Ahead = Pipeline<8, 4, 4>;

// Rung 6: 4 warps with 64×64 results each. For 16 channels a warp reads (64 + 64) · 32 bytes for 32 products, a third
// less of shared memory per product: 128 clocks for the block instead of 192, where the products take 256. The other
// side: 128 sums in a thread's registers, so half as many threads to hide anything. Predicted: 1.1 times as fast.
using Wide = Pipeline<4, 4, 8>;

}  // namespace

std::vector<Rung> tensor_convs(const Conv3d& c, Device device) {
  const i64 tiles = Tile::count(c, tile, tile);
  return {
      {"tensor cores", "mma.sync in place of multipliers, bf16 tiles", 6, [=] { blocks(device, tiles, Tensors{c}); }},
      {"pipeline", "cp.async brings slices three ahead", 1.6, [=] { blocks(device, tiles, Ahead{c}); }},
      {"wide warps", "64×64 results per warp, not 64×32", 1.1, [=] { blocks(device, tiles, Wide{c}); }}};
}

}  // namespace dactyl::ladder

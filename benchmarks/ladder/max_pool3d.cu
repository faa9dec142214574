// Max-pooling's ladder. Counted for I3D's Mixed_3b, x (32, 10, 28, 28, 192): 48e6 numbers, 96 MB in and 96 MB out, so
// at 3 TB/s 0.064 ms at least. Comparing is cheap; what costs is that each number is asked for 27 times. Memory is the
// roof, and the ladder is about asking less often.
#include <limits>

#include "benchmarks/ladder/rung.h"
#include "engine/each.h"
#include "kernels/fast/best.h"

namespace dactyl::ladder {
namespace {

constexpr float lowest = -std::numeric_limits<float>::infinity();

// x and y (batch, depth, height, width, channels); windows of 3×3×3 with stride 1, −∞ around the volume.
struct Pool3d {
  int batch, depth, height, width, channels;
  const bf16* x;
  bf16* y;

  HD int rows() const { return batch * depth * height * width; }
  HD static bool within(int i, int extent) { return static_cast<unsigned>(i) < static_cast<unsigned>(extent); }
  HD i64 at(int row, int channel) const { return i64{row} * channels + channel; }

  // f(row of x) for each tap of y's row that lies inside.
  template <class F>
  HD void each_tap(int row, const F& f) const {
    const int d = row / (width * height) % depth, h = row / width % height, w = row % width;
    for (int a = -1; a <= 1; ++a)
      for (int b = -1; b <= 1; ++b)
        for (int c = -1; c <= 1; ++c)
          if (within(d + a, depth) && within(h + b, height) && within(w + c, width))
            f(row + (a * height + b) * width + c);
  }
  HD void one(int row, int channel) const {
    float best = lowest;
    each_tap(row, [&](int from) {
      const float v = float(x[at(from, channel)]);
      best = v > best ? v : best;
    });
    y[at(row, channel)] = bf16(best);
  }
};

// Rung 1: one thread per result, a channel's results one after another, as if the channels came first in memory.
// A warp's 32 threads stand at 32 places, 384 bytes apart: 32 lines of the first-level cache per load, at one line a
// clock. 48e6 · 27 loads are one clock each: over 132 multiprocessors at 1.7 GHz 5.8 ms.
struct Naive {
  Pool3d p;
  HD void operator()(i64 i) const { p.one(static_cast<int>(i) % p.rows(), static_cast<int>(i) / p.rows()); }
};

// Rung 2: the same, but neighbouring threads take neighbouring channels: a warp's load is 64 neighbouring bytes, one
// line. Lines no longer bound it but instructions: about 8 for each of 27 taps (is it inside, where does it lie, load,
// widen, compare): 48e6 · 27 · 8 / 32 over 132 · 4 a clock is 0.36 ms. Predicted: 16 times as fast.
struct Coalesced {
  Pool3d p;
  HD void operator()(i64 i) const { p.one(static_cast<int>(i) / p.channels, static_cast<int>(i) % p.channels); }
};

using Eight = Pack<bf16>;

// The largest so far of 8 channels.
struct Best {
  float v[8] = {lowest, lowest, lowest, lowest, lowest, lowest, lowest, lowest};
  HD void update(const Eight& pack) {
    for (int j = 0; j < 8; ++j) v[j] = float(pack.v[j]) > v[j] ? float(pack.v[j]) : v[j];
  }
  HD void update(const Best& o) {
    for (int j = 0; j < 8; ++j) v[j] = o.v[j] > v[j] ? o.v[j] : v[j];
  }
  HD void store(bf16* to) const {
    Eight pack;
    for (int j = 0; j < 8; ++j) pack.v[j] = bf16(v[j]);
    pack.store(to);
  }
};

// Rung 3: a thread takes 8 channels, 16 bytes per load. Where a tap lies is worked out once for 8 numbers, so of the 8
// instructions only widening and comparing are left for each, 2 or 3. Lines: 27 loads of 512 bytes per warp are 108
// clocks, for 6e6 / 32 warps 0.09 ms. Predicted: 0.15 ms, 2.5 times as fast.
struct Packs {
  Pool3d p;
  HD void operator()(i64 i) const {
    const int packs = p.channels / 8, row = static_cast<int>(i) / packs, channel = static_cast<int>(i) % packs * 8;
    Best best;
    p.each_tap(row, [&](int from) { best.update(Eight::load(p.x + p.at(from, channel))); });
    best.store(p.y + p.at(row, channel));
  }
};

// Rung 4: a maximum of maxima is a maximum. A thread walks through the depth; each plane's maximum of 3×3 taps is made
// once and serves three results: 9 loads and 11 comparisons per result instead of 27 and 27.
// The price: a thread for all planes of a place, a tenth as many threads. Predicted: a third of the work, but memory's
// 0.064 ms come near: 0.08 ms, 1.9 times as fast.
struct Walk {
  Pool3d p;
  i64 threads() const { return i64{p.batch} * p.height * p.width * (p.channels / 8); }

  HD void operator()(i64 i) const {
    const int packs = p.channels / 8, channel = static_cast<int>(i) % packs * 8;
    const int place = static_cast<int>(i) / packs, area = p.height * p.width, n = place / area;
    const int h = place % area / p.width, w = place % p.width;
    Best before, pair;  // of the plane before; of the two before
    for (int d = 0; d <= p.depth; ++d) {
      const Best now = d < p.depth ? plane(n * p.depth + d, h, w, channel) : Best();
      pair.update(now);
      if (d > 0) pair.store(p.y + p.at((n * p.depth + d - 1) * area + h * p.width + w, channel));
      pair = before;
      pair.update(now);
      before = now;
    }
  }
  HD Best plane(int plane, int h, int w, int channel) const {
    Best best;
    for (int b = -1; b <= 1; ++b)
      for (int c = -1; c <= 1; ++c)
        if (Pool3d::within(h + b, p.height) && Pool3d::within(w + c, p.width))
          best.update(Eight::load(p.x + p.at((plane * p.height + h + b) * p.width + w + c, channel)));
    return best;
  }
};

// The larger one in each half of two words of bf16.
HD std::uint32_t larger(std::uint32_t a, std::uint32_t b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  std::uint32_t most;
  asm("max.bf16x2 %0, %1, %2;" : "=r"(most) : "r"(a), "r"(b));
  return most;
#else
  const auto half = [](std::uint32_t word) { return std::bit_cast<float>(word << 16); };
  const std::uint32_t low = half(a) > half(b) ? a : b, high = half(a >> 16) > half(b >> 16) ? a : b;
  return (low & 0xffffu) | (high & 0xffff0000u);
#endif
}

// Rung 5: the walk with two rows of results, whose windows share two of four rows of taps: 12 loads for two results, 6
// for each. And numbers stay two to a word, as they lie in memory: one instruction compares two, nothing is widened.
// Predicted: 0.07 ms, 1.2 times as fast; from there on memory bounds it, and nothing that a thread does would help.
struct TwoRows {
  struct Words {
    Pack<std::uint32_t> most{{0xff80ff80u, 0xff80ff80u, 0xff80ff80u, 0xff80ff80u}};  // −∞, eight times
    HD void update(const Words& o) {
      for (int j = 0; j < 4; ++j) most.v[j] = larger(most.v[j], o.most.v[j]);
    }
  };
  Pool3d p;
  i64 threads() const { return i64{p.batch} * ((p.height + 1) / 2) * p.width * (p.channels / 8); }

  HD void operator()(i64 i) const {
    const int packs = p.channels / 8, channel = static_cast<int>(i) % packs * 8;
    const int place = static_cast<int>(i) / packs, w = place % p.width, pairs = (p.height + 1) / 2;
    const int h = place / p.width % pairs * 2, n = place / p.width / pairs;
    Words before[2], pair[2];
    for (int d = 0; d <= p.depth; ++d) {
      Words now[2];
      if (d < p.depth) plane(n * p.depth + d, h, w, channel, now);
      for (int r = 0; r < 2; ++r) {
        pair[r].update(now[r]);
        if (d > 0 && h + r < p.height)
          store(pair[r], ((n * p.depth + d - 1) * p.height + h + r) * p.width + w, channel);
        pair[r] = before[r];
        pair[r].update(now[r]);
        before[r] = now[r];
      }
    }
  }
  // The maxima of 3×3 taps about rows h and h + 1 of a plane.
  HD void plane(int plane, int h, int w, int channel, Words (&now)[2]) const {
    for (int b = -1; b <= 2; ++b) {
      if (!Pool3d::within(h + b, p.height)) continue;
      Words row;
      for (int c = -1; c <= 1; ++c)
        if (Pool3d::within(w + c, p.width)) row.update(load((plane * p.height + h + b) * p.width + w + c, channel));
      if (b < 2) now[0].update(row);
      if (b > -1) now[1].update(row);
    }
  }
  HD Words load(int row, int channel) const { return {fast::read<Pack<std::uint32_t>>(p.x + p.at(row, channel))}; }
  HD void store(const Words& words, int row, int channel) const { fast::write(p.y + p.at(row, channel), words.most); }
};

Pool3d pool_of(const Tensor& x, const Tensor& y) {
  const Shape& s = x.shape();
  check(s.rank() == 5 && y.shape() == s, "ladder max_pool3d: x {} and y {} do not fit", s, y.shape());
  check(packed(x) && packed(y) && x.is_dense() && y.is_dense(),
        "ladder max_pool3d: {} channels must be a multiple of 8", s.channels());
  check(x.count() < 1 << 30, "ladder max_pool3d: x {} is too large", s);
  const auto extent = [&](int i) { return static_cast<int>(s[i]); };
  return {extent(0), extent(1), extent(2), extent(3), extent(4), x.data<bf16>(), y.data<bf16>()};
}

}  // namespace

std::vector<Rung> max_pool3d_rungs(const Tensor& x, const Tensor& y) {
  const Pool3d p = pool_of(x, y);
  const Device device = x.device();
  const i64 count = x.count();
  return {
      {"naive", "a thread per result, channel by channel", 0, [=] { each(device, count, Naive{p}); }},
      {"coalesced", "neighbouring threads on neighbouring channels", 16, [=] { each(device, count, Coalesced{p}); }},
      {"packs", "8 channels per thread, loads of 16 bytes", 2.5, [=] { each(device, count / 8, Packs{p}); }},
      {"walk", "walks through the depth, keeps planes' maxima", 1.9, [=] { each(device, Walk{p}.threads(), Walk{p}); }},
      {"two rows", "two rows per thread, two numbers per word", 1.2,
       [=] { each(device, TwoRows{p}.threads(), TwoRows{p}); }}};
}

}  // namespace dactyl::ladder

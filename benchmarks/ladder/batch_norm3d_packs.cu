// The upper rungs of batch normalisation: 16 bytes per load, then fewer trips.
#include "benchmarks/ladder/batch_norm3d.h"

namespace dactyl::ladder {
namespace {

using Eight = Pack<bf16>;

// Blocks of 8 packs by 32 rows: 8 neighbouring threads read 128 neighbouring bytes. `Sum` is what a thread keeps for
// each of its 8 channels; Sum::walk fills it from the thread's rows. partial: (slices, channels).
template <class Sum>
struct PackSums {
  static constexpr int threads = 256, resident = 2, down = 32;
  struct Shared {
    Sum sums[8][threads];
  };
  Norm3d n;
  Split split;
  const float* mean;
  Sum* partial;

  HD void operator()(const Thread& t, Shared& s) const {
    const Split::Part part(split, t.block, n.rows);
    const int channel = (part.group * 8 + t.index % 8) * 8, row = part.row + t.index / 8;
    Sum sum[8] = {};
    if (channel < n.channels && row < part.end) Sum::walk(n, channel, row, part.end, mean, sum);
    for (int reach = 1; reach < down; reach *= 2) {  // threads of one column, pairwise
      for (int j = 0; j < 8; ++j) s.sums[j][t.index] = sum[j];
      t.sync();
      if (t.index / 8 % (2 * reach) == 0)
        for (int j = 0; j < 8; ++j) sum[j] += s.sums[j][t.index + 8 * reach];
      t.sync();
    }
    if (t.index >= 8 || channel >= n.channels) return;
    for (int j = 0; j < 8; ++j) partial[i64{part.slice} * n.channels + channel + j] = sum[j];
  }
};

// f(row, pack) for a thread's rows; four loads are under way before the first is used.
template <class F>
HD void each_pack(const Norm3d& n, int channel, int row, int end, const F& f) {
  const auto load = [&](int r) { return Eight::load(n.x + i64{r} * n.channels + channel); };
  for (; row + 3 * 32 < end; row += 4 * 32) {
    const Eight four[4] = {load(row), load(row + 32), load(row + 64), load(row + 96)};
    for (int i = 0; i < 4; ++i) f(row + 32 * i, four[i]);
  }
  for (; row < end; row += 32) f(row, load(row));
}

// Rung 3: 8 channels per thread. A load brings 16 bytes, the loop's overhead serves 8 numbers, and four loads are under
// way at once: memory is kept busy. Still 6 trips, 193 MB each, at perhaps 85 % of 3 TB/s. Predicted: 0.45 ms, 1.4
// times as fast.
template <bool squared>
struct Plain {
  float v;
  HD Plain& operator+=(const Plain& o) {
    v += o.v;
    return *this;
  }
  HD static void walk(const Norm3d& n, int channel, int row, int end, const float* mean, Plain (&sum)[8]) {
    float origin[8];
    for (int j = 0; j < 8; ++j) origin[j] = squared ? mean[channel + j] : 0;
    each_pack(n, channel, row, end, [&](int, const Eight& pack) {
      for (int j = 0; j < 8; ++j) {
        const float d = float(pack.v[j]) - origin[j];
        sum[j].v += squared ? d * d : d;
      }
    });
  }
};

// Rung 4: mean and variance in one trip: 5 instead of 6. Σ x² − (Σ x)²/n would cancel where the mean is large; so each
// thread measures from its first row, and parts are merged as Chan, Golub and LeVeque did in 1979: exact as two passes.
// Predicted: 6/5 = 1.2 times as fast.
struct Moments {
  float n, mean, squares;  // count, mean, sum of squared distances to it
  HD Moments& operator+=(const Moments& o) {
    if (o.n == 0) return *this;
    const float all = n + o.n, d = o.mean - mean;
    mean += d * (o.n / all);
    squares += o.squares + d * d * (n * o.n / all);
    n = all;
    return *this;
  }
  HD static void walk(const Norm3d& n, int channel, int row, int end, const float*, Moments (&sum)[8]) {
    const Eight first = Eight::load(n.x + i64{row} * n.channels + channel);
    float total[8] = {}, squares[8] = {};
    each_pack(n, channel, row, end, [&](int, const Eight& pack) {
      for (int j = 0; j < 8; ++j) {
        const float d = float(pack.v[j]) - float(first.v[j]);
        total[j] += d;
        squares[j] += d * d;
      }
    });
    const float rows = static_cast<float>((end - row + 31) / 32);
    for (int j = 0; j < 8; ++j) {
      const float mean = total[j] / rows, rest = squares[j] - total[j] * mean;
      sum[j] = {rows, float(first.v[j]) + mean, rest < 0 ? 0.0f : rest};
    }
  }
};

// A warp's threads share a channel's slices; store(channel, their sum).
template <class Sum, class Store>
struct FinishPacks {
  static constexpr int threads = 32, resident = 16;
  struct Shared {
    Sum sums[32];
  };
  int channels, slices;
  const Sum* partial;
  Store store;

  HD void operator()(const Thread& t, Shared& s) const {
    Sum sum{};
    for (int i = t.index; i < slices; i += threads) sum += partial[i64{i} * channels + t.block];
    s.sums[t.index] = sum;
    t.sync();
    if (t.index > 0) return;
    for (int i = 1; i < threads; ++i) sum += s.sums[i];
    store(t.block, sum);
  }
};

struct StoreMean {
  float *to, rows;
  HD void operator()(int channel, const Plain<false>& sum) const { to[channel] = sum.v / rows; }
};

struct StoreScale {
  Norm3d n;
  float* to;
  HD void operator()(int channel, const Plain<true>& sum) const {
    to[channel] = n.scale(channel, sum.v / float(n.rows));
  }
};

struct StoreMoments {
  Norm3d n;
  float *mean, *scale;
  HD void operator()(int channel, const Moments& m) const {
    mean[channel] = m.mean;
    scale[channel] = n.scale(channel, m.squares / float(n.rows));
  }
};

// The result, shared out like the sums: a thread stays with its 8 channels and keeps their 24 numbers in registers,
// which it would else read again for every pack. Rung 5 (relu = true): ReLU while the result is at hand: its trip in
// and its trip out fall away, 3 trips instead of 5, which is what must be. Predicted: 5/3 = 1.7 times as fast.
template <bool relu>
struct NormalisePacks {
  static constexpr int threads = 256, resident = 2;
  struct Shared {};
  Norm3d n;
  Split split;
  const float *mean, *scale;

  HD void operator()(const Thread& t, Shared&) const {
    const Split::Part part(split, t.block, n.rows);
    const int channel = (part.group * 8 + t.index % 8) * 8;
    if (channel >= n.channels) return;
    float m[8], s[8], b[8];
    for (int j = 0; j < 8; ++j) m[j] = mean[channel + j], s[j] = scale[channel + j], b[j] = n.beta[channel + j];
    each_pack(n, channel, part.row + t.index / 8, part.end, [&](int row, const Eight& in) {
      Eight out;
      for (int j = 0; j < 8; ++j) {
        const float z = (float(in.v[j]) - m[j]) * s[j] + b[j];
        out.v[j] = bf16(relu && z < 0 ? 0.0f : z);
      }
      out.store(n.y + i64{row} * n.channels + channel);
    });
  }
};

struct ReluPacks {
  bf16* y;
  HD void operator()(i64 i) const {
    Eight pack = Eight::load(y + 8 * i);
    for (int j = 0; j < 8; ++j) pack.v[j] = float(pack.v[j]) < 0 ? bf16(0) : pack.v[j];
    pack.store(y + 8 * i);
  }
};

// What a rung keeps between its kernels.
struct Scratch {
  Split split;
  Tensor partial, fit;
  float *mean, *scale;

  Scratch(Device device, const Norm3d& n, std::size_t sum_bytes)
      : split(n.rows, (n.channels + 63) / 64),
        partial({split.slices * n.channels * static_cast<i64>(sum_bytes)}, DType::u8, device),
        fit({2, n.channels}, DType::f32, device),
        mean(fit.data<float>()),
        scale(mean + n.channels) {}
  template <class Sum, class Store>
  void sums(Device device, const Norm3d& n, const Store& store) const {
    Sum* const sums = reinterpret_cast<Sum*>(partial.raw());
    blocks(device, split.blocks(), PackSums<Sum>{n, split, mean, sums});
    blocks(device, n.channels, FinishPacks<Sum, Store>{n.channels, split.slices, sums, store});
  }
};

void two_passes(Device device, const Norm3d& n) {
  const Scratch s(device, n, sizeof(float));
  s.sums<Plain<false>>(device, n, StoreMean{s.mean, float(n.rows)});
  s.sums<Plain<true>>(device, n, StoreScale{n, s.scale});
  blocks(device, s.split.blocks(), NormalisePacks<false>{n, s.split, s.mean, s.scale});
  each(device, n.count() / 8, ReluPacks{n.y});
}

template <bool fused>
void one_pass(Device device, const Norm3d& n) {
  const Scratch s(device, n, sizeof(Moments));
  s.sums<Moments>(device, n, StoreMoments{n, s.mean, s.scale});
  blocks(device, s.split.blocks(), NormalisePacks<fused>{n, s.split, s.mean, s.scale});
  if (!fused) each(device, n.count() / 8, ReluPacks{n.y});
}

}  // namespace

std::vector<Rung> packed_norms(const Norm3d& n, Device device) {
  return {{"packs", "8 channels per thread, loads of 16 bytes", 1.4, [=] { two_passes(device, n); }},
          {"moments", "mean and variance in one pass", 1.2, [=] { one_pass<false>(device, n); }},
          {"fused", "ReLU in the same pass as the result", 1.7, [=] { one_pass<true>(device, n); }}};
}

}  // namespace dactyl::ladder

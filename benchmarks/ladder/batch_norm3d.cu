// The ladder of batch normalisation by the batch's statistics, followed by ReLU. Counted for I3D's Conv3d_2c, x
// (16, 10, 56, 56, 192): 96e6 numbers, 193 MB, 0.064 ms for one pass over them at 3 TB/s. Two passes must be: one for
// the statistics, one for the result, which is read and written: 3 trips, 0.19 ms at least. Memory is the roof, and the
// ladder is about making trips full, and then fewer.
#include "benchmarks/ladder/batch_norm3d.h"

namespace dactyl::ladder {
namespace {

// Rung 1: one block per channel makes its mean, its variance and its results, in three passes; then ReLU in a fourth.
// Neighbouring threads read 2 bytes each, 384 bytes apart. Memory moves 32 bytes at least, so 16 times what is asked
// for, unless blocks of neighbouring channels happen to find them in the second-level cache. Counted with 16 times 4
// trips (mean, variance, result in and out) and ReLU's plain 2: 4.2 ms; with half of it found in the cache 2.2 ms.
struct Naive {
  static constexpr int threads = 256, resident = 1;
  struct Shared {
    float sums[threads];
  };
  Norm3d n;

  HD void operator()(const Thread& t, Shared& s) const {
    const int channel = t.block;
    float sum = 0;
    for (i64 r = t.index; r < n.rows; r += threads) sum += float(n.x[r * n.channels + channel]);
    const float mean = total(t, s.sums, sum) / float(n.rows);
    float squares = 0;
    for (i64 r = t.index; r < n.rows; r += threads) {
      const float d = float(n.x[r * n.channels + channel]) - mean;
      squares += d * d;
    }
    const float scale = n.scale(channel, total(t, s.sums, squares) / float(n.rows));
    for (i64 r = t.index; r < n.rows; r += threads) {
      const i64 i = r * n.channels + channel;
      n.y[i] = bf16((float(n.x[i]) - mean) * scale + n.beta[channel]);
    }
  }
  // The sum over a block's threads, pairwise; all get it.
  HD static float total(const Thread& t, float (&sums)[threads], float mine) {
    t.sync();  // the sum before has been read
    sums[t.index] = mine;
    t.sync();
    for (int half = threads / 2; half > 0; half /= 2) {
      if (t.index < half) sums[t.index] += sums[t.index + half];
      t.sync();
    }
    return sums[0];
  }
};

// Rung 2: neighbouring threads take neighbouring channels: 32 channels and 8 rows to a block, so a warp's load is 64
// neighbouring bytes. That alone would leave 6 blocks; so the rows are cut into slices, whose sums are added by a
// kernel of their own. Now the trips are what they look like: 6 (mean, variance, result in and out, ReLU in and out),
// 1.16 GB. But with 2 bytes to a load few bytes are under way at once, and every number has the whole loop's overhead:
// perhaps 60 % of 3 TB/s. Predicted: 0.64 ms, 3.5 times as fast.
template <bool squared>
struct SliceSums {
  static constexpr int threads = 256, resident = 4;
  struct Shared {
    float sums[8][32];
  };
  Norm3d n;
  Split split;
  const float* mean;  // of squares of distances to it
  float* partial;     // (slices, channels)

  HD void operator()(const Thread& t, Shared& s) const {
    const Split::Part part(split, t.block, n.rows);
    const int channel = part.group * 32 + t.lane();
    float sum = 0;
    if (channel < n.channels) {
      const float origin = squared ? mean[channel] : 0;
      for (i64 r = part.row + t.warp(); r < part.end; r += 8) {
        const float d = float(n.x[r * n.channels + channel]) - origin;
        sum += squared ? d * d : d;
      }
    }
    s.sums[t.warp()][t.lane()] = sum;
    t.sync();
    if (t.warp() > 0 || channel >= n.channels) return;
    for (int i = 1; i < 8; ++i) sum += s.sums[i][t.lane()];
    partial[i64{part.slice} * n.channels + channel] = sum;
  }
};

// A warp's threads share a channel's slices: its mean, or from the squares what to multiply by.
template <bool squared>
struct Finish {
  static constexpr int threads = 32, resident = 16;
  struct Shared {
    float sums[32];
  };
  Norm3d n;
  int slices;
  const float* partial;
  float* to;

  HD void operator()(const Thread& t, Shared& s) const {
    float sum = 0;
    for (int i = t.index; i < slices; i += threads) sum += partial[i64{i} * n.channels + t.block];
    s.sums[t.index] = sum;
    t.sync();
    if (t.index > 0) return;
    for (int i = 1; i < threads; ++i) sum += s.sums[i];
    to[t.block] = squared ? n.scale(t.block, sum / float(n.rows)) : sum / float(n.rows);
  }
};

struct Normalise {
  Norm3d n;
  const float *mean, *scale;
  HD void operator()(i64 i) const {
    const int c = static_cast<int>(i) % n.channels;
    n.y[i] = bf16((float(n.x[i]) - mean[c]) * scale[c] + n.beta[c]);
  }
};

struct Relu {
  bf16* y;
  HD void operator()(i64 i) const { y[i] = float(y[i]) < 0 ? bf16(0) : y[i]; }
};

void naive(Device device, const Norm3d& n) {
  blocks(device, n.channels, Naive{n});
  each(device, n.count(), Relu{n.y});
}

void coalesced(Device device, const Norm3d& n) {
  const Split split(n.rows, (n.channels + 31) / 32);
  const Tensor partial({split.slices, n.channels}, DType::f32, device), fit({2, n.channels}, DType::f32, device);
  float *sums = partial.data<float>(), *mean = fit.data<float>(), *scale = mean + n.channels;
  blocks(device, split.blocks(), SliceSums<false>{n, split, nullptr, sums});
  blocks(device, n.channels, Finish<false>{n, split.slices, sums, mean});
  blocks(device, split.blocks(), SliceSums<true>{n, split, mean, sums});
  blocks(device, n.channels, Finish<true>{n, split.slices, sums, scale});
  each(device, n.count(), Normalise{n, mean, scale});
  each(device, n.count(), Relu{n.y});
}

Norm3d norm_of(const Tensor& x, const Tensor& gamma, const Tensor& beta, float epsilon, const Tensor& y) {
  const Shape& s = x.shape();
  const Shape per_channel{s.channels()};
  check(y.shape() == s && gamma.shape() == per_channel && beta.shape() == per_channel,
        "ladder batch_norm3d: x {}, y {}, γ {} and β {} do not fit", s, y.shape(), gamma.shape(), beta.shape());
  check(packed(x) && packed(y) && x.is_dense() && y.is_dense(),
        "ladder batch_norm3d: {} channels must be a multiple of 8", s.channels());
  check(s.rows() > 1 && s.count() < 1 << 30, "ladder batch_norm3d: x {} has one row, or is too large", s);
  return {static_cast<int>(s.rows()),
          static_cast<int>(s.channels()),
          epsilon,
          x.data<bf16>(),
          gamma.data<float>(),
          beta.data<float>(),
          y.data<bf16>()};
}

}  // namespace

std::vector<Rung> batch_norm3d_rungs(const Tensor& x, const Tensor& gamma, const Tensor& beta, float epsilon,
                                     const Tensor& y) {
  const Norm3d n = norm_of(x, gamma, beta, epsilon, y);
  const Device device = x.device();
  std::vector<Rung> rungs{{"naive", "a block per channel, three passes, ReLU", 0, [=] { naive(device, n); }},
                          {"coalesced", "threads along channels, rows in slices", 3.5, [=] { coalesced(device, n); }}};
  for (Rung& rung : packed_norms(n, device)) rungs.push_back(std::move(rung));
  return rungs;
}

}  // namespace dactyl::ladder

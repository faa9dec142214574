// Dense optical flow by TV-L1: min ∫ λ|second(x + u) − first(x)| + |∇u| + |∇v|, coarse to fine, each level linearised
// several times and solved by alternating thresholding and dual ascent. Zach, Pock, Bischof (2007); Pérez et al., IPOL
// (2013). The pieces: flow_tvl1_pyramid (levels), _warp (linearisation), _level (one pixel), _solve (iterations).
#include <algorithm>
#include <vector>

#include "engine/each.h"
#include "kernels/flow.h"
#include "kernels/flow_tvl1_pyramid.h"
#include "kernels/flow_tvl1_solve.h"

#ifdef _OPENMP
#include <omp.h>
#endif

namespace dactyl {
namespace {

using namespace tvl1;

struct Size {
  int height, width;
  i64 pixels() const { return i64{height} * width; }
};

// From the finest to the coarsest. The frames themselves may be small; a further level may not.
std::vector<Size> level_sizes(const Shape& frames, const Tvl1Options& o) {
  std::vector<Size> sizes{{static_cast<int>(frames[1]), static_cast<int>(frames[2])}};
  while (static_cast<int>(sizes.size()) < o.scales) {
    const Size next{static_cast<int>(std::nearbyint(sizes.back().height * o.scale_step)),
                    static_cast<int>(std::nearbyint(sizes.back().width * o.scale_step))};
    if (next.height < 16 || next.width < 16) break;
    sizes.push_back(next);
  }
  return sizes;
}

// A batch's memory, level by level, finest first.
struct Pyramid {
  std::vector<Size> sizes;
  std::vector<Tensor> memory;
  std::vector<Level> levels;
  std::vector<const float*> second;  // the second frames, without derivatives

  // `from` and `to` are level 0; `spare` shifts positions, see Axis.
  Pyramid(const Tensor& from, const Tensor& to, const Tvl1Options& o) : sizes(level_sizes(from.shape(), o)) {
    const Device device = from.device();
    const i64 pairs = from.shape()[0];
    const double shift = o.half_pixel ? 0.5 : 0, scale = 1 / o.scale_step;
    levels.push_back({sizes[0].height, sizes[0].width, from.data<float>(), nullptr, nullptr});
    second.push_back(to.data<float>());
    for (std::size_t s = 1; s < sizes.size(); ++s) {
      const Axis y{sizes[s - 1].height, scale, shift}, x{sizes[s - 1].width, scale, shift};
      float* first = take(pairs * sizes[s].pixels(), device);
      float* other = take(pairs * sizes[s].pixels(), device);
      shrink(device, pairs, levels[s - 1].first, sizes[s].height, sizes[s].width, y, x, first);
      shrink(device, pairs, second[s - 1], sizes[s].height, sizes[s].width, y, x, other);
      levels.push_back({sizes[s].height, sizes[s].width, first, nullptr, nullptr});
      second.push_back(other);
    }
    for (std::size_t s = 0; s < sizes.size(); ++s) {
      levels[s].second = take(4 * pairs * sizes[s].pixels(), device);
      levels[s].state = take(planes * pairs * sizes[s].pixels(), device);
      derive(device, pairs, second[s], levels[s]);
    }
  }

 private:
  float* take(i64 count, Device device) {
    memory.emplace_back(Shape{count}, DType::f32, device);
    return memory.back().data<float>();
  }
};

void solve(Device device, i64 pairs, const Level& level, const Tvl1Options& o) {
  const Weights w{static_cast<float>(o.lambda * o.theta),
                  static_cast<float>(o.theta),
                  static_cast<float>(o.tau / o.theta),
                  static_cast<float>(o.cubic),
                  static_cast<float>(o.subpixel),
                  o.zero_outside,
                  o.wide_norm};
  const double pixels = static_cast<double>(level.height) * level.width;
  const Rule rule{o.warps, o.iterations, o.rounds, o.median, o.stop_every, o.epsilon * o.epsilon * pixels};
  if (o.algorithm != Algorithm::reference) {
    if (!device.is_cuda()) return solve_by_rows(pairs, level, w, rule);
    if (solve_by_clusters(pairs, level, w, rule)) return;
  }
  solve_by_steps(device, pairs, level, w, rule);
}

void interleave(Device device, i64 pairs, const Level& level, float* flow) {
  const i64 pixels = i64{level.height} * level.width;
  each_row(device, pairs, pixels, [=] HD(i64 n, i64 i) {
    const Pair t = level.pair(n);
    flow[2 * (n * pixels + i)] = t.plane(u)[i];
    flow[2 * (n * pixels + i) + 1] = t.plane(v)[i];
  });
}

void compute(const Tensor& from, const Tensor& to, const Tensor& flow, const Tvl1Options& o) {
  const Device device = from.device();
  const i64 pairs = from.shape()[0];
  const Pyramid pyramid(from, to, o);
  const double shift = o.half_pixel ? 0.5 : 0;
  start(device, pairs, pyramid.levels.back());
  for (std::size_t s = pyramid.levels.size() - 1;; --s) {
    solve(device, pairs, pyramid.levels[s], o);
    if (s == 0) break;
    const Level &coarse = pyramid.levels[s], &fine = pyramid.levels[s - 1];
    const Axis y{coarse.height, 1 / (static_cast<double>(fine.height) / coarse.height), shift};
    const Axis x{coarse.width, 1 / (static_cast<double>(fine.width) / coarse.width), shift};
    enlarge(device, pairs, coarse, fine, y, x, static_cast<float>(1 / o.scale_step));
  }
  interleave(device, pairs, pyramid.levels[0], flow.data<float>());
}

void check_frames(const Tensor& from, const Tensor& to) {
  check(
      from.dtype() == DType::f32 && to.dtype() == DType::f32 && from.shape().rank() == 3 && from.shape() == to.shape(),
      "flow_tvl1: needs two f32 tensors of one shape (N, H, W), got {} {} and {} {}", from.dtype(), from.shape(),
      to.dtype(), to.shape());
  check(from.shape()[1] > 0 && from.shape()[2] > 0 && from.shape()[1] * from.shape()[2] <= i64{1} << 27,
        "flow_tvl1: frames of shape {} are empty or larger than 2^27 pixels", from.shape());
}

void check_options(const Tvl1Options& o) {
  check(o.tau > 0 && o.lambda > 0 && o.theta > 0 && o.epsilon >= 0,
        "flow_tvl1: tau {}, lambda {} and theta {} must be positive, epsilon {} not negative", o.tau, o.lambda, o.theta,
        o.epsilon);
  check(o.scales > 0 && o.scale_step > 0 && o.scale_step < 1,
        "flow_tvl1: {} scales of step {}; needs at least 1, and a step between 0 and 1", o.scales, o.scale_step);
  check(o.warps > 0 && o.iterations > 0 && o.rounds > 0 && o.iterations <= 1000000 / o.rounds,
        "flow_tvl1: {} warps of {} rounds of {} iterations; needs at least 1, and no million", o.warps, o.rounds,
        o.iterations);
  check(o.median == 0 || o.median == 3 || o.median == 5, "flow_tvl1: median {} is not 0, 3 or 5", o.median);
  check(o.subpixel >= 0, "flow_tvl1: subpixel {} is negative", o.subpixel);
}

// How many pairs are worked on together: as many as keep the device busy, not as many as there are.
i64 pairs_at_once(const Tensor& from) {
  constexpr i64 memory = i64{4} << 30, bytes_per_pixel = 190;  // of a pyramid of five levels
  if (from.device().is_cuda())
    return std::clamp<i64>(memory / (bytes_per_pixel * from.shape()[1] * from.shape()[2]), 16, 1024);
#ifdef _OPENMP
  return omp_get_max_threads();
#else
  return 1;
#endif
}

}  // namespace

Tvl1Options tvl1_cpu() {
  Tvl1Options o;
  o.iterations = 30;
  o.rounds = 10;
  o.median = 5;
  o.cubic = -0.75;
  o.subpixel = 32;
  o.zero_outside = o.half_pixel = o.stop_every = o.wide_norm = true;
  return o;
}

Tensor flow_tvl1(const Tensor& from, const Tensor& to, const Tvl1Options& options) {
  check_frames(from, to);
  check_options(options);
  const Tensor first = from.dense(), second = to.dense();
  const Shape& s = from.shape();
  const Tensor flow({s[0], s[1], s[2], 2}, DType::f32, from.device());
  const i64 batch = pairs_at_once(from);
  for (i64 n = 0; n < s[0]; n += batch) {
    const i64 count = std::min(batch, s[0] - n);
    compute(first.rows(n, count), second.rows(n, count), flow.rows(n, count), options);
  }
  return flow;
}

}  // namespace dactyl

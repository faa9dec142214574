// Farnebäck's flow: from the coarsest level of a pyramid to the frames themselves, each level starting with the flow of
// the one before. Every step is queued; nothing waits for the device.
#include "kernels/flow_farneback.h"

#include <algorithm>
#include <vector>

#include "kernels/flow_farneback_steps.h"

namespace dactyl {
namespace {

using namespace farneback;

constexpr i64 smallest_side = 32;

struct Level {
  i64 height, width;
  Smoothing smoothing;
};

struct Plan {
  std::vector<Level> levels;  // the frames' own size first
  Fit fit;
  WindowSum window;
  FarnebackOptions options;
  bool reference;
};

i64 rounded(double x) { return static_cast<i64>(std::nearbyint(x)); }  // ties to even

std::vector<Level> levels_for(i64 height, i64 width, const FarnebackOptions& o) {
  std::vector<Level> levels{{height, width, smoothing_for(1)}};
  double scale = o.scale;
  for (int k = 0; k < o.levels; ++k, scale *= o.scale) {
    const double h = static_cast<double>(height) * scale, w = static_cast<double>(width) * scale;
    if (std::min(h, w) < smallest_side) break;
    levels.push_back({rounded(h), rounded(w), smoothing_for(scale)});
  }
  return levels;
}

// Room for the largest level of some pairs; smaller ones use the beginning.
struct Room {
  Tensor image, first, second, equations, flows[2];

  Room(i64 pairs, i64 pixels, Device device)
      : image({pairs * pixels}, DType::f32, device),
        first({coefficients * pairs * pixels}, DType::f32, device),
        second(first.shape(), DType::f32, device),
        equations(first.shape(), DType::f32, device) {
    for (Tensor& flow : flows) flow = Tensor({2 * pairs * pixels}, DType::f32, device);
  }
};

void run(const Plan& plan, const Tensor& from, const Tensor& to, const Tensor& result, Room& room) {
  const i64 pairs = from.shape()[0];
  Tensor coarser;
  for (std::size_t k = plan.levels.size(); k-- > 0;) {
    const Level& level = plan.levels[k];
    const i64 h = level.height, w = level.width;
    const Tensor image = view(room.image, 0, {pairs, h, w});
    Tensor flow = k == 0 ? result : view(room.flows[k % 2], 0, {pairs, h, w, 2});
    if (coarser.defined())
      enlarge(coarser, 1 / plan.options.scale, flow);
    else
      flow.fill(0);
    const Shape planes{pairs, coefficients, h, w};
    const Tensor first = view(room.first, 0, planes), second = view(room.second, 0, planes);
    const Tensor m = view(room.equations, 0, planes);
    for (const bool later : {false, true}) {
      shrink(later ? to : from, level.smoothing, image, plan.reference);
      expand(image, plan.fit, later ? second : first, plan.reference);
    }
    const Tensor ready = ready_to_move(second, plan.reference);
    for (int i = 0; i < plan.options.iterations; ++i) {
      equations(first, ready, flow, m);
      solve_windows(m, plan.window, flow, plan.reference);
    }
    coarser = flow;
  }
}

void check_arguments(const Tensor& from, const Tensor& to, const FarnebackOptions& o) {
  check(from.shape().rank() == 3 && from.shape() == to.shape() && from.shape().count() > 0,
        "flow_farneback: frames {} and {} are not two equal (N, H, W)", from.shape(), to.shape());
  check(from.dtype() == DType::f32 && to.dtype() == DType::f32,
        "flow_farneback: frames must be f32, they are {} and {}", from.dtype(), to.dtype());
  check(from.device() == to.device(), "flow_farneback: frames are on {} and {}", from.device(), to.device());
  check(Exit::usage, o.scale > 0 && o.scale < 1, "flow_farneback: scale {} is not between 0 and 1", o.scale);
  check(Exit::usage, o.levels >= 0 && o.iterations >= 1,
        "flow_farneback: {} levels and {} iterations: at least 0 and 1", o.levels, o.iterations);
  check(Exit::usage, o.window >= 1 && o.window <= 127, "flow_farneback: window {} is not 1 to 127", o.window);
  check(Exit::usage, o.poly_n >= 1 && o.poly_n <= 15, "flow_farneback: poly_n {} is not 1 to 15", o.poly_n);
  check(Exit::usage, o.poly_sigma >= 0, "flow_farneback: poly_sigma {} is negative", o.poly_sigma);
}

}  // namespace

FarnebackOptions farneback_of_sample() { return {.levels = 3, .window = 15, .iterations = 3, .poly_sigma = 1.2}; }

Tensor flow_farneback(const Tensor& from, const Tensor& to, const FarnebackOptions& o) {
  check_arguments(from, to, o);
  const i64 n = from.shape()[0], h = from.shape()[1], w = from.shape()[2];
  const Plan plan{levels_for(h, w, o), fit_for(o.poly_n, o.poly_sigma), window_for(o.window, o.gaussian), o,
                  o.algorithm == Algorithm::reference};
  const Tensor flow({n, h, w, 2}, DType::f32, from.device());
  const Tensor a = from.dense(), b = to.dense();
  // As many pairs at a time as keep a GPU busy and fit its memory; on the CPU as few as its caches like.
  const i64 pixels_at_a_time = from.device().is_cuda() ? i64{1} << 24 : i64{1} << 18;
  const i64 pairs = std::clamp<i64>(pixels_at_a_time / (h * w), 1, n);
  Room room(pairs, h * w, from.device());
  for (i64 i = 0; i < n; i += pairs) {
    const i64 count = std::min(pairs, n - i);
    run(plan, a.rows(i, count), b.rows(i, count), flow.rows(i, count), room);
  }
  return flow;
}

}  // namespace dactyl

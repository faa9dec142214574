// TV-L1: the iterations at one level. By steps: every half iteration is a loop over the pixels of all pairs, and pairs
// that are done stand still. By rows: pair after pair on the CPU, leaving early.
#include "kernels/flow_tvl1_solve.h"

#include <algorithm>

#include "engine/reduce.h"
#include "kernels/flow_tvl1_rows.h"
#include "kernels/flow_tvl1_warp.h"
#include "kernels/median.h"

namespace dactyl::tvl1 {
namespace {

void linearise_all(Device device, i64 pairs, const Level& level, const Weights& w) {
  each_row(device, pairs * level.height, level.width, [=] HD(i64 row, i64 x) {
    linearise(level.pair(row / level.height), w, static_cast<int>(x), static_cast<int>(row % level.height));
  });
}

void filter_all(Device device, i64 pairs, const Level& level, const Rule& rule, const Progress* progress) {
  each_row(device, pairs * level.height, level.width, [=] HD(i64 row, i64 x) {
    if (progress[row / level.height].done()) return;
    const Pair t = level.pair(row / level.height);
    const int y = static_cast<int>(row % level.height);
    const i64 i = i64{y} * t.width + x;
    t.plane(spare_u)[i] = median_at(t.plane(u), t, static_cast<int>(x), y, rule.median);
    t.plane(spare_v)[i] = median_at(t.plane(v), t, static_cast<int>(x), y, rule.median);
  });
  const i64 pixels = i64{level.height} * level.width;
  each_row(device, pairs, 2 * pixels, [=] HD(i64 n, i64 i) {
    const Pair t = level.pair(n);
    if (!progress[n].done()) t.plane(u)[i] = t.plane(spare_u)[i];
  });
}

// One iteration of every pair that is not done; the squared changes go to spare_u.
void iterate_all(Device device, i64 pairs, const Level& level, const Weights& w, const Progress* progress) {
  each_row(device, pairs * level.height, level.width, [=] HD(i64 row, i64 x) {
    if (progress[row / level.height].done()) return;
    const Pair t = level.pair(row / level.height);
    const int y = static_cast<int>(row % level.height);
    t.plane(spare_u)[i64{y} * t.width + x] = update_flow(t, whole(t), w, static_cast<int>(x), y);
  });
  each_row(device, pairs * level.height, level.width, [=] HD(i64 row, i64 x) {
    if (progress[row / level.height].done()) return;
    const Pair t = level.pair(row / level.height);
    update_duals(t, whole(t), w, static_cast<int>(x), static_cast<int>(row % level.height));
  });
}

void advance_all(Device device, i64 pairs, const Level& level, const Rule& rule, Progress* progress) {
  const i64 pixels = i64{level.height} * level.width;
  fold_rows<double>(
      device, pairs, pixels, [=] HD(i64 n, i64 i) { return static_cast<double>(level.pair(n).plane(spare_u)[i]); },
      [=] HD(i64 n, double change) {
        if (!progress[n].done()) progress[n].advance(rule, change);
      });
}

// The iterations until the change is wanted again go over the rows together; more at once fall out of the cache.
void solve_pair(const Pair& t, const Weights& w, const Rule& rule) {
  constexpr int most = 8;
  Progress progress;
  while (!progress.done()) {
    if (progress.filters(rule)) filter(t, rule.median);
    int count = 1;
    for (; count < most && !progress.wants_change(rule) && !progress.round_ends(rule); ++count)
      progress.advance(rule, 0);
    progress.advance(rule, sweep(t, w, count));
  }
}

}  // namespace

void solve_by_steps(Device device, i64 pairs, const Level& level, const Weights& w, const Rule& rule) {
  const Tensor memory({pairs, static_cast<i64>(sizeof(Progress))}, DType::u8, device);
  Progress* progress = reinterpret_cast<Progress*>(memory.raw());
  for (int warp = 0; warp < rule.warps; ++warp) {
    linearise_all(device, pairs, level, w);
    each(device, pairs, [=] HD(i64 n) { progress[n] = Progress(); });
    for (int n = 0; n < rule.iterations * rule.rounds; ++n) {
      if (rule.median > 1 && n % rule.iterations == 0) filter_all(device, pairs, level, rule, progress);
      iterate_all(device, pairs, level, w, progress);
      advance_all(device, pairs, level, rule, progress);
      // On the CPU looking costs nothing; on the GPU those that are done skip the rest.
      if (!device.is_cuda() && std::all_of(progress, progress + pairs, [](const Progress& p) { return p.done(); }))
        break;
    }
  }
}

void solve_by_rows(i64 pairs, const Level& level, const Weights& w, const Rule& rule) {
  for (int warp = 0; warp < rule.warps; ++warp) {
    linearise_all(Device::cpu(), pairs, level, w);
#pragma omp parallel for schedule(dynamic) if (pairs > 1)
    for (i64 n = 0; n < pairs; ++n) solve_pair(level.pair(n), w, rule);
  }
}

}  // namespace dactyl::tvl1

// TV-L1: the iterations at one level, for all pairs. Internal to the kernels.
#pragma once

#include "engine/device.h"
#include "kernels/flow_tvl1_level.h"
#include "kernels/flow_tvl1_rule.h"

namespace dactyl::tvl1 {

// Three ways to the same flow (up to the order in which the change is summed). Nothing is read back by the host.
void solve_by_steps(Device, i64 pairs, const Level&, const Weights&, const Rule&);  // a loop over all pixels per step
void solve_by_rows(i64 pairs, const Level&, const Weights&, const Rule&);           // CPU
bool solve_by_clusters(i64 pairs, const Level&, const Weights&, const Rule&);       // GPU; false if it has no clusters

}  // namespace dactyl::tvl1

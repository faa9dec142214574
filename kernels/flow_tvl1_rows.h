// TV-L1 on the CPU: loops over whole rows, compiled for several instruction sets. Internal to the kernels.
#pragma once

#include "kernels/flow_tvl1_level.h"

namespace dactyl::tvl1 {

// Makes `count` iterations in one pass over the rows and gives the squared change of the last one. Bit for bit the same
// as one pass per iteration.
double sweep(const Pair&, const Weights&, int count);
// Replaces u and v by their medians over size × size pixels (3 or 5); the border is continued outwards.
void filter(const Pair&, int size);

}  // namespace dactyl::tvl1

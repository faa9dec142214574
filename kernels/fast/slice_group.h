// A block's part of rows of packs that are shared out as slices.h says, and launches over them. For .cu files of the
// GPU build only.
#pragma once

#ifdef __CUDACC__
#include "kernels/early.h"
#include "kernels/fast/block_sums.h"
#include "kernels/fast/slices.h"

namespace dactyl::fast {

static_assert(Slices::threads == block_threads);

// A block's group of packs and slice of rows. from_last: slices are taken from the last to the first, so that a second
// pass over much data begins with what the first has left in the L2 cache.
__device__ inline SlicePart my_rows(const Slices& s, bool from_last = false) {
  const unsigned slice = from_last ? gridDim.y - 1 - blockIdx.y : blockIdx.y;
  return {s, static_cast<int>(blockIdx.x), static_cast<int>(slice), static_cast<int>(threadIdx.x)};
}

// The channels of a block's group, as many as there are.
template <int size>
struct Group {
  int first, width, known;
  i64 all;
  __device__ explicit Group(const Slices& s)
      : Group(s, static_cast<int>(blockIdx.x) * s.across * size, s.across * size) {}
  // Whether this thread has what is known of my_channel.
  __device__ bool mine() const { return my_part() == 0 && my_channel() < known; }
  template <class Sum>
  __device__ Sum fold(const Sum* partial, int slices) const {
    return fold_rows_of(partial + first, slices, all, width, known);
  }

 protected:
  __device__ Group(const Slices& s, int from, int most)
      : first(from), width(most), known(min(most, s.packs * size - from)), all(i64{s.packs} * size) {}
};

// Of a block that only adds up slices: so few that many slices are added at once.
inline constexpr int few = 4;
template <int size>
struct Few : Group<size> {
  __device__ explicit Few(const Slices& s) : Group<size>(s, static_cast<int>(blockIdx.x) * few, few) {}
};

// With more slices than this, adding them up in every block of the second launch costs more than a launch between.
// Whoever adds up a tensor's slices does it in the same order, since it depends on nothing else.
inline constexpr int most_folded = 160;

inline Slices slices_of(const Tensor& x) {
  const i64 size = 16 / size_of(x.dtype());
  return {x.shape().rows(), x.shape().channels() / size};
}
inline dim3 blocks_of(const Slices& s) { return {static_cast<unsigned>(s.groups()), static_cast<unsigned>(s.count)}; }
inline dim3 groups_of(const Slices& s) { return {static_cast<unsigned>(s.groups())}; }
inline dim3 fews_of(const Tensor& x) { return {static_cast<unsigned>((x.shape().channels() + few - 1) / few)}; }

// Room for a sum per slice and channel.
template <class Sum>
Tensor room_for(const Slices& s, const Tensor& x) {
  return Tensor({s.count * x.shape().channels() * static_cast<i64>(sizeof(Sum))}, DType::u8, x.device());
}

template <class Task>
void start(void (*kernel)(Task), const Slices& s, const Task& task, const char* what) {
  kernel<<<blocks_of(s), Slices::threads, 0, Context::current().compute().handle()>>>(task);
  check_launch(what);
}

}  // namespace dactyl::fast
#endif

// A block's part of rows of packs that are shared out as slices.h says, and launches over them. For .cu files of the
// GPU build only.
#pragma once

#ifdef __CUDACC__
#include <vector>

#include "kernels/batch_norm.h"
#include "kernels/early.h"
#include "kernels/fast/block_sums.h"
#include "kernels/fast/slices.h"

namespace dactyl::fast {

static_assert(Slices::threads == block_threads);

// Tasks over tensors of the same rows and slices that share a launch: block (x, y) takes slice y of group x, counted
// through all tensors one after another.
template <class Task>
struct Together {
  static constexpr std::size_t most = 4;
  Task task[most];
  int end[most];  // groups of a task and those before it

  // One to four tasks.
  explicit Together(const std::vector<Task>& tasks) : task{at(tasks, 0), at(tasks, 1), at(tasks, 2), at(tasks, 3)} {
    int groups = 0;
    for (std::size_t i = 0; i < most; ++i) end[i] = groups += i < tasks.size() ? tasks[i].slices.groups() : 0;
  }
  struct Mine {
    Task task;
    int group;
  };
  __device__ Mine mine() const {
    const int block = static_cast<int>(blockIdx.x);
    int i = 0;
    while (block >= end[i]) ++i;
    return {task[i], i ? block - end[i - 1] : block};
  }
  dim3 blocks() const { return {static_cast<unsigned>(end[most - 1]), static_cast<unsigned>(task[0].slices.count)}; }

 private:
  static const Task& at(const std::vector<Task>& tasks, std::size_t i) { return tasks[std::min(i, tasks.size() - 1)]; }
};

// A block's slice of the rows of a group of packs. from_last: slices are taken from the last to the first, so that a
// second pass over much data begins with what the first has left in the L2 cache.
__device__ inline SlicePart my_rows(const Slices& s, int group, bool from_last = false) {
  const unsigned slice = from_last ? gridDim.y - 1 - blockIdx.y : blockIdx.y;
  return {s, group, static_cast<int>(slice), static_cast<int>(threadIdx.x)};
}

// The channels of a block's group, as many as there are.
template <int size>
struct Group {
  int first, width, known;
  i64 all;
  __device__ Group(const Slices& s, int group) : Group(s, group * s.across * size, s.across * size) {}
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
  __device__ Few(const Slices& s, int group) : Group<size>(s, group * few, few) {}
};

// With more slices than this, adding them up in every block of the second launch costs more than a launch between.
// Whoever adds up a tensor's slices does it in the same order, unless the tensor shares a launch with others.
inline constexpr int most_folded = 160;

inline Slices slices_of(const Tensor& x) {
  const i64 size = 16 / size_of(x.dtype());
  return {x.shape().rows(), x.shape().channels() / size};
}
// The same slices for all: as many as the tensors' groups need together, and as the blocks of the second launch add up.
inline std::vector<Slices> slices_of(const std::vector<NormArguments>& all) {
  std::vector<Slices> slices;
  int groups = 0;
  for (const NormArguments& a : all) groups += slices.emplace_back(slices_of(a.x)).groups();
  slices[0].share_out(groups, most_folded);
  for (Slices& s : slices) s.length = slices[0].length, s.count = slices[0].count;
  return slices;
}
inline dim3 groups_of(const Slices& s) { return {static_cast<unsigned>(s.groups())}; }
inline dim3 fews_of(const Tensor& x) { return {static_cast<unsigned>((x.shape().channels() + few - 1) / few)}; }

// Room for a sum per slice and channel.
template <class Sum>
Tensor room_for(const Slices& s, const Tensor& x) {
  return Tensor({s.count * x.shape().channels() * static_cast<i64>(sizeof(Sum))}, DType::u8, x.device());
}

template <class Task>
void start(void (*kernel)(Together<Task>), const Together<Task>& tasks, const char* what) {
  kernel<<<tasks.blocks(), Slices::threads, 0, Context::current().compute().handle()>>>(tasks);
  check_launch(what);
}

}  // namespace dactyl::fast
#endif

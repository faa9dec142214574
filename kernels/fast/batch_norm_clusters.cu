// Batch normalisation in one launch per direction, on GPUs with thread block clusters: a cluster reads its channels
// once into shared memory, its blocks tell each other their sums, and each normalises what it holds (cluster_split.h).
//
// Blocks exchange sums through global memory: each stores its own, the cluster's barrier orders stores before loads,
// and all add up the eight in the same order. Mapped shared memory might save 0.3 µs, but no block could end
// before the last has read it, and compute-sanitizer's racecheck seems to hang on kernels that map it.
//
// Predicted, H200, bf16 (nothing measured yet). A processor takes about 45 bytes per ns from the L2 and all together 4
// TB/s; a launch of a captured graph costs 1.5 µs, copies' latency 0.8, sums of a block 0.4, the exchange 1.0.
//
// 7840×192 takes 12 clusters (96 processors), 32 KB a block. Forward 1.5 + 0.8 + 0.7 (reads) + 0.4 + 1.0 + 0.7
// (writes): 5 µs, where three launches take 8. Backward, 64 KB a block: 6.5 instead of 9. 31360×320 takes 20 clusters
// of 124 KB a block, so one a processor: 16 run, then 4. Forward 40 MB at 4 TB/s, at the end with a quarter of the GPU:
// 14 µs instead of 19. Its way back does not fit and stays.
//
// A block has 256 threads of at most 128 registers; with up to 113 KB of packs two share a processor. Packs of
// neighbouring threads are neighbours in shared memory, 16 bytes each: no bank conflicts. In the sums of warps, rows of
// 33 sums keep the eight parts of a channel in different banks.
#include "kernels/fast/batch_norm.h"

#ifdef __CUDACC__
#include "kernels/fast/cluster_copies.h"
#include "kernels/fast/cluster_sums.h"

namespace dactyl::fast {
namespace {

using namespace in_cluster;

constexpr int threads = ClusterSplit::threads;

#if __CUDA_ARCH__ >= 900
using cooperative_groups::cluster_group;

__device__ ClusterPart part_of(const cluster_group& cluster, const ClusterSplit& split) {
  return {split, static_cast<int>(blockIdx.x) / blocks, static_cast<int>(cluster.block_rank()),
          static_cast<int>(threadIdx.x)};
}

// Whether this thread stores what all have found for channel c of the group.
__device__ bool stores(const ClusterSplit& split, int size, int first) {
  return my_part() == 0 && my_channel() < split.across * size && first + my_channel() < split.packs * size;
}
#endif

// What blocks tell each other goes through `partial`.
template <class T>
struct ForwardTask {
  ClusterSplit split;
  const T* x;
  T* y;
  i64 x_pitch, y_pitch;
  StoreMoments store;
  Moments* partial;
  bool relu;
};

template <class T>
__global__ void __launch_bounds__(threads, 2) normalise_in_cluster([[maybe_unused]] ForwardTask<T> t) {
#if __CUDA_ARCH__ >= 900
  constexpr int size = Pack<T>::size;
  extern __shared__ uint4 memory[];
  __shared__ float fit[4 * most_channels];
  const cluster_group cluster = cooperative_groups::this_cluster();
  const ClusterPart part = part_of(cluster, t.split);
  const int channel = part.pack * size, channels = t.split.across * size;
  const int first = static_cast<int>(blockIdx.x) / blocks * channels;
  auto* own = reinterpret_cast<Pack<T>*>(memory) + threadIdx.x;  // own[k * threads]: row part.at(k)

  copy_all(part.count, [&](int k) { copy_pack(own + k * threads, t.x + part.at(k) * t.x_pitch + channel); });
  Differences<T> sums;
  as_they_come(part.count, [&](int k) {
    const Pack<T> pack = own[k * threads];
    if (k == 0) sums.first = pack;
    sums.add(pack);
  });
  MomentsOf<size> mine = {};
  if (part.count > 0) mine = sums.of_rows(static_cast<float>(part.count));
  const bool knows = stores(t.split, size, first);
  StoreMoments::Given given = {};
  if (knows) given = t.store.given(first + my_channel());  // while others are still adding
  const Moments all = fold_cluster(cluster, fold_block(mine, t.split.across), t.partial, channels);

  const NormCoefficients<float> k(fit, most_channels);
  if (knows) t.store.fit(k, my_channel(), all, given);
  if (knows && cluster.block_rank() == 0) t.store(first + my_channel(), all, given);
  __syncthreads();
  if (part.count == 0) return;
  const Normal<T> normal(k, channel - first, t.relu);
#pragma unroll 4
  for (int i = 0; i < part.count; ++i) {
    const Pack<T> pack = own[i * threads];
    normal(pack).store(t.y + part.at(i) * t.y_pitch + channel);
  }
#endif
}

template <class T>
struct BackwardTask {
  ClusterSplit split;
  Backward<T> b;
  T* dx;
  i64 dx_pitch;
  StoreSums store;
  PairsOf<1>* partial;
  float share;  // share_of_row
};

template <class T>
__global__ void __launch_bounds__(threads, 2) gradient_in_cluster([[maybe_unused]] BackwardTask<T> t) {
#if __CUDA_ARCH__ >= 900
  constexpr int size = Pack<T>::size;
  extern __shared__ uint4 memory[];
  __shared__ float of_g[most_channels], of_gx[most_channels];
  const cluster_group cluster = cooperative_groups::this_cluster();
  const ClusterPart part = part_of(cluster, t.split);
  const int channel = part.pack * size, channels = t.split.across * size;
  const int first = static_cast<int>(blockIdx.x) / blocks * channels;
  auto* own_x = reinterpret_cast<Pack<T>*>(memory) + threadIdx.x;
  auto* own_dy = own_x + t.split.depth() * threads;

  copy_all(part.count, [&](int k) {
    copy_pack(own_x + k * threads, t.b.x + part.at(k) * t.b.x_pitch + channel);
    copy_pack(own_dy + k * threads, t.b.dy + part.at(k) * t.b.dy_pitch + channel);
  });
  const int known = part.count > 0 ? channel : 0;  // a thread without rows reads any channel that is there
  const Element<T> element(t.b, known);
  const Column<size> inverse(t.b.k.inverse, known);
  const auto at = [&](int k) { return Both<T>{own_x[k * threads], own_dy[k * threads]}; };
  PairsOf<size> mine = {};
  as_they_come(part.count, [&](int k) { element.add(at(k), mine.v); });
  to_normal(mine.v, inverse);
  const Two<float> all = fold_cluster(cluster, fold_block(mine, t.split.across), t.partial, channels).v[0];

  if (stores(t.split, size, first)) {
    StoreSums{of_g, of_gx}(my_channel(), all);
    if (cluster.block_rank() == 0) t.store(first + my_channel(), all);
  }
  __syncthreads();
  if (part.count == 0) return;
  const Slope<T> slope(element, inverse, of_g, of_gx, channel - first, t.share);
#pragma unroll 2
  for (int i = 0; i < part.count; ++i) slope(at(i)).store(t.dx + part.at(i) * t.dx_pitch + channel);
#endif
}

// Launches the kernel with task(how x is shared out, room for what blocks tell each other), if a cluster can keep so
// many tensors of x's size.
template <class Sum, class Kernel, class MakeTask>
bool launched(Kernel* kernel, const Tensor& x, i64 pack_size, int tensors, const char* what, const MakeTask& task) {
  if (!clusters::run_here(kernel, what)) return false;
  const auto split = share_over_clusters(x.shape().rows(), x.shape().channels() / pack_size, tensors,
                                         static_cast<i64>(clusters::most_shared_bytes(kernel, what)));
  if (!split) return false;
  const Tensor room({split->groups() * split->across * pack_size * blocks * static_cast<i64>(sizeof(Sum))}, DType::u8,
                    x.device());
  clusters::launch(kernel, split->groups(), threads, static_cast<std::size_t>(split->bytes(tensors)), what,
                   task(*split, reinterpret_cast<Sum*>(room.raw())));
  return true;
}

}  // namespace

bool normalise_by_clusters(const NormArguments& a, const Tensor& y) {
  bool fits = false;
  with_narrow(a.x.dtype(), [&]<class T>(T) {
    const auto task = [&](const ClusterSplit& split, Moments* partial) {
      return ForwardTask<T>{.split = split,
                            .x = a.x.data<T>(),
                            .y = y.data<T>(),
                            .x_pitch = a.x.pitch(),
                            .y_pitch = y.pitch(),
                            .store = StoreMoments(a),
                            .partial = partial,
                            .relu = a.options.relu};
    };
    fits = launched<Moments>(normalise_in_cluster<T>, a.x, Pack<T>::size, 1, "batch_norm: in clusters", task);
  });
  return fits;
}

bool gradient_by_clusters(const NormArguments& a, const Tensor& dy, const NormSums& sums, const Tensor& dx) {
  bool fits = false;
  with_narrow(a.x.dtype(), [&]<class T>(T) {
    const auto task = [&](const ClusterSplit& split, PairsOf<1>* partial) {
      return BackwardTask<T>{.split = split,
                             .b = Backward<T>(a, dy),
                             .dx = dx.data<T>(),
                             .dx_pitch = dx.pitch(),
                             .store = {sums.of_g.data<float>(), sums.of_gx.data<float>()},
                             .partial = partial,
                             .share = share_of_row<float>(a)};
    };
    fits =
        launched<PairsOf<1>>(gradient_in_cluster<T>, a.x, Pack<T>::size, 2, "batch_norm: gradient in clusters", task);
  });
  return fits;
}

}  // namespace dactyl::fast
#endif

// Batch normalisation in one launch per direction, on GPUs with thread block clusters: a cluster reads its channels
// once into shared memory, its blocks tell each other their sums, and each normalises what it holds (cluster_split.h).
//
// Blocks exchange sums through global memory: each stores its own, the cluster's barrier orders stores before loads,
// and all add up the eight in the same order. Mapped shared memory might save 0.3 µs, but no block could end
// before the last has read it, and compute-sanitizer's racecheck seems to hang on kernels that map it.
//
// Measured on an H100, bf16, from an overwritten cache: 6272×128 takes 10 µs there and 14 back, where two launches take
// 12 and 16. More than 64 KiB a block is slower than two launches: eight warps a processor wait for their own sums.
//
// A block has 256 threads of at most 128 registers; with up to 113 KB of packs two share a processor. Packs of
// neighbouring threads are neighbours in shared memory, 16 bytes each: no bank conflicts. In the sums of warps, rows of
// 33 sums keep the eight parts of a channel in different banks.
#include "kernels/fast/batch_norm.h"

#ifdef __CUDACC__
#include "kernels/fast/batch_norm_backward.h"
#include "kernels/fast/batch_norm_forward.h"
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
  __shared__ alignas(16) float fit[4 * most_channels];
  const cluster_group cluster = cooperative_groups::this_cluster();
  const int rank = static_cast<int>(cluster.block_rank());
  const ClusterPart part = part_of(cluster, t.split);
  const int channel = part.pack * size, channels = t.split.across * size;
  const int first = static_cast<int>(blockIdx.x) / blocks * channels;
  auto* own = reinterpret_cast<Pack<T>*>(memory) + threadIdx.x;  // own[k * threads]: row part.at(k)

  copy_all(part.count, [&](int k) { copy_pack(own + k * threads, t.x + part.at(k) * t.x_pitch + channel); });
  // While the copies are under way: where sums begin, and what the channel is given.
  const int begin = part.edge(t.split, rank), rows = part.edge(t.split, rank + 1) - begin;
  Differences<T> found = {};
  if (part.count > 0) found.origin = Pack<T>::load(t.x + begin * t.x_pitch + channel);
  const bool knows = stores(t.split, size, first);
  const float origin = knows && rows > 0 ? float(t.x[begin * t.x_pitch + first + my_channel()]) : 0.0f;
  StoreMoments::Given given = {};
  if (knows) given = t.store.given(first + my_channel());
  as_they_come(part.count, [&](int k) { found.add(own[k * threads]); });
  const Two<float> sums = fold_block(found.sums, t.split.across);
  const Moments all = fold_cluster(cluster, Moments::of(sums, origin, static_cast<float>(rows)), t.partial, channels);

  const NormCoefficients<float> k(fit, most_channels);
  if (knows) t.store.fit(k, my_channel(), all, given);
  if (knows && rank == 0) t.store(first + my_channel(), all, given);
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
  Two<float>* partial;
  float share;  // share_of_row
};

template <class T>
__global__ void __launch_bounds__(threads, 2) gradient_in_cluster([[maybe_unused]] BackwardTask<T> t) {
#if __CUDA_ARCH__ >= 900
  constexpr int size = Pack<T>::size;
  extern __shared__ uint4 memory[];
  __shared__ alignas(16) float of_g[most_channels], of_gx[most_channels];
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
  const bool knows = stores(t.split, size, first);
  const float inverse = knows ? t.b.k.inverse[first + my_channel()] : 0.0f;
  const auto at = [&](int k) { return Both<T>{own_x[k * threads], own_dy[k * threads]}; };
  PairsOf<size> mine = {};
  as_they_come(part.count, [&](int k) { element.add(at(k), mine); });
  const Two<float> sums = fold_block(mine, t.split.across);
  const Two<float> all = fold_cluster(cluster, Two<float>{sums.a, sums.b * inverse}, t.partial, channels);

  if (knows) {
    StoreSums{of_g, of_gx}(my_channel(), all);
    if (cluster.block_rank() == 0) t.store(first + my_channel(), all);
  }
  __syncthreads();
  if (part.count == 0) return;
  const Slope<T> slope(element, of_g + (channel - first), of_gx + (channel - first), t.share);
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
    const auto task = [&](const ClusterSplit& split, Two<float>* partial) {
      return BackwardTask<T>{.split = split,
                             .b = Backward<T>(a, dy),
                             .dx = dx.data<T>(),
                             .dx_pitch = dx.pitch(),
                             .store = {sums.of_g.data<float>(), sums.of_gx.data<float>()},
                             .partial = partial,
                             .share = share_of_row<float>(a)};
    };
    fits =
        launched<Two<float>>(gradient_in_cluster<T>, a.x, Pack<T>::size, 2, "batch_norm: gradient in clusters", task);
  });
  return fits;
}

}  // namespace dactyl::fast
#endif

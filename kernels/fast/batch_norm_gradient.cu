// The way back of batch_norm.cu, in two launches like the way there.
#include "kernels/fast/batch_norm.h"

#ifdef __CUDACC__
#include "kernels/fast/batch_norm_backward.h"
#include "kernels/fast/slice_group.h"

namespace dactyl::fast {
namespace {

template <class T>
struct Gradient {
  Slices slices;
  Backward<T> b;
  T* dx;
  i64 dx_pitch;
  Two<float>* partial;  // (slices, channels): Σ g and Σ g·x̂
  StoreSums store;
  float share;  // share_of_row

  Gradient(const NormArguments& a, const Tensor& dy, const NormSums& sums, const Tensor* result, const Slices& s,
           const Tensor& room)
      : slices(s),
        b(a, dy),
        dx(result ? result->data<T>() : nullptr),
        dx_pitch(result ? result->pitch() : 0),
        partial(room.defined() ? reinterpret_cast<Two<float>*>(room.raw()) : nullptr),
        store{sums.of_g.data<float>(), sums.of_gx.data<float>()},
        share(share_of_row<float>(a)) {}
};

template <class T>
using Tasks = Together<Gradient<T>>;

template <class T>
__global__ void __launch_bounds__(block_threads) sums_kernel(const __grid_constant__ Tasks<T> tasks) {
  constexpr int size = Pack<T>::size;
  early::let_next_begin();
  const auto here = tasks.mine();
  const Gradient<T>& t = here.task;
  const SlicePart part = my_rows(t.slices, here.group);
  const Group<size> group(t.slices, here.group);
  PairsOf<size> found = {};
  if (part.any) {
    const Element<T> element(t.b, part.pack * size);
    walk(
        part.row, part.end, part.step, [&](int row) { return element.load(row); },
        [&](int, const Both<T>& at) { element.add(at, found); });
  }
  const int channel = group.first + my_channel();
  const float inverse = group.mine() ? t.b.k.inverse[channel] : 0.0f;
  const Two<float> sums = fold_block(found, t.slices.across);
  if (group.mine()) t.partial[blockIdx.y * group.all + channel] = {sums.a, sums.b * inverse};
}

template <class T, class Channels>
__global__ void __launch_bounds__(block_threads) store_sums_kernel(Gradient<T> t) {
  early::wait_for_last();
  const Channels group(t.slices, static_cast<int>(blockIdx.x));
  const Two<float> all = group.fold(t.partial, t.slices.count);
  if (group.mine()) t.store(group.first + my_channel(), all);
}

// With the sums of the slices, or with those that are known where there are none.
template <class T>
__global__ void __launch_bounds__(block_threads) gradient_kernel(const __grid_constant__ Tasks<T> tasks) {
  constexpr int size = Pack<T>::size;
  __shared__ alignas(16) float of_g[most_channels], of_gx[most_channels];
  const auto here = tasks.mine();
  const Gradient<T>& t = here.task;
  const SlicePart part = my_rows(t.slices, here.group, true);
  const Group<size> group(t.slices, here.group);
  early::wait_for_last();
  const int mine = group.first + my_channel();
  const Two<float> all = t.partial      ? group.fold(t.partial, t.slices.count)
                         : group.mine() ? Two<float>{t.store.of_g[mine], t.store.of_gx[mine]}
                                        : Two<float>{};
  if (group.mine()) {
    StoreSums{of_g, of_gx}(my_channel(), all);
    if (t.partial && blockIdx.y == 0) t.store(mine, all);
  }
  __syncthreads();
  if (!part.any) return;
  const int channel = part.pack * size, at = channel - group.first;
  const Element<T> element(t.b, channel);
  const Slope<T> slope(element, of_g + at, of_gx + at, t.share);
  walk(
      part.row, part.end, part.step, [&](int row) { return element.load(row); },
      [&](int row, const Both<T>& both) { slope(both).store(t.dx + row * t.dx_pitch + channel); });
}

template <class T>
void sum_then(const NormArguments& a, const Tensor& dy, const NormSums& sums, const Slices& s,
              void (*next)(Gradient<T>), dim3 grid) {
  const Tensor room = room_for<Two<float>>(s, a.x);
  const Gradient<T> task(a, dy, sums, nullptr, s, room);
  start(sums_kernel<T>, Tasks<T>({task}), "batch_norm: sums");
  early::launch(next, grid, block_threads, "batch_norm: sums of slices", task);
}

}  // namespace

void sum_gradients(const NormArguments& a, const Tensor& dy, const NormSums& sums) {
  const Slices s = slices_of(a.x);
  with_narrow(a.x.dtype(), [&]<class T>(T) {
    constexpr int size = Pack<T>::size;
    if (s.count > most_folded) return sum_then<T>(a, dy, sums, s, store_sums_kernel<T, Few<size>>, fews_of(a.x));
    sum_then<T>(a, dy, sums, s, store_sums_kernel<T, Group<size>>, groups_of(s));
  });
}

void gradient(const NormArguments& a, const Tensor& dy, const NormSums& sums, const Tensor& dx) {
  if (gradient_by_clusters(a, dy, sums, dx)) return;
  const Slices s = slices_of(a.x);
  if (s.count > most_folded) {
    sum_gradients(a, dy, sums);
    return with_narrow(a.x.dtype(), [&]<class T>(T) {
      const Tasks<T> alone({Gradient<T>(a, dy, sums, &dx, s, {})});
      early::launch(gradient_kernel<T>, alone.blocks(), block_threads, "batch_norm: gradient", alone);
    });
  }
  gradient(std::vector{a}, std::vector{dy}, std::vector{sums}, std::vector{dx});
}

void gradient(const std::vector<NormArguments>& all, const std::vector<Tensor>& dy, const std::vector<NormSums>& sums,
              const std::vector<Tensor>& dx) {
  const std::vector<Slices> slices = slices_of(all);
  with_narrow(all[0].x.dtype(), [&]<class T>(T) {
    std::vector<Tensor> rooms;
    std::vector<Gradient<T>> tasks;
    for (std::size_t i = 0; i < all.size(); ++i) {
      rooms.push_back(room_for<Two<float>>(slices[i], all[i].x));
      tasks.emplace_back(all[i], dy[i], sums[i], &dx[i], slices[i], rooms[i]);
    }
    const Tasks<T> together(tasks);
    start(sums_kernel<T>, together, "batch_norm: sums");
    early::launch(gradient_kernel<T>, together.blocks(), block_threads, "batch_norm: gradient", together);
  });
}

}  // namespace dactyl::fast
#endif

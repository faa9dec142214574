// Batch normalisation on a GPU in two launches, 16 bytes of channels per thread, shared out as slices.h says. The first
// adds up a slice per block. Every block of the second adds up the slices of its own channels, which should still be in
// the L2 cache; of many slices a third launch between them does it (most_folded). The second begins while the first
// runs. Tensors of the same rows may share the launches.
#include "kernels/fast/batch_norm.h"

#ifdef __CUDACC__
#include "kernels/fast/batch_norm_forward.h"
#include "kernels/fast/slice_group.h"

namespace dactyl::fast {
namespace {

// x's slices, of which `partial` (slices, channels) has the moments.
template <class T>
struct Forward {
  Slices slices;
  const T* x;
  T* y;
  i64 x_pitch, y_pitch;
  Moments* partial;
  StoreMoments store;
  bool relu;

  Forward(const NormArguments& a, const Tensor* result, const Slices& s, const Tensor& room)
      : slices(s),
        x(a.x.data<T>()),
        y(result ? result->data<T>() : nullptr),
        x_pitch(a.x.pitch()),
        y_pitch(result ? result->pitch() : 0),
        partial(room.defined() ? reinterpret_cast<Moments*>(room.raw()) : nullptr),
        store(a),
        relu(a.options.relu) {}
};

template <class T>
using Tasks = Together<Forward<T>>;

template <class T>
__global__ void __launch_bounds__(block_threads) moments_kernel(const __grid_constant__ Tasks<T> tasks) {
  constexpr int size = Pack<T>::size;
  early::let_next_begin();
  const auto here = tasks.mine();
  const Forward<T>& t = here.task;
  const SlicePart part = my_rows(t.slices, here.group);
  const Group<size> group(t.slices, here.group);
  const T* first = t.x + part.first_row * t.x_pitch;
  Differences<T> found = {};
  if (part.any) {
    found.origin = Pack<T>::load(first + part.pack * size);
    walk(
        part.row, part.end, part.step, [&](int row) { return Pack<T>::load(t.x + row * t.x_pitch + part.pack * size); },
        [&](int, const Pack<T>& pack) { found.add(pack); });
  }
  const int channel = group.first + my_channel();
  const float origin = group.mine() ? float(first[channel]) : 0.0f;
  const Two<float> sums = fold_block(found.sums, t.slices.across);
  if (group.mine())
    t.partial[blockIdx.y * group.all + channel] =
        Moments::of(sums, origin, static_cast<float>(part.end - part.first_row));
}

// Stores what the slices hold together.
template <class T, class Channels>
__global__ void __launch_bounds__(block_threads) fit_kernel(Forward<T> t) {
  early::wait_for_last();
  const Channels group(t.slices, static_cast<int>(blockIdx.x));
  const Moments all = group.fold(t.partial, t.slices.count);
  const int channel = group.first + my_channel();
  if (group.mine()) t.store(channel, all, t.store.given(channel));
}

// With the coefficients of the moments, or with those that are known where there are none.
template <class T>
__global__ void __launch_bounds__(block_threads) normalise_kernel(const __grid_constant__ Tasks<T> tasks) {
  constexpr int size = Pack<T>::size;
  __shared__ alignas(16) float fit[4 * most_channels];
  const auto here = tasks.mine();
  const Forward<T>& t = here.task;
  const SlicePart part = my_rows(t.slices, here.group, true);
  const Group<size> group(t.slices, here.group);
  NormCoefficients<float> k(t.store.k);
  int at = part.pack * size;
  if (t.partial) {
    const int channel = group.first + my_channel();
    StoreMoments::Given given = {};
    if (group.mine()) given = t.store.given(channel);
    early::wait_for_last();
    const Moments all = group.fold(t.partial, t.slices.count);
    k = {fit, most_channels};
    at -= group.first;
    if (group.mine()) t.store.fit(k, my_channel(), all, given);
    if (group.mine() && blockIdx.y == 0) t.store(channel, all, given);
    __syncthreads();
  }
  if (!part.any) return;
  const Normal<T> normal(k, at, t.relu);
  walk(
      part.row, part.end, part.step, [&](int row) { return Pack<T>::load(t.x + row * t.x_pitch + part.pack * size); },
      [&](int row, const Pack<T>& in) { normal(in).store(t.y + row * t.y_pitch + part.pack * size); });
}

// The batch's moments, then `next` with what they add up to: a block for each of its `grid`.
template <class T>
void fit_then(const NormArguments& a, const Slices& s, void (*next)(Forward<T>), dim3 grid) {
  const Tensor room = room_for<Moments>(s, a.x);
  const Forward<T> task(a, nullptr, s, room);
  start(moments_kernel<T>, Tasks<T>({task}), "batch_norm: moments");
  early::launch(next, grid, block_threads, "batch_norm: fit", task);
}

}  // namespace

bool norms_by_packs(const NormArguments& a, const Tensor& y) {
  return a.options.algorithm != Algorithm::reference && a.x.device().is_cuda() && a.x.dtype() != DType::f64 &&
         a.x.dtype() == y.dtype() && packed(a.x) && packed(y) && a.x.count() > 0 && a.x.shape().rows() < 1 << 30;
}

void fit_batch(const NormArguments& a) {
  const Slices s = slices_of(a.x);
  with_narrow(a.x.dtype(), [&]<class T>(T) {
    if (s.count > most_folded) return fit_then<T>(a, s, fit_kernel<T, Few<Pack<T>::size>>, fews_of(a.x));
    fit_then<T>(a, s, fit_kernel<T, Group<Pack<T>::size>>, groups_of(s));
  });
}

void fit_and_normalise(const NormArguments& a, const Tensor& y) {
  if (normalise_by_clusters(a, y)) return;
  const Slices s = slices_of(a.x);
  if (s.count > most_folded) {
    fit_batch(a);
    return normalise(a, y);
  }
  fit_and_normalise(std::vector{a}, std::vector{y});
}

void fit_and_normalise(const std::vector<NormArguments>& all, const std::vector<Tensor>& y) {
  const std::vector<Slices> slices = slices_of(all);
  with_narrow(all[0].x.dtype(), [&]<class T>(T) {
    std::vector<Tensor> rooms;
    std::vector<Forward<T>> tasks;
    for (std::size_t i = 0; i < all.size(); ++i) {
      rooms.push_back(room_for<Moments>(slices[i], all[i].x));
      tasks.emplace_back(all[i], &y[i], slices[i], rooms[i]);
    }
    const Tasks<T> together(tasks);
    start(moments_kernel<T>, together, "batch_norm: moments");
    early::launch(normalise_kernel<T>, together.blocks(), block_threads, "batch_norm: normalise", together);
  });
}

void normalise(const NormArguments& a, const Tensor& y) {
  const Slices s = slices_of(a.x);
  with_narrow(a.x.dtype(), [&]<class T>(T) {
    start(normalise_kernel<T>, Tasks<T>({Forward<T>(a, &y, s, {})}), "batch_norm: normalise");
  });
}

}  // namespace dactyl::fast
#endif

// A launch that reads every row once and leaves a sum per slice of them, and one that adds these up, always in the same
// order; the first alone where it has one slice.
#include "kernels/fast/masked_sums.h"

#ifdef __CUDACC__
#include "kernels/fast/masked_rows.h"
#include "kernels/fast/slice_group.h"

namespace dactyl::fast {
namespace {

template <class T>
struct MaskedSums {
  Slices slices;
  MaskedRows<T> rows;
  T* db;
  float* partial;  // (slices, channels); null: there is one slice, whose sums are db

  MaskedSums(const Slices& s, const MaskedRows<T>& r, const Tensor& of_channels, const Tensor& room)
      : slices(s),
        rows(r),
        db(of_channels.data<T>()),
        partial(room.defined() ? reinterpret_cast<float*>(room.raw()) : nullptr) {}

  __device__ void store(int channel, float sum) const {
    if (partial)
      partial[blockIdx.y * rows.channels + channel] = sum;
    else
      db[channel] = T(sum);
  }
};

// From the last slice to the first: the cache should still hold the end of dy, and afterwards the beginning of dz.
template <class T, bool relu>
__global__ void __launch_bounds__(block_threads) sums_kernel(const __grid_constant__ MaskedSums<T> t) {
  constexpr int size = Pack<T>::size;
  if (t.partial) early::let_next_begin();
  const int index = static_cast<int>(blockIdx.x);
  const SlicePart part = my_rows(t.slices, index, true);
  const Group<size> group(t.slices, index);
  SumsOf<float, size> found = {};
  if constexpr (relu) {
    if (part.any) t.rows.mask_and_sum(part, found.v);
  } else {
    if (part.any) t.rows.sum(part, found.v);
  }
  const float sum = fold_block(found, t.slices.across);
  if (group.mine()) t.store(group.first + my_channel(), sum);
}

template <class T>
__global__ void __launch_bounds__(block_threads) store_sums_kernel(const __grid_constant__ MaskedSums<T> t) {
  early::wait_for_last();
  const Few<Pack<T>::size> group(t.slices, static_cast<int>(blockIdx.x));
  const float sum = group.fold(t.partial, t.slices.count);
  if (group.mine()) t.db[group.first + my_channel()] = T(sum);
}

template <class T>
void run(void (*kernel)(MaskedSums<T>), const MaskedRows<T>& rows, const Tensor& dy, const Tensor& db) {
  const Slices s = slices_of(dy);
  const Tensor room = s.count > 1 ? room_for<float>(s, dy) : Tensor();
  const MaskedSums<T> task(s, rows, db, room);
  const dim3 grid(static_cast<unsigned>(s.groups()), static_cast<unsigned>(s.count));
  kernel<<<grid, block_threads, 0, Context::current().compute().handle()>>>(task);
  check_launch("bias: sums");
  if (s.count > 1) early::launch(store_sums_kernel<T>, fews_of(dy), block_threads, "bias: sums of slices", task);
}

}  // namespace

bool sums_by_packs(const Tensor& dy, const Tensor& y) {
  return dy.device().is_cuda() && dy.dtype() != DType::f64 && packed(dy) && (!y.defined() || packed(y)) &&
         dy.count() > 0 && dy.shape().rows() < 1 << 30;
}

void mask_and_sum(const Tensor& dy, const Tensor& y, const Tensor& dz, const Tensor& db) {
  with_narrow(dy.dtype(), [&]<class T>(T) { run<T>(sums_kernel<T, true>, MaskedRows<T>(dy, y, dz), dy, db); });
}

void sum_channels(const Tensor& dy, const Tensor& db) {
  with_narrow(dy.dtype(), [&]<class T>(T) { run<T>(sums_kernel<T, false>, MaskedRows<T>(dy), dy, db); });
}

}  // namespace dactyl::fast
#endif

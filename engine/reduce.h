// Folds rows or channels on either device, always in the same order, so that the same input gives the same bits.
#pragma once

#include <vector>

#include "engine/each.h"
#include "engine/fold_kernels.h"

namespace dactyl {

// A pair of sums folded in one pass (mean and variance, two gradients).
template <class C>
struct Two {
  C a, b;
  HD Two& operator+=(const Two& o) {
    a += o.a;
    b += o.b;
    return *this;
  }
};

// store(row, sum over i of load(row, i)); C is the type summed in (needs C{} == 0 and +=).
template <class C, class Load, class Store>
void fold_rows([[maybe_unused]] Device device, i64 rows, i64 columns, const Load& load, const Store& store) {
  if (rows <= 0) return;
#ifdef __CUDACC__
  if (device.is_cuda()) {
    detail::fold_rows_kernel<C>
        <<<static_cast<unsigned>(rows), detail::fold_threads, 0, Context::current().compute().handle()>>>(columns, load,
                                                                                                          store);
    check_launch("fold_rows");
    return;
  }
#endif
#pragma omp parallel for schedule(static) if (rows * columns >= 8192)
  for (i64 r = 0; r < rows; ++r) {
    C sum{};
    for (i64 i = 0; i < columns; ++i) sum += load(r, i);
    store(r, sum);
  }
}

// store(channel, sum over rows of load(row, channel)): for biases, means, variances. The rows are cut into a number
// of slices that depends on their count alone, never on the threads.
template <class C, class Load, class Store>
void fold_channels([[maybe_unused]] Device device, i64 rows, i64 channels, const Load& load, const Store& store) {
  if (channels <= 0) return;
  const i64 slices = std::max<i64>(1, std::min<i64>(device.is_cuda() ? 256 : 64, rows / 64));
  const i64 slice = (rows + slices - 1) / slices;
  Tensor scratch({slices * channels * static_cast<i64>(sizeof(C))}, DType::u8, device);
  C* partial = reinterpret_cast<C*>(scratch.raw());
#ifdef __CUDACC__
  if (device.is_cuda()) {
    const dim3 grid(static_cast<unsigned>((channels + 31) / 32), static_cast<unsigned>(slices));
    detail::fold_channels_kernel<C>
        <<<grid, dim3(32, 8), 0, Context::current().compute().handle()>>>(rows, channels, slice, partial, load);
    check_launch("fold_channels");
  }
#endif
  if (!device.is_cuda()) {
#pragma omp parallel for schedule(static) if (rows * channels >= 8192)
    for (i64 s = 0; s < slices; ++s) {
      C* sums = partial + s * channels;
      for (i64 c = 0; c < channels; ++c) sums[c] = C{};
      for (i64 r = s * slice; r < std::min(rows, (s + 1) * slice); ++r)
        for (i64 c = 0; c < channels; ++c) sums[c] += load(r, c);
    }
  }
  each(device, channels, [=] HD(i64 c) {
    C sum{};
    for (i64 s = 0; s < slices; ++s) sum += partial[s * channels + c];
    store(c, sum);
  });
}

}  // namespace dactyl

// Batch normalisation on a GPU, 16 bytes of channels per thread, shared out as slices.h says. A thread keeps its
// channels' coefficients and sums in registers.
#include "kernels/fast/batch_norm.h"

#ifdef __CUDACC__
#include "kernels/fast/batch_norm_backward.h"
#include "kernels/fast/slices.h"

namespace dactyl::fast {
namespace {

template <class T>
__global__ void __launch_bounds__(threads)
    moments_kernel(int rows, int packs, int slice, const T* __restrict__ x, i64 pitch, Moments* partial) {
  constexpr int size = Pack<T>::size;
  const Part part(rows, packs, slice, size);
  MomentsOf<size> mine[1] = {};
  if (part.any) {
    const auto load = [&](int row) { return Pack<T>::load(x + row * pitch + part.channel); };
    Differences<T> sums{load(part.row)};
    walk(part.row + part.step, part.end, part.step, load, [&](int, const Pack<T>& pack) { sums.add(pack); });
    mine[0] = sums.of_rows(static_cast<float>((part.end - part.row + part.step - 1) / part.step));
  }
  merge(mine);
  if (threadIdx.y != 0 || !part.any) return;
  for (int i = 0; i < size; ++i) partial[i64{blockIdx.y} * packs * size + part.channel + i] = mine[0].of(i);
}

template <class T>
__global__ void __launch_bounds__(threads)
    normalise_kernel(int rows, int packs, int slice, const T* __restrict__ x, i64 x_pitch, T* __restrict__ y,
                     i64 y_pitch, NormCoefficients<float> k, bool relu) {
  constexpr int size = Pack<T>::size;
  const Part part(rows, packs, slice, size, true);
  if (!part.any) return;
  const Normal<T> normal(k, part.channel, relu);
  walk(
      part.row, part.end, part.step, [&](int row) { return Pack<T>::load(x + row * x_pitch + part.channel); },
      [&](int row, const Pack<T>& in) { normal(in).store(y + row * y_pitch + part.channel); });
}

template <class T>
__global__ void __launch_bounds__(threads)
    sums_kernel(int rows, int packs, int slice, Backward<T> b, Two<float>* partial) {
  constexpr int size = Pack<T>::size;
  const Part part(rows, packs, slice, size);
  Two<float> mine[size] = {};
  if (part.any) {
    const Element<T> element(b, part.channel);
    walk(
        part.row, part.end, part.step, [&](int row) { return element.load(row); },
        [&](int, const Both<T>& at) { element.add(at, mine); });
    to_normal(mine, Column<size>(b.k.inverse, part.channel));
  }
  merge(mine);
  if (threadIdx.y != 0 || !part.any) return;
  for (int i = 0; i < size; ++i) partial[i64{blockIdx.y} * packs * size + part.channel + i] = mine[i];
}

template <class T>
__global__ void __launch_bounds__(threads)
    gradient_kernel(int rows, int packs, int slice, Backward<T> b, const float* of_g, const float* of_gx, float share,
                    T* __restrict__ dx, i64 dx_pitch) {
  constexpr int size = Pack<T>::size;
  const Part part(rows, packs, slice, size, true);
  if (!part.any) return;
  const Element<T> element(b, part.channel);
  const Slope<T> slope(element, Column<size>(b.k.inverse, part.channel), of_g, of_gx, part.channel, share);
  walk(
      part.row, part.end, part.step, [&](int row) { return element.load(row); },
      [&](int row, const Both<T>& at) { slope(at).store(dx + row * dx_pitch + part.channel); });
}

CUstream_st* stream() { return Context::current().compute().handle(); }

}  // namespace

bool norms_by_packs(const NormArguments& a, const Tensor& y) {
  return a.options.algorithm != Algorithm::reference && a.x.device().is_cuda() && a.x.dtype() != DType::f64 &&
         a.x.dtype() == y.dtype() && packed(a.x) && packed(y) && a.x.count() > 0 && a.x.shape().rows() < 1 << 30;
}

void fit_batch(const NormArguments& a) {
  const StoreMoments store(a);
  with_narrow(a.x.dtype(), [&]<class T>(T) {
    const Split s(a.x, Pack<T>::size);
    const Tensor bytes = scratch<Moments>(s, a.x);
    Moments* partial = reinterpret_cast<Moments*>(bytes.raw());
    moments_kernel<<<s.grid, s.block, 0, stream()>>>(s.rows, s.packs, s.slice, a.x.data<T>(), a.x.pitch(), partial);
    check_launch("batch_norm: moments");
    finish(a.x.shape().channels(), s.slices, partial, store);
  });
}

void normalise(const NormArguments& a, const Tensor& y) {
  with_narrow(a.x.dtype(), [&]<class T>(T) {
    const Split s(a.x, Pack<T>::size);
    normalise_kernel<<<s.grid, s.block, 0, stream()>>>(s.rows, s.packs, s.slice, a.x.data<T>(), a.x.pitch(),
                                                       y.data<T>(), y.pitch(), NormCoefficients<float>(a.fit),
                                                       a.options.relu);
    check_launch("batch_norm: normalise");
  });
}

void sum_gradients(const NormArguments& a, const Tensor& dy, const NormSums& sums) {
  with_narrow(a.x.dtype(), [&]<class T>(T) {
    const Split s(a.x, Pack<T>::size);
    const Tensor bytes = scratch<Two<float>>(s, a.x);
    auto* partial = reinterpret_cast<Two<float>*>(bytes.raw());
    sums_kernel<<<s.grid, s.block, 0, stream()>>>(s.rows, s.packs, s.slice, Backward<T>(a, dy), partial);
    check_launch("batch_norm: sums");
    finish(a.x.shape().channels(), s.slices, partial, StoreSums{sums.of_g.data<float>(), sums.of_gx.data<float>()});
  });
}

void normalise_gradient(const NormArguments& a, const Tensor& dy, const NormSums& sums, const Tensor& dx) {
  const float share = share_of_row<float>(a);
  with_narrow(a.x.dtype(), [&]<class T>(T) {
    const Split s(a.x, Pack<T>::size);
    gradient_kernel<<<s.grid, s.block, 0, stream()>>>(s.rows, s.packs, s.slice, Backward<T>(a, dy),
                                                      sums.of_g.data<float>(), sums.of_gx.data<float>(), share,
                                                      dx.data<T>(), dx.pitch());
    check_launch("batch_norm: gradient");
  });
}

}  // namespace dactyl::fast
#endif

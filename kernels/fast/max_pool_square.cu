// Launches the walks of max_pool_square.h and max_pool_square_backward.h. Plain C++ that the CPU runs too.
#include "kernels/fast/max_pool_square.h"

#include "kernels/fast/max_pool.h"
#include "kernels/fast/max_pool_square_backward.h"
#include "kernels/fast/max_pool_window.h"

#ifdef __CUDACC__
#include "engine/cuda.h"
#endif

namespace dactyl::fast {
namespace {

#ifdef __CUDACC__
// Small blocks, so that processors get as many warps each; seven leave 72 registers to each thread.
constexpr int block_threads = 128, blocks = 7;

template <class Walk>
__global__ void __launch_bounds__(block_threads, blocks) square_kernel(unsigned threads, Walk walk) {
  const unsigned i = blockIdx.x * block_threads + threadIdx.x;
  if (i < threads) walk(i);
}
#endif

template <class Walk>
void each_strip(Device device, const Walk& walk) {
  const i64 threads = walk.strips.threads();
#ifdef __CUDACC__
  if (device.is_cuda()) {
    square_kernel<<<static_cast<unsigned>((threads + block_threads - 1) / block_threads), block_threads, 0,
                    Context::current().compute().handle()>>>(static_cast<unsigned>(threads), walk);
    check_launch("max_pool: 3x3");
    return;
  }
#endif
  check(!device.is_cuda(), "max_pool: this build has no GPU code");
#pragma omp parallel for schedule(static) if (threads >= 4096)
  for (i64 i = 0; i < threads; ++i) walk(static_cast<unsigned>(i));
}

// Of results of these extents.
template <class T>
Strips strips_of(const Geometry& g, const i64 (&extent)[3], i64 enough) {
  return Strips(g.batch * extent[0], extent[1], extent[2], g.channels / Pack<T>::size, Pack<T>::size, enough);
}

// The planes of a side of windows.
template <class N>
PlaneRows<N> planes(N* first, const i64 (&extent)[3], i64 pitch) {
  return {first, extent[1], extent[2], pitch};
}

bool fits(const Geometry& g, i64 stride) { return is(g, {1, 3, 3}, {1, stride, stride}) && g.in[0] == g.out[0]; }

template <class T, int stride>
void forward(const Geometry& g, const Tensor& xs, const Tensor& ys, std::uint8_t* to, i64 enough) {
  const Strips strips = strips_of<T>(g, g.out, enough);
  const auto x = planes<const T>(xs.data<T>(), g.in, xs.pitch());
  const auto y = planes(ys.data<T>(), g.out, ys.pitch());
  const auto taps = planes(to, g.out, g.channels);
  const int low[2] = {static_cast<int>(g.low[1]), static_cast<int>(g.low[2])};
  if (to)
    each_strip(xs.device(), SquareForward<T, stride, true>{strips, x, y, taps, {low[0], low[1]}});
  else
    each_strip(xs.device(), SquareForward<T, stride, false>{strips, x, y, taps, {low[0], low[1]}});
}

}  // namespace

bool max_pool_forward_by_strips(const Geometry& g, const Tensor& x, const Tensor& y, std::uint8_t* taps, i64 enough) {
  const bool by_one = fits(g, 1);
  if (!by_one && !fits(g, 2)) return false;
  with_narrow(x.dtype(), [&]<class T>(T) { (by_one ? forward<T, 1> : forward<T, 2>)(g, x, y, taps, enough); });
  return true;
}

bool max_pool_backward_by_strips(const Geometry& g, const Tensor& dys, const std::uint8_t* from, const Tensor& dxs,
                                 i64 enough) {
  if (!fits(g, 1)) return false;
  with_narrow(dys.dtype(), [&]<class T>(T) {
    each_strip(dxs.device(), SquareBackward<T>{strips_of<T>(g, g.in, enough),
                                               planes<const T>(dys.data<T>(), g.out, dys.pitch()),
                                               planes(from, g.out, g.channels),
                                               planes(dxs.data<T>(), g.in, dxs.pitch()),
                                               {static_cast<int>(g.low[1]), static_cast<int>(g.low[2])}});
  });
  return true;
}

}  // namespace dactyl::fast

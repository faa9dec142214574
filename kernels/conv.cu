// Convolution over one to three spatial extents: y = w * x + b, optionally max(0, ·).
#include "engine/reduce.h"
#include "kernels/bias_relu.h"
#include "kernels/conv_host.h"
#include "kernels/cudnn.h"
#include "kernels/descriptor.h"
#include "kernels/geometry.h"
#include "kernels/onednn.h"

namespace dactyl {
namespace {

// The reference: y[r, o] = b[o] + Σ over taps and channels of o's group of w[o, tap, c] x[r at tap, c].
template <class T>
void forward(Geometry g, i64 groups, const Tensor& xs, const Tensor& ws, const Tensor& bs, bool relu,
             const Tensor& ys) {
  using C = compute_t<T>;
  const i64 outs = ws.shape()[0], ins = ws.shape().channels(), x_pitch = xs.pitch(), y_pitch = ys.pitch();
  const T *x = xs.data<T>(), *w = ws.data<T>(), *b = bs.defined() ? bs.data<T>() : nullptr;
  T* y = ys.data<T>();
  each(xs.device(), g.rows_out() * outs, [=] HD(i64 i) {
    const i64 row = i / outs, o = i % outs;
    const T* filter = w + o * g.taps() * ins;
    const T* group = x + o / (outs / groups) * ins;
    C sum = b ? C(b[o]) : C(0);
    g.each_tap(row, [&](i64 tap, i64 at) {
      for (i64 c = 0; c < ins; ++c) sum += C(filter[tap * ins + c]) * C(group[at * x_pitch + c]);
    });
    y[row * y_pitch + o] = T(relu && sum < 0 ? C(0) : sum);
  });
}

// dx[r, c] = Σ over the windows that read r and the filters of c's group of w[o, tap, c] dy[window, o]; or +=.
template <class T>
void backward_data(Geometry g, i64 groups, const Tensor& dys, const Tensor& ws, bool adds, const Tensor& dxs) {
  using C = compute_t<T>;
  const i64 outs = ws.shape()[0] / groups, ins = ws.shape().channels(), dy_pitch = dys.pitch();
  const T *dy = dys.data<T>(), *w = ws.data<T>();
  T* dx = dxs.data<T>();
  each(dxs.device(), dxs.count(), [=] HD(i64 i) {
    const i64 row = i / g.channels, channel = i % g.channels;
    const i64 first = channel / ins * outs, c = channel % ins, filter = g.taps() * ins;
    C sum = adds ? C(dx[i]) : C(0);
    g.each_window(row, [&](i64 tap, i64 at) {
      for (i64 o = first; o < first + outs; ++o) sum += C(w[o * filter + tap * ins + c]) * C(dy[at * dy_pitch + o]);
    });
    dx[i] = T(sum);
  });
}

// The input row that a window's tap reads, or -1 outside the input.
HD i64 row_at(const Geometry& g, i64 output_row, i64 tap) {
  const Place p = Geometry::place(g.out, output_row);
  const i64 k[3] = {tap / (g.kernel[1] * g.kernel[2]), tap / g.kernel[2] % g.kernel[1], tap % g.kernel[2]};
  const i64 d = p.d * g.stride[0] - g.low[0] + k[0];
  const i64 h = p.h * g.stride[1] - g.low[1] + k[1];
  const i64 w = p.w * g.stride[2] - g.low[2] + k[2];
  const bool outside = d < 0 || d >= g.in[0] || h < 0 || h >= g.in[1] || w < 0 || w >= g.in[2];
  return outside ? -1 : ((p.n * g.in[0] + d) * g.in[1] + h) * g.in[2] + w;
}

// dw[o, tap, c] = Σ over output rows of dy[r, o] x[r at tap, c].
template <class T>
void backward_weights(Geometry g, i64 groups, const Tensor& dys, const Tensor& xs, const Tensor& dws) {
  using C = compute_t<T>;
  const i64 outs = dws.shape()[0] / groups, ins = dws.shape().channels(), dy_pitch = dys.pitch(), x_pitch = xs.pitch();
  const T *dy = dys.data<T>(), *x = xs.data<T>();
  T* dw = dws.data<T>();
  each(dws.device(), dws.count(), [=] HD(i64 i) {
    const i64 c = i % ins, tap = i / ins % g.taps(), o = i / (ins * g.taps());
    const i64 channel = o / outs * ins + c;
    C sum = 0;
    for (i64 r = 0; r < g.rows_out(); ++r) {
      const i64 at = row_at(g, r, tap);
      if (at >= 0) sum += C(dy[r * dy_pitch + o]) * C(x[at * x_pitch + channel]);
    }
    dw[i] = T(sum);
  });
}

// The same where every channel is a group of its own: a sum over rows per tap, neighbouring threads on neighbouring
// channels.
template <class T>
void backward_depthwise(Geometry g, const Tensor& dys, const Tensor& xs, const Tensor& dws) {
  using C = compute_t<T>;
  const i64 dy_pitch = dys.pitch(), x_pitch = xs.pitch(), taps = g.taps();
  const T *dy = dys.data<T>(), *x = xs.data<T>();
  T* dw = dws.data<T>();
  for (i64 tap = 0; tap < taps; ++tap)
    fold_channels<C>(
        dws.device(), g.rows_out(), dws.shape()[0],
        [=] HD(i64 r, i64 c) {
          const i64 at = row_at(g, r, tap);
          return at < 0 ? C(0) : C(dy[r * dy_pitch + c]) * C(x[at * x_pitch + c]);
        },
        [=] HD(i64 c, C sum) { dw[c * taps + tap] = T(sum); });
}

enum class Path { reference, host, gpu };

// Who computes: 8- and 11-bit numbers have no fast host path of their own and go through f32 there.
Path path(const Tensor& x, const ConvOptions& o) {
  if (o.algorithm == Algorithm::reference) return Path::reference;
  if (x.device().is_cuda()) return x.dtype() == DType::f64 ? Path::reference : Path::gpu;
  const bool possible = onednn_built() && x.dtype() != DType::f64;
  check(possible || o.algorithm != Algorithm::library, "conv: oneDNN is not in this build or has no {}; use automatic",
        x.dtype());
  return possible ? Path::host : Path::reference;
}

void check_arguments(const Tensor& x, const Tensor& w, const ConvOptions& o) {
  const Shape &xs = x.shape(), &ws = w.shape();
  check(xs.rank() == ws.rank() && xs.spatial() >= 1, "conv: x {} and w {} need the same rank, 3 to 5", xs, ws);
  check(x.dtype() == w.dtype() && x.device() == w.device(), "conv: x {} is {} on {}, w {} is {} on {}", xs, x.dtype(),
        x.device(), ws, w.dtype(), w.device());
  check(o.groups >= 1 && ws[0] % o.groups == 0 && xs.channels() == ws.channels() * o.groups,
        "conv: x {} has {} channels, w {} expects {} in {} groups", xs, xs.channels(), ws, ws.channels() * o.groups,
        o.groups);
  for (int i = 0; i < xs.spatial(); ++i)
    check(o.window.kernel.rank() == xs.spatial() && ws[i + 1] == o.window.kernel[i],
          "conv: w {} does not have the window's kernel {}; x is {}", ws, o.window.kernel, xs);
  check(!o.bias.defined() || (o.bias.shape() == Shape{ws[0]} && o.bias.dtype() == x.dtype() && o.bias.is_dense()),
        "conv: bias {} does not fit w {}", o.bias.defined() ? o.bias.shape() : Shape{}, ws);
  check(w.is_dense(), "conv: w {} is a slice of a wider tensor", ws);
}

// The loops stand in where cuDNN has no plan (it says so itself), but not for a caller who wants the library.
void check_reference(Path p, const ConvOptions& o) {
  check(p != Path::gpu || o.algorithm != Algorithm::library, "conv: cuDNN has no plan for this; use automatic");
}

void run_forward(const Tensor& x, const Tensor& w, const ConvOptions& o, const Tensor& y) {
  const Path p = path(x, o);
  if (p == Path::host) return host_conv_forward(x, w, o, y);
#ifdef __CUDACC__
  if (p == Path::gpu && cudnn_conv_forward(x.dense(), w, o, y)) return;
#endif
  check_reference(p, o);
  with_float(x.dtype(), [&]<class T>() {
    forward<T>(geometry(x.shape(), y.shape(), o.window), o.groups, x, w, o.bias, o.relu, y);
  });
}

// A new tensor; or `sum`, if there is one and who computes can add to it.
Tensor data_gradient(const Tensor& dy, const Tensor& w, const ConvOptions& o, const Shape& shape, const Tensor& sum) {
  const Path p = path(dy, o);
#ifdef __CUDACC__
  if (p == Path::gpu && sum.defined() && cudnn_conv_add_backward_data(dy.dense(), w, o, sum)) return sum;
#endif
  const bool adds = p == Path::reference && sum.defined();
  const Tensor dx = adds ? sum : Tensor(shape, dy.dtype(), dy.device());
  if (p == Path::host) {
    host_conv_backward_data(dy, w, o, dx);
    return dx;
  }
#ifdef __CUDACC__
  if (p == Path::gpu && cudnn_conv_backward_data(dy.dense(), w, o, dx)) return dx;
#endif
  check_reference(p, o);
  const Geometry g = geometry(shape, dy.shape(), o.window);
  with_float(dy.dtype(), [&]<class T>() { backward_data<T>(g, o.groups, dy, w, adds, dx); });
  return dx;
}

void weight_gradient(const Tensor& dy, const Tensor& x, const ConvOptions& o, const Tensor& dw) {
  const Path p = path(dy, o);
  if (p == Path::host) {
    return host_conv_backward_weights(dy, x, o, dw);
  }
#ifdef __CUDACC__
  if (p == Path::gpu && cudnn_conv_backward_weights(dy.dense(), x.dense(), o, dw)) return;
#endif
  check_reference(p, o);
  const Geometry g = geometry(x.shape(), dy.shape(), o.window);
  const bool depthwise = o.groups == x.shape().channels() && o.groups == dw.shape()[0];
  with_float(dy.dtype(), [&]<class T>() {
    if (depthwise && o.algorithm != Algorithm::reference)
      backward_depthwise<T>(g, dy, x, dw);
    else
      backward_weights<T>(g, o.groups, dy, x, dw);
  });
}

// Whether nobody reads dw before the whole gradient is there: it lies where a parameter's gradient gathers.
bool is_final(const std::shared_ptr<Slot>& slot, const Tensor& dw) {
  return slot && slot->leaf && slot->grad.defined() && slot->grad.raw() == dw.raw();
}

}  // namespace

Tensor conv(const Tensor& x, const Tensor& w, const ConvOptions& options) {
  check_arguments(x, w, options);
  const Shape shape = output_shape(x.shape(), options.window, w.shape()[0]);
  Tensor y = result("conv", options.into, shape, x);
  if (Context::current().shapes_only)
    y.fill(0);
  else
    run_forward(x, w, options, y);
  const bool wants_x = x.watched(), wants_w = w.watched(), wants_b = options.bias.defined() && options.bias.watched();
  ConvOptions o = options;
  o.bias = o.into = Tensor();
  if (tracing()) trace_what(to_text(describe(x, w, options)));
  return record("conv", {x, w, options.bias}, y,
                [o, wants_x, wants_w, wants_b, x_shape = x.shape(), w_shape = w.shape(), x_slot = x.slot(),
                 w_slot = w.slot(), b_slot = options.bias.slot(), x = wants_w ? Saved(x) : Saved(),
                 w = wants_x ? w.detached() : Tensor(), y = o.relu ? y : Tensor()](const Tensor& dy) {
                  Grads grads(3);
                  if (wants_b) grads[2] = place_of_gradient(b_slot, {w_shape[0]}, dy.dtype(), dy.device());
                  // Masked and summed in one pass; without relu the sum can wait while other work begins.
                  const Tensor dz = o.relu ? relu_gradient(dy, y, grads[2], o.algorithm) : dy;
                  const Tensor sum = sum_to_add_to(x_slot, x_shape, dz.dtype(), dz.device());
                  Fork both;
                  if (wants_w) {
                    grads[1] = place_of_gradient(w_slot, w_shape, dz.dtype(), dz.device());
                    const auto work = [&] { weight_gradient(dz, x.numbers(), o, grads[1]); };
                    !both.within_another() || is_final(w_slot, grads[1]) ? both.aside(work) : work();
                  }
                  if (wants_x) grads[0] = data_gradient(dz, w, o, x_shape, sum);
                  if (wants_b && !o.relu) bias_gradient(dz, grads[2], o.algorithm);
                  return grads;
                });
}

}  // namespace dactyl

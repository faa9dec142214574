// Which way: one tap is a product, small kernels of many channels need fewer products than taps, the rest is oneDNN's.
#include "kernels/conv_host.h"

#include "kernels/bias_relu.h"
#include "kernels/onednn.h"
#include "kernels/pointwise.h"
#include "kernels/rows.h"
#include "kernels/winograd.h"

namespace dactyl {
namespace {

enum class Way { product, winograd, library };

// kept: the filters do not change from call to call, so that another layout of them is worth keeping.
Way way(const Shape& x, const Shape& y, const Shape& w, const ConvOptions& o, bool kept) {
  if (o.algorithm != Algorithm::automatic) return Way::library;
  if (pointwise_fits(x, y, w, o)) return Way::product;
  return winograd_pays(x, y, w, o, kept) ? Way::winograd : Way::library;
}

Tensor plain(const Tensor& x) { return x.to(DType::f32).dense(); }

// A tensor of f32 for the result, which finish() brings where it belongs if that is another place.
Tensor room_for(const Tensor& result, bool slices) {
  const bool there = result.dtype() == DType::f32 && (slices || result.is_dense());
  return there ? result : Tensor(result.shape(), DType::f32, result.device());
}
void finish(const Tensor& result, const Tensor& wide) {
  if (wide.raw() != result.raw()) copy_rows(result, wide.to(result.dtype()));
}

}  // namespace

// oneDNN's relu is max(x, 0) and makes a NaN 0. Where NaNs are searched for, ours follows, which keeps them.
void host_conv_forward(const Tensor& x, const Tensor& w, const ConvOptions& options, const Tensor& y) {
  const bool keep = !recording({w}) && w.dtype() == DType::f32;
  ConvOptions o = options;
  if (o.bias.defined()) o.bias = plain(o.bias);
  const Way chosen = way(x.shape(), y.shape(), w.shape(), o, keep);
  const Tensor wide = room_for(y, chosen != Way::library);
  if (chosen == Way::product) {
    pointwise_forward(plain(x), plain(w), o, wide, keep);
  } else if (chosen == Way::winograd) {
    winograd_forward(plain(x), plain(w), o, wide, keep);
  } else {
    o.relu = options.relu && !Context::current().check_finite;
    onednn_conv_forward(plain(x), plain(w), o, wide, keep);
    if (options.relu && !o.relu) bias_relu(wide, {}, true, wide);
  }
  finish(y, wide);
}

void host_conv_backward_data(const Tensor& dy, const Tensor& w, const ConvOptions& o, Tensor dx) {
  const Tensor wide = room_for(dx, false);
  const Way chosen = way(dx.shape(), dy.shape(), w.shape(), o, false);
  if (chosen == Way::product)
    pointwise_backward_data(plain(dy), plain(w), wide);
  else if (chosen == Way::winograd)
    winograd_backward_data(plain(dy), plain(w), o, wide);
  else
    onednn_conv_backward_data(plain(dy), plain(w), o, wide);
  finish(dx, wide);
}

void host_conv_backward_weights(const Tensor& dy, const Tensor& x, const ConvOptions& o, Tensor dw) {
  const Tensor wide = room_for(dw, false);
  const Way chosen = way(x.shape(), dy.shape(), dw.shape(), o, false);
  if (chosen == Way::product)
    pointwise_backward_weights(plain(dy), plain(x), wide);
  else if (chosen == Way::winograd)
    winograd_backward_weights(plain(dy), plain(x), o, wide);
  else
    onednn_conv_backward_weights(plain(dy), plain(x), o, wide);
  finish(dw, wide);
}

}  // namespace dactyl

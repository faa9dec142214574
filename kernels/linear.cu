// y = x wᵀ + b, optionally max(0, ·).
#include "kernels/bias_relu.h"
#include "kernels/descriptor.h"
#include "kernels/gemm.h"

namespace dactyl {

Tensor linear(const Tensor& x, const Tensor& w, const LinearOptions& options) {
  const Shape &xs = x.shape(), &ws = w.shape();
  check(xs.rank() >= 2 && ws.rank() == 2 && xs[0] * ws[1] == xs.count(),
        "linear: rows of x {} do not hold the numbers w {} expects", xs, ws);
  const Tensor rows = x.dense().reshaped({xs[0], ws[1]});
  Tensor y({xs[0], ws[0]}, x.dtype(), x.device());
  const Algorithm algorithm = options.algorithm;
  gemm(y, rows, false, w, true, options.bias, options.relu, algorithm);
  const bool wants_x = x.watched(), wants_w = w.watched(), wants_b = options.bias.defined() && options.bias.watched();
  if (tracing()) trace_what(to_text(describe(x, w, options)));
  return record("linear", {x, w, options.bias}, y,
                [algorithm, wants_x, wants_w, wants_b, xs, ws, w_slot = w.slot(), b_slot = options.bias.slot(),
                 x = wants_w ? rows.detached() : Tensor(), w = wants_x ? w.detached() : Tensor(),
                 y = options.relu ? y : Tensor()](const Tensor& dy) {
                  Grads grads(3);
                  if (wants_b) grads[2] = place_of_gradient(b_slot, {ws[0]}, dy.dtype(), dy.device());
                  const Tensor dz = y.defined() ? relu_gradient(dy, y, grads[2], algorithm) : dy.dense();
                  if (wants_x) {
                    grads[0] = Tensor({xs[0], ws[1]}, dz.dtype(), dz.device());
                    gemm(grads[0], dz, false, w, false, {}, false, algorithm);
                    grads[0] = grads[0].reshaped(xs);
                  }
                  if (wants_w) {
                    grads[1] = place_of_gradient(w_slot, ws, dz.dtype(), dz.device());
                    gemm(grads[1], dz, true, x, false, {}, false, algorithm);
                  }
                  if (wants_b && !y.defined()) bias_gradient(dz, grads[2], algorithm);
                  return grads;
                });
}

}  // namespace dactyl

// Convolution and matrix products by oneDNN 2.x (operation descriptors).
#include "kernels/onednn.h"

#ifdef DACTYL_ONEDNN
#include "kernels/kept.h"
#include "kernels/onednn_plan.h"
#endif

namespace dactyl {

#ifndef DACTYL_ONEDNN

namespace {
[[noreturn]] void absent() { fail(Exit::failure, "oneDNN is not in this build", {}); }
}  // namespace

bool onednn_built() { return false; }
void onednn_conv_forward(const Tensor&, const Tensor&, const ConvOptions&, Tensor, bool) { absent(); }
void onednn_conv_backward_data(const Tensor&, const Tensor&, const ConvOptions&, Tensor) { absent(); }
void onednn_conv_backward_weights(const Tensor&, const Tensor&, const ConvOptions&, Tensor) { absent(); }
void onednn_gemm(Tensor, const Tensor&, bool, const Tensor&, bool) { absent(); }

#else

namespace {

using onednn::Pass;
using onednn::Plan;

void reorder(dnnl::memory& from, dnnl::memory& to) { dnnl::reorder(from, to).execute(onednn::stream(), from, to); }

Tensor pack(const Tensor& w, Plan& plan) {
  const Tensor numbers({static_cast<i64>(plan.packed.get_size())}, DType::u8, Device::cpu());
  plan.plain_w.set_data_handle(w.raw());
  plan.w.set_data_handle(numbers.raw());
  reorder(plan.plain_w, plan.w);
  return numbers;
}

// Filters in the primitive's layout.
Tensor packed(const Tensor& w, Plan& plan, bool keep) {
  static thread_local Kept<dnnl::memory::desc> kept;
  if (plan.packed == plan.plain) return w;
  return keep ? kept.get(w, plan.packed, [&] { return pack(w, plan); }) : pack(w, plan);
}

// What the gradients depend on: bias and relu have been dealt with before.
ConvOptions bare(const ConvOptions& o) { return {o.window, o.groups, {}, false, {}, Algorithm::automatic}; }

}  // namespace

bool onednn_built() { return true; }

void onednn_conv_forward(const Tensor& x, const Tensor& w, const ConvOptions& o, Tensor y, bool keep_packed) {
  Plan& plan = onednn::plan(Pass::forward, x.shape(), w.shape(), y.shape(), o);
  const Tensor numbers = packed(w, plan, keep_packed);
  plan.x.set_data_handle(x.raw());
  plan.w.set_data_handle(numbers.raw());
  plan.y.set_data_handle(y.raw());
  if (!o.bias.defined())
    return plan.run({{DNNL_ARG_SRC, plan.x.get()}, {DNNL_ARG_WEIGHTS, plan.w.get()}, {DNNL_ARG_DST, plan.y.get()}});
  plan.bias.set_data_handle(o.bias.raw());
  plan.run({{DNNL_ARG_SRC, plan.x.get()},
            {DNNL_ARG_WEIGHTS, plan.w.get()},
            {DNNL_ARG_BIAS, plan.bias.get()},
            {DNNL_ARG_DST, plan.y.get()}});
}

void onednn_conv_backward_data(const Tensor& dy, const Tensor& w, const ConvOptions& options, Tensor dx) {
  Plan& plan = onednn::plan(Pass::data, dx.shape(), w.shape(), dy.shape(), bare(options));
  const Tensor numbers = packed(w, plan, false);
  plan.x.set_data_handle(dx.raw());
  plan.w.set_data_handle(numbers.raw());
  plan.y.set_data_handle(dy.raw());
  plan.run({{DNNL_ARG_DIFF_SRC, plan.x.get()}, {DNNL_ARG_WEIGHTS, plan.w.get()}, {DNNL_ARG_DIFF_DST, plan.y.get()}});
}

void onednn_conv_backward_weights(const Tensor& dy, const Tensor& x, const ConvOptions& options, Tensor dw) {
  Plan& plan = onednn::plan(Pass::weights, x.shape(), dw.shape(), dy.shape(), bare(options));
  const bool same = plan.packed == plan.plain;
  const Tensor numbers = same ? dw : Tensor({static_cast<i64>(plan.packed.get_size())}, DType::u8, Device::cpu());
  plan.x.set_data_handle(x.raw());
  plan.w.set_data_handle(numbers.raw());
  plan.y.set_data_handle(dy.raw());
  plan.run({{DNNL_ARG_SRC, plan.x.get()}, {DNNL_ARG_DIFF_WEIGHTS, plan.w.get()}, {DNNL_ARG_DIFF_DST, plan.y.get()}});
  if (same) return;
  plan.plain_w.set_data_handle(dw.raw());
  reorder(plan.w, plan.plain_w);
}

void onednn_gemm(Tensor c, const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b) {
  const Shape &as = a.shape(), &bs = b.shape(), &cs = c.shape();
  const i64 inner = as[transpose_a ? 0 : 1];
  const auto status = dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', cs[0], cs[1], inner, 1.0f,
                                 a.data<float>(), as[1], b.data<float>(), bs[1], 0.0f, c.data<float>(), cs[1]);
  check(status == dnnl_success, "oneDNN: matrix product of {} and {} failed with status {}", as, bs,
        static_cast<int>(status));
}

#endif

}  // namespace dactyl

// One convolution as plain numbers: what a plan is searched, checked and remembered for. Internal to the kernels.
#pragma once

#include <array>
#include <compare>

#include "kernels/geometry.h"

namespace dactyl {

enum class Pass { forward, data, weights };  // y from x and w, dx from dy and w, dw from dy and x

// x (batch, in…, groups·ins), w (outs, kernel…, ins), y (batch, out…, outs); x and w are dense, y may be a slice of a
// wider tensor. Extents in the order depth, height, width. Only plain numbers, compared member by member: it can be
// written to a file as it is.
struct ConvProblem {
  Pass pass = Pass::forward;
  DType dtype = DType::f32;
  Math math = Math::fp32;
  bool deterministic = true, bias = false, relu = false;
  bool adds = false;  // of Pass::data: dx += instead of dx =
  i64 batch = 1, groups = 1, ins = 1, outs = 1;
  i64 into = 0;  // y is a slice of a tensor of so many channels; 0: y is dense
  std::array<i64, 3> in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, low{}, high{};
  std::array<i64, 3> alignment{16, 16, 16};  // bytes, of the addresses of x, w and y; at most 16

  auto operator<=>(const ConvProblem&) const = default;

  bool is_flat() const { return in[0] == 1 && kernel[0] == 1 && low[0] == 0 && high[0] == 0; }  // no depth: images
  bool is_slice() const { return into != 0; }
  i64 y_pitch() const { return into ? into : outs; }                            // numbers from one row to the next
  bool is_linear() const { return taps() == 1 && in[0] * in[1] * in[2] == 1; }  // a pixel alone: a linear layer
  i64 taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  i64 x_count() const { return batch * in[0] * in[1] * in[2] * groups * ins; }
  i64 w_count() const { return outs * taps() * ins; }
  i64 rows_out() const { return batch * out[0] * out[1] * out[2]; }
  i64 y_count() const { return rows_out() * outs; }
  i64 y_span() const {
    return y_count() ? (rows_out() - 1) * y_pitch() + outs : 0;
  }  // from its first number to its last
  i64 result_count() const { return pass == Pass::forward ? y_count() : pass == Pass::data ? x_count() : w_count(); }
  double products() const { return double(y_count()) * double(taps() * ins); }  // multiply-adds, padding included
};

std::string to_text(const ConvProblem&);   // "forward of bf16 x (32, 1, 56, 56, 64) w (192, 1, 3, 3, 64) …"
std::string plan_key(const ConvProblem&);  // the same with every number: under this name a plan is kept in a file

// The same with y dense, in memory of its own.
ConvProblem dense_problem(const ConvProblem&);

// The same without `adds`, into memory of its own.
ConvProblem without_sum(const ConvProblem&);

// From tensors on the current device, x and w dense; y is the result of the forward pass or its gradient. A window of
// depth 1 that moves by 1 sees each image alone: the depth joins the batch.
ConvProblem conv_problem(Pass pass, const Tensor& x, const Tensor& w, const Tensor& y, const ConvOptions& options);

// Where the tensors of a problem lie.
struct ConvData {
  void *x = nullptr, *w = nullptr, *y = nullptr, *bias = nullptr;
};

// The same with their owners, of any shape that holds the problem's numbers. Of the gradient passes: dx, dw, dy.
struct ConvTensors {
  Tensor x, w, y, bias;  // bias undefined: none
  ConvData data() const { return {x.raw(), w.raw(), y.raw(), bias.defined() ? bias.raw() : nullptr}; }
};

}  // namespace dactyl

// A layer's work as one line that people read and programs replay.
#pragma once

#include <string>

#include "kernels/ops.h"

namespace dactyl {

// The line is a kind, then words in any order:
//   conv2d conv3d         x=32x10x56x56x64 k=3x3x3 s=1 p=1 out=192 [groups=2] [bias] [relu] [into=256]
//   max_pool2d mean_pool2d … 3d   x=… k=1x3x3 s=1x2x2 p=same [ceil] [into=256]
//   batch_norm            x=… [relu] [frozen] [into=256]
//   batch_norm_max_pool2d … 3d   the words of both
//   lrn                   x=… [n=5] [relu]
//   linear                x=128x9216 out=4096 [bias] [relu]
// and a precision: fp32 (as where there is none), tf32, bf16, fp16, fp64. x: the batch, spatial extents, channels. k, s
// and p are one number for all extents or one each; p is same (TensorFlow's), or pads both sides, or is before:after.
// into: the result is a slice of a tensor of so many channels, as the branches of a block write it. s is 1 where
// absent, p 0.
struct Descriptor {
  enum class Kind { conv, max_pool, mean_pool, batch_norm, norm_max_pool, lrn, linear };
  Kind kind = Kind::conv;
  Shape x;
  Window window{};  // of conv and pools
  i64 out = 0;      // channels of conv and linear
  i64 groups = 1, into = 0, n = 5;
  bool bias = false, relu = false, ceil = false, frozen = false;
  DType dtype = DType::f32;
  Math math = Math::fp32;

  bool learns() const { return kind == Kind::conv || kind == Kind::linear; }  // has a matrix of weights
  bool pools() const { return kind == Kind::max_pool || kind == Kind::mean_pool || kind == Kind::norm_max_pool; }
  bool slides() const { return kind == Kind::conv || pools(); }
  bool norms() const { return kind == Kind::batch_norm || kind == Kind::norm_max_pool; }
  Shape y() const;          // the result's
  Shape w() const;          // the weights' of conv and linear
  double products() const;  // multiply-accumulates, taps on padding counted; 0 of what has no weights
};

std::string to_text(const Descriptor&);
// Usage error: the word, and what was expected. parse_descriptor(to_text(d)) says the same as d.
Descriptor parse_descriptor(const std::string& line);
std::string precision_text(DType, Math);  // "bf16"; tf32 only of 32-bit numbers

// What an operation was called with, for a trace.
Descriptor describe(const Tensor& x, const Tensor& w, const ConvOptions&);
Descriptor describe(const Tensor& x, const Tensor& w, const LinearOptions&);
Descriptor describe(Descriptor::Kind pool, const Tensor& x, const PoolOptions&);
Descriptor describe(const Tensor& x, const NormOptions&);
Descriptor describe(const Tensor& x, const NormOptions&, const PoolOptions&);
Descriptor describe(const Tensor& x, const LrnOptions&);

}  // namespace dactyl

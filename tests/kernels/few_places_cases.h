// Convolutions of few places, with what the reference loops make of them.
#pragma once

#include "kernels/hopper/few_places.h"
#include "tests/kernels/implicit_cases.h"

namespace dactyl::hopper {

struct FewPlacesCase {
  Shape x;
  i64 outs;
  Shape kernel, stride, low, high;
  i64 groups = 1, into = 0, first = 0;  // y is a slice, from channel `first` on, of a tensor of so many; 0: y is dense
};

// GoogLeNet's of one picture, alone and into a slice; AlexNet's groups; windows that move by two and by more than they
// are wide; padding on one side; clips; fewer packs than a step and steps that packs do not fill; a pixel alone.
inline const std::vector<FewPlacesCase> few_places_cases{
    {{1, 14, 14, 112}, 224, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
    {{1, 7, 7, 48}, 128, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, 832, 512},
    {{1, 13, 13, 384}, 256, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 2},
    {{2, 9, 7, 80}, 48, {5, 5}, {1, 1}, {2, 2}, {2, 2}, 2, 64, 8},
    {{2, 11, 12, 16}, 40, {3, 3}, {2, 2}, {0, 1}, {1, 0}},
    {{3, 9, 10, 24}, 16, {2, 2}, {3, 4}, {0, 0}, {0, 0}},
    {{2, 3, 6, 5, 8}, 72, {3, 3, 3}, {1, 2, 1}, {1, 1, 1}, {1, 1, 1}},
    {{1, 14, 14, 480}, 296, {1, 1}, {1, 1}, {0, 0}, {0, 0}},
    {{1, 1, 1, 8}, 8, {1, 1}, {1, 1}, {0, 0}, {0, 0}},
};

// Operands in bf16, y by the reference loops in f32.
struct WantedFewPlaces {
  Tensor x, w, bias, y;
  ConvProblem problem;

  explicit WantedFewPlaces(const FewPlacesCase& c, bool epilogue) : x(implicit_noise(c.x, 1)) {
    Shape filter = c.kernel.rank() == 2 ? Shape{c.outs, 1, 1, 1} : Shape{c.outs, 1, 1, 1, 1};
    for (int i = 0; i < c.kernel.rank(); ++i) filter = filter.with(i + 1, c.kernel[i]);
    w = implicit_noise(filter.with(-1, c.x.channels() / c.groups), 2);
    ConvOptions options{.window = {c.kernel, c.stride, c.low, c.high}, .groups = c.groups, .relu = epilogue};
    options.algorithm = Algorithm::reference;
    if (epilogue) bias = implicit_noise({c.outs}, 3), options.bias = bias.to(DType::f32);
    y = conv(x.to(DType::f32), w.to(DType::f32), options);
    options.bias = bias;
    problem = conv_problem(Pass::forward, x, w, placed(c), options);
    problem.alignment = {16, 16, 16};
  }
  // A tensor for y, or a slice of one full of threes.
  Tensor placed(const FewPlacesCase& c) const {
    Tensor wide = Tensor::full(y.shape().with(-1, c.into ? c.into : c.outs), 3, DType::bf16);
    return c.into ? wide.slice(c.first, c.outs) : wide;
  }
};

}  // namespace dactyl::hopper

// Convolutions to try as implicit products, with what the reference loops make of them.
#pragma once

#include "kernels/hopper/implicit.h"
#include "tests/check_op.h"

namespace dactyl::hopper {

struct ImplicitCase {
  Shape x;
  i64 outs;
  Shape kernel;
  i64 into = 0, first = 0;  // y is a slice, from channel `first` on, of a tensor of so many; 0: y is dense
  i64 groups = 1;
  Shape low{}, high{};  // padding; of no extents: SAME
};
inline ImplicitCase padded(ImplicitCase c, const Shape& low, const Shape& high) {
  c.low = low, c.high = high;
  return c;
}
inline ImplicitCase unpadded(const ImplicitCase& c) {
  const Shape none = c.kernel.rank() == 2 ? Shape{0, 0} : Shape{0, 0, 0};
  return padded(c, none, none);
}

// One tile that is not full; channels that fill no step, no unit, no tile; several frames, clips and tiles; rows longer
// and shorter than a tile; a frame alone; windows of one, three and five taps; slices; more outputs than a tile has;
// groups whose channels fill no step and no tile, two and three of them, into a slice; a single pixel, of which most
// taps see nothing.
inline const std::vector<ImplicitCase> implicit_cases{
    {{1, 2, 3, 4, 64}, 32, {3, 3, 3}},
    {{1, 3, 7, 5, 24}, 40, {3, 3, 3}},
    {{2, 4, 11, 13, 72}, 56, {3, 3, 3}, 96, 8},
    {{2, 1, 9, 17, 16}, 48, {3, 3, 3}},
    {{3, 19, 23, 96}, 16, {3, 3}, 40, 24},
    {{2, 3, 6, 29, 8}, 8, {1, 5, 3}},
    {{1, 10, 9, 32}, 24, {5, 5}},
    {{1, 2, 7, 9, 16}, 200, {3, 3, 3}},
    {{1, 7, 5, 3, 48}, 24, {5, 1, 1}},
    {{1, 9, 7, 96}, 256, {5, 5}, 0, 0, 2},
    {{1, 5, 6, 384}, 64, {3, 3}, 0, 0, 2},
    {{2, 2, 5, 6, 240}, 96, {3, 3, 3}, 160, 40, 3},
    {{1, 1, 1, 1, 16}, 24, {3, 1, 1}},
    {{1, 1, 1, 1, 72}, 136, {3, 3, 3}},
};

// No padding: as AlexNet's stem is packed; clips; frames that fill tiles; a single result; groups. Padding on one side,
// on the other, more on one than on the other, along one extent and not the next; even windows, one with a result
// larger than its input.
inline const std::vector<ImplicitCase> other_paddings{
    unpadded({{3, 9, 9, 48}, 96, {3, 3}}),
    unpadded({{2, 5, 7, 9, 16}, 24, {3, 3, 3}}),
    unpadded({{2, 3, 14, 29, 8}, 8, {1, 5, 3}}),
    unpadded({{1, 7, 16, 15, 16}, 24, {5, 3, 3}}),
    unpadded({{2, 3, 3, 3, 72}, 136, {3, 3, 3}}),
    unpadded({{2, 9, 7, 96}, 256, {5, 5}, 320, 32, 2}),
    unpadded({{1, 7, 5, 3, 48}, 24, {5, 1, 1}}),
    padded({{2, 7, 16, 15, 16}, 24, {5, 3, 3}}, {2, 0, 1}, {0, 0, 0}),
    padded({{2, 4, 16, 15, 16}, 24, {3, 3, 3}}, {0, 1, 0}, {1, 0, 1}),
    padded({{3, 8, 11, 72}, 56, {5, 5}, 96, 8}, {2, 0}, {0, 2}),
    padded({{3, 8, 11, 40}, 56, {5, 5}}, {0, 2}, {1, 1}),
    unpadded({{2, 5, 6, 9, 24}, 32, {4, 4, 4}}),
    unpadded({{3, 9, 8, 24}, 16, {2, 2}}),
    padded({{2, 9, 8, 24}, 16, {2, 3}}, {0, 0}, {1, 0}),
    padded({{2, 6, 9, 8, 16}, 16, {2, 4, 2}}, {1, 1, 1}, {1, 2, 1}),
};

inline Tensor implicit_noise(const Shape& shape, std::uint32_t stream) {
  Tensor t(shape, DType::f32, Device::cpu());
  Sequence numbers(test_seed(), stream);
  for (i64 i = 0; i < t.count(); ++i) t.data<float>()[i] = static_cast<float>(2 * numbers.uniform() - 1);
  return t.to(DType::bf16).to(Context::current().device());
}

// The same numbers as a slice of a tensor full of threes, where the case says so.
inline Tensor in_place(const ImplicitCase& c, const Tensor& numbers) {
  if (!c.into) return numbers;
  Tensor slice = Tensor::full(numbers.shape().with(-1, c.into), 3, DType::bf16).slice(c.first, c.outs);
  slice.copy_from(numbers);
  return slice;
}

// Operands in bf16, results by the reference loops in f32.
struct WantedImplicit {
  Tensor x, w, bias, dy, y, dx, dw;
  ConvProblem forward, data, weights;

  WantedImplicit(const ImplicitCase& c, bool epilogue) : x(implicit_noise(c.x, 1)) {
    Shape filter{c.outs, 1, 1, 1, c.x.channels() / c.groups}, step = c.kernel, half = c.kernel;
    if (c.kernel.rank() == 2) filter = {c.outs, 1, 1, c.x.channels() / c.groups};
    for (int i = 0; i < c.kernel.rank(); ++i) {
      filter = filter.with(i + 1, c.kernel[i]);
      step = step.with(i, 1);
      half = half.with(i, c.kernel[i] / 2);
    }
    w = implicit_noise(filter, 2);
    if (epilogue) bias = implicit_noise({c.outs}, 3);
    const Window taps{c.kernel, step, c.low.rank() ? c.low : half, c.low.rank() ? c.high : half};
    const ConvOptions plain = {.window = taps, .groups = c.groups, .algorithm = Algorithm::reference};
    ConvOptions options = plain;
    options.relu = epilogue;
    if (epilogue) options.bias = bias.to(DType::f32);
    y = conv(x.to(DType::f32), w.to(DType::f32), options);
    dy = in_place(c, implicit_noise(y.shape(), 4));
    const Tensor input = x.to(DType::f32).watch(), filters = w.to(DType::f32).watch();
    Tape tape;
    tape.backward(record("projection", {conv(input, filters, plain)}, Tensor::zeros({1}),
                         [&](const Tensor&) { return Grads{dy.dense().to(DType::f32)}; }));
    dx = input.grad();
    dw = filters.grad();
    options.bias = bias;
    forward = conv_problem(Pass::forward, x, w, dy, options);
    data = conv_problem(Pass::data, x, w, dy, plain);
    weights = conv_problem(Pass::weights, x, w, dy, plain);
    forward.alignment = data.alignment = weights.alignment = {16, 16, 16};
  }
};

}  // namespace dactyl::hopper

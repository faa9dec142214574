// Stems to try, with what the reference loops make of them.
#pragma once

#include "kernels/hopper/stem.h"
#include "tests/check_op.h"

namespace dactyl::hopper {

struct StemCase {
  Shape x, w;
  Window window;
};

inline Window same(i64 depth, Shape before, Shape after) {
  return {{depth, 7, 7}, {2, 2, 2}, std::move(before), std::move(after)};
}

// Both channel counts; rows that begin at words and rows that do not; one tile and several, cut at both borders; frames
// before and behind the clip; a single frame; a window that never meets its input along the depth.
inline const std::vector<StemCase> stem_cases{
    {{1, 4, 20, 36, 3}, {64, 7, 7, 7, 3}, same(7, {2, 2, 2}, {3, 3, 3})},
    {{2, 2, 61, 21, 3}, {64, 7, 7, 7, 3}, same(7, {3, 3, 3}, {3, 3, 3})},
    {{1, 5, 19, 37, 2}, {64, 7, 7, 7, 2}, same(7, {3, 3, 3}, {3, 3, 3})},
    {{1, 4, 62, 30, 2}, {64, 3, 7, 7, 2}, same(3, {0, 2, 2}, {1, 3, 3})},
    {{2, 30, 40, 3}, {64, 7, 7, 3}, {{7, 7}, {2, 2}, {3, 3}, {3, 3}}},
    {{1, 1, 9, 8, 3}, {64, 2, 7, 7, 3}, same(2, {6, 2, 0}, {0, 3, 0})},
};

inline Tensor stem_noise(const Shape& shape, std::uint32_t stream) {
  Tensor t(shape, DType::f32, Device::cpu());
  Sequence numbers(test_seed(), stream);
  for (i64 i = 0; i < t.count(); ++i) t.data<float>()[i] = static_cast<float>(2 * numbers.uniform() - 1);
  return t.to(DType::bf16).to(Context::current().device());
}

// Operands in bf16, results by the reference loops in f32.
struct WantedStem {
  Tensor x, w, bias, dy, y, dw;
  ConvProblem forward, weights;

  WantedStem(const StemCase& c, bool epilogue) : x(stem_noise(c.x, 1)), w(stem_noise(c.w, 2)) {
    if (epilogue) bias = stem_noise({64}, 3);
    ConvOptions options{.window = c.window, .relu = epilogue, .algorithm = Algorithm::reference};
    if (epilogue) options.bias = bias.to(DType::f32);
    y = conv(x.to(DType::f32), w.to(DType::f32), options);
    dy = stem_noise(y.shape(), 4);
    const Tensor filters = w.to(DType::f32).watch();
    Tape tape;
    const Tensor plain = conv(x.to(DType::f32), filters, {.window = c.window, .algorithm = Algorithm::reference});
    tape.backward(
        record("projection", {plain}, Tensor::zeros({1}), [&](const Tensor&) { return Grads{dy.to(DType::f32)}; }));
    dw = filters.grad();
    options.bias = bias;
    const Tensor narrow(y.shape(), DType::bf16);
    forward = conv_problem(Pass::forward, x, w, narrow, options);
    weights = conv_problem(Pass::weights, x, w, narrow, {.window = c.window});
    forward.alignment = weights.alignment = {16, 16, 16};
  }
};

}  // namespace dactyl::hopper

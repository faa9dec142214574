// The operations `dactyl check` examines, each with small inputs.
#include "apps/check_cases.h"

namespace dactyl {
namespace {

using X = std::vector<Tensor>;

Tensor conv_with(const X& x, const Window& window, i64 groups, bool relu) {
  return conv(x[0], x[1], {.window = window, .groups = groups, .bias = x[2], .relu = relu});
}

Tensor norm_with(const X& x, Statistics statistics) {
  const Shape channels{x[0].shape().channels()};
  const DType type = x[0].dtype();
  return batch_norm(x[0], x[1], x[2], Tensor::full(channels, 0.2, type), Tensor::full(channels, 1.5, type),
                    {.statistics = statistics});
}

Tensor norm_and_pool(const X& x) {
  const Tensor mean = Tensor::full({4}, 0.2, x[0].dtype()), var = Tensor::full({4}, 1.5, x[0].dtype());
  return batch_norm_max_pool(x[0], x[1], x[2], mean, var, {}, {.window = square(3, 2, 1)});
}

Tensor dropped(const X& x) {
  Random random(7, x[0].device());
  return dropout(x[0], 0.4, random);
}

Tensor loss(const X& x) {  // -1: not a sample
  return cross_entropy(x[0], Tensor::from({3}, std::vector<std::int32_t>{2, 6, -1}), {.smoothing = 0.1});
}

}  // namespace

const std::vector<CheckCase>& check_cases() {
  static const Window deep = window({3, 3, 3}, {1, 2, 2}, {1, 1, 1});
  static const Shape image{2, 6, 5, 4}, clip{1, 4, 5, 5, 3};
  // clang-format off
  static const std::vector<CheckCase> cases = {
      {"conv", {image, {6, 3, 3, 4}, {6}}, [](const X& x) { return conv_with(x, square(3, 1, 1), 1, false); }},
      {"conv relu", {image, {6, 1, 1, 4}, {6}}, [](const X& x) { return conv_with(x, square(1), 1, true); }},
      {"conv groups", {image, {6, 3, 3, 2}, {6}}, [](const X& x) { return conv_with(x, square(3, 2, 1), 2, false); }},
      {"conv 3-D", {clip, {4, 3, 3, 3, 3}, {4}}, [](const X& x) { return conv_with(x, deep, 1, false); }},
      {"linear", {{3, 10}, {4, 10}, {4}}, [](const X& x) { return linear(x[0], x[1], {.bias = x[2]}); }},
      {"conv depthwise",
       {image, {4, 3, 3, 1}, {4}},
       [](const X& x) { return conv_with(x, square(3, 2, 1), 4, false); }},
      {"relu", {image}, [](const X& x) { return relu(x[0]); }},
      {"relu6", {image}, [](const X& x) { return relu6(x[0]); }},
      {"add", {image, image}, [](const X& x) { return add(x[0], x[1], 0.5); }},
      {"concat",
       {image, {2, 6, 5, 3}},
       [](const X& x) {
         return concat({x[0], x[1]});
       }},
      {"max_pool",
       {image},
       [](const X& x) {
         return max_pool(x[0], {square(3, 2), Rounding::ceil});
       }},
      {"max_pool 3-D", {clip}, [](const X& x) { return max_pool(x[0], {deep}); }},
      {"mean_pool",
       {image},
       [](const X& x) {
         return mean_pool(x[0], {square(3, 2, 1), Rounding::ceil});
       }},
      {"mean_pool 3-D", {clip}, [](const X& x) { return mean_pool(x[0], {deep}); }},
      {"global_mean", {image}, [](const X& x) { return global_mean(x[0]); }},
      {"lrn", {{2, 3, 3, 7}}, [](const X& x) { return lrn(x[0], {.alpha = 0.5}); }},
      {"lrn relu", {{2, 3, 3, 8}}, [](const X& x) { return lrn(x[0], {.alpha = 0.5, .relu = true}); }},
      {"batch_norm", {image, {4}, {4}}, [](const X& x) { return norm_with(x, Statistics::batch); }},
      {"batch_norm frozen", {image, {4}, {4}}, [](const X& x) { return norm_with(x, Statistics::frozen); }},
      {"batch_norm max_pool", {image, {4}, {4}}, norm_and_pool},
      {"dropout", {image}, dropped},
      {"lstm", {{2, 3, 4}, {8, 4}, {8, 2}, {8}}, [](const X& x) { return lstm(x[0], x[1], x[2], x[3]); }},
      {"softmax", {{3, 7}}, [](const X& x) { return softmax(x[0]); }},
      {"cross_entropy", {{3, 7}}, loss},
  };
  // clang-format on
  return cases;
}

}  // namespace dactyl

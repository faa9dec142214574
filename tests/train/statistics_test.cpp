// Re-estimated statistics change nothing at inference, and make training begin there.
#include "train/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

namespace dactyl {
namespace {

Tensor noise(Shape shape) {
  Tensor x(shape);
  Sequence random(17);
  for (i64 i = 0; i < x.count(); ++i) x.data<float>()[i] = static_cast<float>(random.normal());
  return x;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    size += double(b[i]) * b[i];
  }
  return std::sqrt(difference / size);
}

TEST(Statistics, of_data_leave_inference_and_become_those_of_the_batch) {
  Model model = make_model("i3d", {.classes = 5, .height = 64, .width = 64, .frames = 9, .dropout = 0});
  const Tensor x = noise({3, 9, 64, 64, 3});
  Pass inference, training{.training = true};
  const std::vector<float> before = model.forward(x, inference).floats();
  EXPECT_GT(distance(model.forward(x, training).floats(), before), 0.1);
  model = make_model("i3d", {.classes = 5, .height = 64, .width = 64, .frames = 9, .dropout = 0});
  bool given = false;
  reestimate_statistics(model, [&] { return std::exchange(given, true) ? Tensor() : x; });
  EXPECT_LT(distance(model.forward(x, inference).floats(), before), 1e-4);
  EXPECT_LT(distance(model.forward(x, training).floats(), before), 1e-3);
}

TEST(Statistics, need_data_and_an_i3d) {
  Model model = make_model("i3d", {.classes = 5}), flat = make_model("mobilenet-0.25");
  EXPECT_THROW(reestimate_statistics(model, [] { return Tensor(); }), Error);
  EXPECT_THROW(reestimate_statistics(flat, [] { return Tensor(); }), Error);
}

}  // namespace
}  // namespace dactyl

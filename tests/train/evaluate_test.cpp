// Predictions over a source: one view is the net's own scores, several are the mean of their probabilities.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/train/eventful.h"
#include "train/inference.h"

namespace dactyl {
namespace {

// Softmax of the net's scores on one picture seen through one geometry.
std::vector<float> probabilities(const Model& model, const DataSource& data, i64 i, const Geometry& g) {
  const Image image = data.image(i);
  Tensor bytes({1, image.height, image.width, 3}, DType::u8);
  std::copy(image.rgb.begin(), image.rgb.end(), bytes.data<std::uint8_t>());
  Batch batch{.bytes = bytes, .geometry = Tensor::from({1, 8}, std::vector<float>(g.begin(), g.end()))};
  Pass pass;
  return softmax(model.forward(input_of(batch, model.input, DType::f32), pass)).floats();
}

TEST(evaluate, one_view_gives_the_nets_scores) {
  const Model model = tiny::model();
  const tiny::Colours data(7);
  const auto predictions = evaluate(model, data, {.batch = 3});
  ASSERT_EQ(predictions.size(), 7u);
  for (i64 i = 0; i < 7; ++i) {
    const Prediction& p = predictions[static_cast<std::size_t>(i)];
    EXPECT_EQ(p.name, data.name(i));
    const std::vector<float> want = probabilities(model, data, i, centred(model.input, 16, 16));
    EXPECT_NEAR(p.p[0], want[static_cast<std::size_t>(p.top[0])], 1e-6);
  }
}

TEST(evaluate, ten_views_give_the_mean_of_their_probabilities) {
  const Model model = tiny::model();
  const tiny::Colours data(5);
  const auto predictions = evaluate(model, data, {.batch = 2, .views = 10});
  ASSERT_EQ(predictions.size(), 5u);
  for (i64 i = 0; i < 5; ++i) {
    std::vector<double> want(3);
    for (const Geometry& g : test_views(10, model.input, 16, 16)) {
      const std::vector<float> p = probabilities(model, data, i, g);
      for (std::size_t c = 0; c < 3; ++c) want[c] += p[c] / 10;
    }
    const Prediction& p = predictions[static_cast<std::size_t>(i)];
    for (std::size_t k = 0; k < 3; ++k) {
      EXPECT_NEAR(p.p[k], want[static_cast<std::size_t>(p.top[k])], 1e-6);
      EXPECT_NEAR(p.logit[k], std::log(want[static_cast<std::size_t>(p.top[k])]), 1e-5);
    }
  }
}

TEST(evaluate, counts_what_it_cannot_read_however_much_that_is) {
  const tiny::Eventful data(200, [](i64 n) { check(Exit::data, n > 150, "torn"); });
  std::vector<BadSample> bad;
  EXPECT_EQ(evaluate(tiny::model(), data, {.batch = 8, .threads = 1, .bad = &bad}).size(), 50u);
  EXPECT_EQ(bad.size(), 150u);
}

}  // namespace
}  // namespace dactyl

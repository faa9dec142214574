// Re-estimated statistics change nothing at inference, and make training begin there.
#include "train/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <utility>

#include "tests/train/tiny.h"
#include "train/inference.h"

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

// Mean and mean square per channel.
std::pair<std::vector<double>, std::vector<double>> of_channels(const Tensor& z) {
  const std::vector<float> values = z.floats();
  const auto channels = static_cast<std::size_t>(z.shape().channels());
  const double rows = static_cast<double>(values.size() / channels);
  std::vector<double> mean(channels), square(channels);
  for (std::size_t i = 0; i < values.size(); ++i) {
    mean[i % channels] += values[i] / rows;
    square[i % channels] += double(values[i]) * values[i] / rows;
  }
  return {mean, square};
}

// What the units named hand to their normalisation, or would, in one pass over all pictures.
std::map<std::string, Tensor> handed(const Model& model, const Tensor& x, const std::vector<std::string>& units) {
  std::map<std::string, Tensor> seen;
  Random random(1, Device::cpu());
  Pass pass{.training = true, .frozen_statistics = true, .random = &random};
  pass.tap = [&](const std::string& name, const Tensor& z) {
    for (const std::string& unit : units)
      if (name == unit + ".conv") seen[unit] = z.dense();
  };
  model.forward(x, pass);
  return seen;
}

TEST(Statistics, an_inflated_unit_gives_the_mean_and_deviation_that_it_gave_on_pictures) {
  const tiny::Colours pictures(4);
  const Model flat = make_model("googlenet", {.classes = 5, .height = 64, .width = 64, .auxiliary = false});
  Model deep = make_model("i3d", {.classes = 5, .height = 64, .width = 64, .frames = 9, .dropout = 0});
  inflate_measured(deep, flat, pictures);
  Loader loader(pictures, {.batch = 4, .threads = 1, .input = flat.input});
  loader.start(0);
  Batch batch;
  ASSERT_TRUE(loader.next(batch));
  InputSpec input = flat.input;
  const Tensor bytes = input_of(batch, input, DType::f32);
  input.mean = deep.input.mean;
  input.scale = deep.input.scale;
  const std::vector<float> one = input_of(batch, input, DType::f32).floats();
  std::vector<float> all;
  for (std::size_t i = 0; i < 4; ++i)
    for (int frame = 0; frame < 9; ++frame)
      all.insert(all.end(), one.begin() + static_cast<std::ptrdiff_t>(i * 64 * 64 * 3),
                 one.begin() + static_cast<std::ptrdiff_t>((i + 1) * 64 * 64 * 3));
  const Tensor clips = Tensor::from({4, 9, 64, 64, 3}, all);
  const std::vector<std::pair<std::string, std::string>> units{{"Conv3d_1a_7x7", "conv1/7x7_s2"},
                                                               {"Conv3d_2c_3x3", "conv2/3x3"},
                                                               {"Mixed_3c/Branch_2/Conv3d_0b_3x3", "inception_3b/5x5"}};
  std::vector<std::string> ours, theirs;
  for (const auto& [a, b] : units) ours.push_back(a), theirs.push_back(b);
  const auto z = handed(deep, clips, ours), y = handed(flat, bytes, theirs);
  for (const auto& [unit, source] : units) {
    const auto numbers = [&](const char* leaf) { return deep.parameters->find(unit + leaf)->value.floats(); };
    const auto mean = numbers(".bn.running_mean"), var = numbers(".bn.running_var"), beta = numbers(".bn.bias");
    const auto [m, square] = of_channels(z.at(unit));
    const auto [n, wanted] = of_channels(y.at(source));
    for (std::size_t c = 0; c < mean.size(); ++c) {
      const double deviation = std::sqrt(var[c] + 1e-3);
      EXPECT_NEAR((m[c] - mean[c]) / deviation, 0, 1e-2) << unit << " " << c;  // the statistics are its own
      EXPECT_NEAR((square[c] - m[c] * m[c]) / var[c], 1, 1e-2) << unit << " " << c;
      EXPECT_NEAR(beta[c], n[c] / std::sqrt(wanted[c] - n[c] * n[c]), 1e-2 * std::max(1.0, std::abs(double(beta[c]))))
          << unit << " " << c;
    }
  }
}

// In grey pictures two channels of grey are all there is to see.
class Grey : public tiny::Colours {
 public:
  using tiny::Colours::Colours;
  Image image(i64 i) const override {
    Image image = tiny::Colours::image(i);
    for (std::size_t at = 0; at < image.rgb.size(); at += 3) image.rgb[at + 1] = image.rgb[at + 2] = image.rgb[at];
    return image;
  }
};

TEST(Statistics, of_a_net_of_flow_are_those_of_grey_pictures) {
  const Grey pictures(4);
  const Model flat = make_model("googlenet", {.classes = 5, .height = 64, .width = 64, .auxiliary = false});
  std::vector<std::vector<float>> scores;
  for (const i64 channels : {3, 2}) {
    Model deep =
        make_model("i3d", {.classes = 5, .height = 64, .width = 64, .frames = 9, .channels = channels, .dropout = 0});
    inflate_measured(deep, flat, pictures);
    std::vector<float> clip;
    for (int i = 0; i < 9 * 64 * 64; ++i)
      clip.insert(clip.end(), static_cast<std::size_t>(channels), static_cast<float>(std::sin(0.1 * i)));
    Pass pass;
    scores.push_back(deep.forward(Tensor::from({1, 9, 64, 64, channels}, clip), pass).floats());
  }
  for (std::size_t k = 0; k < 5; ++k) EXPECT_NEAR(scores[0][k], scores[1][k], 1e-3 * std::abs(scores[0][k]) + 1e-4);
}

TEST(Statistics, are_measured_of_bvlc_alone) {
  Model deep = make_model("i3d", {.classes = 5});
  EXPECT_THROW(inflate_measured(deep, make_model("googlenet-bn", {.classes = 5}), tiny::Colours(4)), Error);
}

}  // namespace
}  // namespace dactyl

// I3D: GoogLeNet with batch normalisation, every kernel inflated in time (Carreira and Zisserman 2017), as DeepMind
// released it. TensorFlow's SAME padding throughout, so its asymmetry follows each input's size.
#include "nets/architectures.h"

namespace dactyl {
namespace {

constexpr i64 fewest_frames = 9;  // 8 become 8 → 4 → 2 → 1, and the last mean needs two

void check_frames(i64 frames) {
  check(Exit::usage, frames >= fewest_frames, "i3d: a clip of {} frames; at least {} are needed", frames,
        fewest_frames);
}

// Bytes become 2·byte/255 − 1: of colours, and of flow, whose bytes are its ±20 pixels about 127.5.
InputSpec clips(const ModelOptions& o) {
  const i64 channels = o.channels ? o.channels : 3;
  const auto count = static_cast<std::size_t>(channels);
  return {o.height ? o.height : 224,
          o.width ? o.width : 224,
          channels,
          Resize::short_side,
          Filter::antialias,
          256,
          std::vector<float>(count, 127.5f),
          std::vector<float>(count, 1 / 127.5f),
          o.frames ? o.frames : 64};
}

}  // namespace

Model i3d(const ModelOptions& o) {
  Model model;
  model.name = "i3d";
  model.input = clips(o);
  check_frames(model.input.frames);
  model.parameters = std::make_unique<Parameters>();
  const Style unit{.weight = he(), .norm = true, .epsilon = 1e-3, .gamma = false};
  const Style classifier{.weight = gaussian(0.01), .activation = Activation::none};
  InceptionStyle block{{"Branch_0/Conv3d_0a_1x1", "Branch_1/Conv3d_0a_1x1", "Branch_1/Conv3d_0b_3x3",
                        "Branch_2/Conv3d_0a_1x1", "Branch_2/Conv3d_0b_3x3", "Branch_3/Conv3d_0b_1x1"},
                       cube(1),
                       cube(3),
                       cube(3),  // the "5×5" branch
                       cube(3),
                       unit};

  // clang-format off
  Stack net({*model.parameters, ""}, model.input.shape(1), unit);
  // DeepMind counts its blocks from b: Table 1's 3a is Mixed_3b.
  const auto inception = [&](const char* name, const char* row) { net.inception(inception_row(row, name), block); };

  net.conv    ("Conv3d_1a_7x7",    64, cube(7, 2));
  net.max_pool("MaxPool3d_2a_3x3",     same({1, 3, 3}, {1, 2, 2}));
  net.conv    ("Conv3d_2b_1x1",    64, cube(1));
  net.conv    ("Conv3d_2c_3x3",   192, cube(3));
  net.max_pool("MaxPool3d_3a_3x3",     same({1, 3, 3}, {1, 2, 2}));
  inception("Mixed_3b", "3a");
  inception("Mixed_3c", "3b");
  net.max_pool("MaxPool3d_4a_3x3",     cube(3, 2));
  inception("Mixed_4b", "4a");
  inception("Mixed_4c", "4b");
  inception("Mixed_4d", "4c");
  inception("Mixed_4e", "4d");
  inception("Mixed_4f", "4e");
  net.max_pool("MaxPool3d_5a_2x2",     cube(2, 2));
  block.names[4] = "Branch_2/Conv3d_0a_3x3";  // the release's name in this block alone
  inception("Mixed_5b", "5a");
  block.names[4] = "Branch_2/Conv3d_0b_3x3";
  inception("Mixed_5c", "5b");
  // 7×7 is the whole map at 224×224; of a smaller one the mean takes all, of a larger one "Logits" the rest.
  const Shape map{2, std::min<i64>(7, net.shape()[2]), std::min<i64>(7, net.shape()[3])};
  net.mean_pool("Logits/AvgPool3d_0a_7x7", {map, {1, 1, 1}, {0, 0, 0}});
  net.dropout ("Logits/Dropout3d_0b", o.dropout < 0 ? 0.5 : o.dropout);
  net.style() = classifier;
  net.conv    ("Logits/Conv3d_0c_1x1", o.classes, cube(1));
  net.global_mean("Logits");
  // clang-format on

  finish(model, net, "Logits/AvgPool3d_0a_7x7", {"Logits/Conv3d_0c_1x1"});
  model.net = [net = model.net](const Tensor& x, Pass& pass) {
    check_frames(x.shape().rank() == 5 ? x.shape()[1] : 1);
    return net(x, pass);
  };
  return model;
}

}  // namespace dactyl

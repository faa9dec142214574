// AlexNet in its two public forms.
#include "nets/architectures.h"

namespace dactyl {

// BVLC's training file: Gaussian weights of 0.01 (0.005 for fc6, fc7), biases 0 or 0.1. Normalisation before pooling.
Model alexnet(const ModelOptions& o) {
  Model model;
  model.name = "alexnet";
  // Channel means of BVLC's mean image over ImageNet.
  model.input = {o.height ? o.height : 227,
                 o.width ? o.width : 227,
                 3,
                 Resize::warp,
                 Filter::antialias,
                 256,
                 {122.6789143f, 116.6687676f, 104.0069879f},
                 {1, 1, 1}};
  model.parameters = std::make_unique<Parameters>();
  const Style zero{gaussian(0.01), 0, 2}, tenth{gaussian(0.01), 0.1, 2}, wide{gaussian(0.005), 0.1, 2};
  const double drop = o.dropout < 0 ? 0.5 : o.dropout;

  // clang-format off
  Stack net({*model.parameters, ""}, {1, model.input.height, model.input.width, 3}, zero);
  //                     channels  k  s  p    groups
  net.conv    ("conv1",  96, kernel(11, 4, 0));
  net.lrn     ("norm1");
  net.max_pool("pool1",      kernel( 3, 2));
  net.style() = tenth;
  net.conv    ("conv2", 256, kernel( 5, 1, 2), 2);
  net.lrn     ("norm2");
  net.max_pool("pool2",      kernel( 3, 2));
  net.style() = zero;
  net.conv    ("conv3", 384, kernel( 3, 1, 1));
  net.style() = tenth;
  net.conv    ("conv4", 384, kernel( 3, 1, 1), 2);
  net.conv    ("conv5", 256, kernel( 3, 1, 1), 2);
  net.max_pool("pool5",      kernel( 3, 2));
  net.style() = wide;
  net.linear  ("fc6",  4096, true);
  net.dropout ("drop6", drop);
  net.linear  ("fc7",  4096, true);
  net.dropout ("drop7", drop);
  net.style() = zero;
  net.linear  ("fc8", o.classes, false);
  // clang-format on

  finish(model, net, "fc7", {"fc8"});
  return model;
}

// No groups, no LRN; dropout before each of the first two linear layers; pools round down.
Model alexnet_torchvision(const ModelOptions& o) {
  Model model;
  model.name = "alexnet-torchvision";
  model.input = {o.height ? o.height : 224,
                 o.width ? o.width : 224,
                 3,
                 Resize::short_side,
                 Filter::antialias,
                 256,
                 {123.675f, 116.28f, 103.53f},
                 {1 / 58.395f, 1 / 57.12f, 1 / 57.375f}};
  model.parameters = std::make_unique<Parameters>();
  const double drop = o.dropout < 0 ? 0.5 : o.dropout;

  // clang-format off
  Stack net({*model.parameters, "", '.'}, {1, model.input.height, model.input.width, 3}, Style{he()});
  net.conv    ("features.0",   64, kernel(11, 4, 2));
  net.max_pool("features.2",       kernel( 3, 2), Rounding::floor);
  net.conv    ("features.3",  192, kernel( 5, 1, 2));
  net.max_pool("features.5",       kernel( 3, 2), Rounding::floor);
  net.conv    ("features.6",  384, kernel( 3, 1, 1));
  net.conv    ("features.8",  256, kernel( 3, 1, 1));
  net.conv    ("features.10", 256, kernel( 3, 1, 1));
  net.max_pool("features.12",      kernel( 3, 2), Rounding::floor);
  net.adaptive_mean("avgpool", 6);
  net.dropout ("classifier.0", drop);
  net.linear  ("classifier.1", 4096, true);
  net.dropout ("classifier.3", drop);
  net.linear  ("classifier.4", 4096, true);
  net.style() = Style{gaussian(0.01)};
  net.linear  ("classifier.6", o.classes, false);
  // clang-format on

  finish(model, net, "classifier.4", {"classifier.6"});
  return model;
}

}  // namespace dactyl

// GoogLeNet in its two public forms: nine rows of the paper's Table 1 between a stem and a mean.
#include "nets/architectures.h"

namespace dactyl {

Model googlenet(const ModelOptions& o) {
  Model model;
  model.name = "googlenet";
  model.input = {o.height ? o.height : 224,
                 o.width ? o.width : 224,
                 3,
                 Resize::warp,
                 Filter::antialias,
                 256,
                 {123, 117, 104},
                 {1, 1, 1}};
  model.parameters = std::make_unique<Parameters>();
  const Style unit{xavier(), 0.2, 2}, classifier{xavier(), 0, 2};
  const InceptionStyle block{{"1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool_proj"},
                             kernel(1),
                             kernel(3, 1, 1),
                             kernel(5, 1, 2),
                             kernel(3, 1, 1),
                             unit};

  // clang-format off
  Stack net({*model.parameters, ""}, {1, model.input.height, model.input.width, 3}, unit);
  const auto inception = [&](const std::string& name) { net.inception(inception_row(name, "inception_" + name), block); };
  const auto side = [&](const std::string& name) {  // Section 5: two side classifiers, weight 0.3
    if (!o.auxiliary) return;
    Stack branch(net.scope() / name, net.shape(), unit);
    branch.mean_pool("ave_pool", kernel(5, 3));
    branch.conv     ("conv", 128, kernel(1));
    branch.linear   ("fc", 1024, true);
    branch.dropout  ("drop_fc", 0.7);
    branch.style() = classifier;
    branch.linear   ("classifier", o.classes, false);
    net.side(name, 0.3, branch);
    model.auxiliary.push_back(name);
  };

  net.conv    ("conv1/7x7_s2",      64, kernel(7, 2, 3));
  net.max_pool("pool1/3x3_s2",          kernel(3, 2));
  net.lrn     ("pool1/norm1");
  net.conv    ("conv2/3x3_reduce",  64, kernel(1));
  net.conv    ("conv2/3x3",        192, kernel(3, 1, 1));
  net.lrn     ("conv2/norm2");
  net.max_pool("pool2/3x3_s2",          kernel(3, 2));
  inception("3a");
  inception("3b");
  net.max_pool("pool3/3x3_s2",          kernel(3, 2));
  inception("4a");
  side("loss1");
  inception("4b");
  inception("4c");
  inception("4d");
  side("loss2");
  inception("4e");
  net.max_pool("pool4/3x3_s2",          kernel(3, 2));
  inception("5a");
  inception("5b");
  net.global_mean("pool5/7x7_s1");
  net.dropout ("pool5/drop_7x7_s1", o.dropout < 0 ? 0.4 : o.dropout);
  net.style() = classifier;
  net.linear  ("loss3/classifier", o.classes, false);
  // clang-format on

  finish(model, net, "pool5/7x7_s1", {"loss3/classifier", "loss1/classifier", "loss2/classifier"});
  return model;
}

// Ported from TF-slim: its "5×5" branch is 3×3, its fourth pool 2×2, ε is 1e-3. With torchvision's transform_input the
// network sees 2·rgb/255 − 1.
Model googlenet_bn(const ModelOptions& o) {
  Model model;
  model.name = "googlenet-bn";
  model.input = {o.height ? o.height : 224,
                 o.width ? o.width : 224,
                 3,
                 Resize::short_side,
                 Filter::antialias,
                 256,
                 {127.5f, 127.5f, 127.5f},
                 {1 / 127.5f, 1 / 127.5f, 1 / 127.5f}};
  model.parameters = std::make_unique<Parameters>();
  const Style unit{.weight = he(), .norm = true, .epsilon = 1e-3}, classifier{.weight = gaussian(0.01)};
  const InceptionStyle block{{"branch1", "branch2.0", "branch2.1", "branch3.0", "branch3.1", "branch4.1"},
                             kernel(1),
                             kernel(3, 1, 1),
                             kernel(3, 1, 1),
                             kernel(3, 1, 1),
                             unit};

  // clang-format off
  Stack net({*model.parameters, "", '.'}, {1, model.input.height, model.input.width, 3}, unit);
  const auto inception = [&](const std::string& name) { net.inception(inception_row(name, "inception" + name), block); };
  const auto side = [&](const std::string& name) {
    if (!o.auxiliary) return;
    Stack branch(net.scope() / name, net.shape(), unit);
    branch.adaptive_mean("pool", 4);
    branch.conv   ("conv", 128, kernel(1));
    branch.style() = classifier;
    branch.linear ("fc1", 1024, true);
    branch.dropout("dropout", 0.7);
    branch.linear ("fc2", o.classes, false);
    net.side(name, 0.3, branch);
    model.auxiliary.push_back(name);
  };

  net.conv    ("conv1",  64, kernel(7, 2, 3));
  net.max_pool("maxpool1",   kernel(3, 2));
  net.conv    ("conv2",  64, kernel(1));
  net.conv    ("conv3", 192, kernel(3, 1, 1));
  net.max_pool("maxpool2",   kernel(3, 2));
  inception("3a");
  inception("3b");
  net.max_pool("maxpool3",   kernel(3, 2));
  inception("4a");
  side("aux1");
  inception("4b");
  inception("4c");
  inception("4d");
  side("aux2");
  inception("4e");
  net.max_pool("maxpool4",   kernel(2, 2));
  inception("5a");
  inception("5b");
  net.global_mean("avgpool");
  net.dropout ("dropout", o.dropout < 0 ? 0.2 : o.dropout);
  net.style() = classifier;
  net.linear  ("fc", o.classes, false);
  // clang-format on

  finish(model, net, "avgpool", {"fc", "aux1.fc2", "aux2.fc2"});
  return model;
}

}  // namespace dactyl

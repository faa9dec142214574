// The list of nets, and what all of them share.
#include "nets/model.h"

#include <algorithm>

#include "nets/architectures.h"

namespace dactyl {

bool Model::in_head(const std::string& parameter) const {
  return std::any_of(heads.begin(), heads.end(),
                     [&](const std::string& head) { return parameter.starts_with(head + "."); });
}

void finish(Model& model, const Stack& net, const std::string& features, std::vector<std::string> heads) {
  model.classes = net.shape().channels();
  model.order = net.names();
  model.kinds = net.kinds();
  model.features = features;
  model.heads = std::move(heads);
  model.net = [net](const Tensor& x, Pass& pass) {
    pass.auxiliary.clear();
    Scores scores{net(x, pass), {}};
    scores.auxiliary = std::move(pass.auxiliary);
    return scores;
  };
  model.head = [net, features](const Tensor& x, Pass& pass) { return net.run_from(features, x, pass); };
}

const std::vector<ModelInfo>& models() {
  static const std::vector<ModelInfo> list{
      {"alexnet", "AlexNet (BVLC)", "Krizhevsky et al. 2012; weights of BVLC's Caffe release", 55, 55},
      {"alexnet-torchvision", "AlexNet (torchvision)", "Krizhevsky 2014, \"One weird trick\"", 63, 63},
      {"googlenet", "GoogLeNet (BVLC)", "Szegedy et al. 2014, Table 1; weights of BVLC's Caffe release", 47, 79},
      {"googlenet-bn", "GoogLeNet with batch normalisation (torchvision)",
       "Szegedy et al. 2014; Ioffe and Szegedy 2015", 31, 31},
  };
  return list;
}

namespace {

// Each halving of the picture must leave as much as the next window covers.
void check_input(const std::string& name, const ModelOptions& o) {
  for (const ModelInfo& info : models()) {
    if (info.name != name) continue;
    const i64 least = o.auxiliary ? info.least_auxiliary : info.least;
    for (const i64 side : {o.height, o.width})
      check(Exit::usage, side == 0 || side >= least,
            "{}: an input of {}x{} is too small; the smallest it can take{} is {}x{}", name, o.height, o.width,
            least > info.least ? " with its auxiliary heads" : "", least, least);
  }
}

}  // namespace

Model make_model(const std::string& name, const ModelOptions& options) {
  check(Exit::usage, options.classes > 0, "model: {} classes; at least 1 is needed", options.classes);
  check_input(name, options);
  Model model = name == "alexnet"               ? alexnet(options)
                : name == "alexnet-torchvision" ? alexnet_torchvision(options)
                : name == "googlenet"           ? googlenet(options)
                : name == "googlenet-bn"        ? googlenet_bn(options)
                                                : Model{};
  check(Exit::usage, !model.name.empty(), "no model is called '{}'; `dactyl models` lists them", name);
  model.parameters->initialise(options.seed);
  return model;
}

}  // namespace dactyl

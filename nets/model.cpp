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
      {"mobilenet", "MobileNet v1 (Keras); mobilenet-0.75: other widths", "Howard et al. 2017, Table 1"},
      {"mobilenet-lstm", "MobileNet v1 of each frame, then an LSTM", "a baseline for clips"},
      {"i3d", "I3D, inflated Inception v1 (DeepMind)",
       "Carreira and Zisserman 2017; 2 or 3 channels, 9 frames or more"},
  };
  return list;
}

ModelInfo model_info(const std::string& name) {
  const Family family = family_of(name);
  std::string names;
  for (ModelInfo info : models()) {
    names += " " + info.name;
    if (info.name != family.name) continue;
    info.name = name;
    return info;
  }
  fail(Exit::usage, "no model is called '{}'; `dactyl models` lists them:{}", {name, names});
}

namespace {

// Each halving of the picture must leave as much as the next window covers.
void check_input(const ModelInfo& info, const ModelOptions& o) {
  const i64 least = o.auxiliary ? info.least_auxiliary : info.least;
  for (const i64 side : {o.height, o.width})
    check(Exit::usage, side == 0 || side >= least,
          "{}: an input of {}x{} is too small; the smallest it can take{} is {}x{}", info.name, o.height, o.width,
          least > info.least ? " with its auxiliary heads" : "", least, least);
}

Model built(const std::string& name, const ModelOptions& o) {
  const Family family = family_of(name);
  if (family.name == "alexnet") return alexnet(o);
  if (family.name == "alexnet-torchvision") return alexnet_torchvision(o);
  if (family.name == "googlenet") return googlenet(o);
  if (family.name == "googlenet-bn") return googlenet_bn(o);
  if (family.name == "mobilenet") return mobilenet(name, family.width, o);
  if (family.name == "mobilenet-lstm") return mobilenet_lstm(name, family.width, o);
  if (family.name == "i3d") return i3d(o);
  fail(Exit::failure, "{} is listed and not built", {name});
}

}  // namespace

Model make_model(const std::string& name, const ModelOptions& wanted) {
  const ModelInfo info = model_info(name);  // unknown names end here
  ModelOptions options = wanted;
  if (options.classes == 0) options.classes = name == "i3d" ? 400 : 1000;
  check(Exit::usage, options.classes > 0, "model: {} classes; at least 1 is needed", options.classes);
  check_input(info, options);
  Model model = built(name, options);
  const bool clips = model.input.frames > 0;
  check(Exit::usage, clips || options.frames == 0, "{} takes pictures, not clips of {} frames", name, options.frames);
  check(Exit::usage, options.channels == 0 || options.channels == model.input.channels, "{} takes {} channels, not {}",
        name, model.input.channels, options.channels);
  model.parameters->initialise(options.seed);
  return model;
}

}  // namespace dactyl

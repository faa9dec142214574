// The baseline for clips: MobileNet's features of each frame, an LSTM of 256 units over them, a classifier on its last
// state. What is trained in a stage of the head is the LSTM as well, for no released weights hold one.
#include "nets/architectures.h"

namespace dactyl {

Model mobilenet_lstm(const std::string& name, double width, const ModelOptions& o) {
  Model model;
  model.name = name;
  model.input = mobilenet_input(o);
  model.input.frames = o.frames ? o.frames : 20;
  model.parameters = std::make_unique<Parameters>();
  const Scope root{*model.parameters, ""};
  Stack trunk(root, {1, model.input.height, model.input.width, 3}, {});
  mobilenet_trunk(trunk, width);
  const i64 features = trunk.shape().channels();

  Stack top(root, {1, model.input.frames, features}, Style{gaussian(0.01)});
  top.lstm("lstm", 256);
  top.dropout("dropout", o.dropout < 0 ? 0.5 : o.dropout);
  top.linear("classifier", o.classes, false);

  finish(model, top, "frames", {"classifier", "lstm"});
  model.order = trunk.names();
  for (const std::string& layer : top.names()) model.order.push_back(layer);
  model.kinds.insert(trunk.kinds().begin(), trunk.kinds().end());
  model.kinds["frames"] = "sequence";
  model.net = [trunk, top, features](const Tensor& x, Pass& pass) {
    const Shape& s = x.shape();
    check(Exit::usage, s.rank() == 5, "mobilenet-lstm: x {} is not a batch of clips (N, D, H, W, C)", s);
    const Tensor pictures = reshape(x, {s[0] * s[1], s[2], s[3], s[4]});
    const Tensor sequence = reshape(trunk(pictures, pass), {s[0], s[1], features});
    pass.see("frames", sequence);
    return Scores{top(sequence, pass), {}};
  };
  model.head = [top, features](const Tensor& x, Pass& pass) {
    return top(reshape(x, {x.shape()[0], x.count() / (x.shape()[0] * features), features}), pass);
  };
  return model;
}

}  // namespace dactyl

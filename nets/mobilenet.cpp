// MobileNet v1 (Howard et al. 2017, Table 1) as Keras has it: a 3×3 convolution per channel, then 1×1 across channels.
#include <charconv>

#include "nets/architectures.h"

namespace dactyl {

Family family_of(const std::string& name) {
  constexpr std::string_view base = "mobilenet-";
  Family family{name};
  if (!name.starts_with(base)) return family;
  const char *first = name.data() + base.size(), *last = name.data() + name.size();
  const auto [end, error] = std::from_chars(first, last, family.width);
  if (error != std::errc()) return {name};
  constexpr double least = 1.0 / 32, most = 4;  // a channel of the narrowest layer
  check(Exit::usage, family.width >= least && family.width <= most, "{}: the width must lie from {} to {}", name, least,
        most);
  family.name = "mobilenet" + std::string(end, last);
  return family;
}

void mobilenet_trunk(Stack& net, double width) {
  const auto wide = [&](i64 channels) { return static_cast<i64>(static_cast<double>(channels) * width); };
  int i = 0;
  const auto separable = [&](i64 channels, i64 stride) {
    const std::string number = std::to_string(++i);
    net.depthwise("conv_dw_" + number, same(3, stride));
    net.conv("conv_pw_" + number, wide(channels), same(1));
  };
  net.style() = {.weight = he(), .norm = true, .epsilon = 1e-3, .activation = Activation::relu6};

  // clang-format off
  net.conv("conv1", wide(32), same(3, 2));
  separable(  64, 1);
  separable( 128, 2);
  separable( 128, 1);
  separable( 256, 2);
  separable( 256, 1);
  separable( 512, 2);
  for (int repeat = 0; repeat < 5; ++repeat) separable(512, 1);
  separable(1024, 2);
  separable(1024, 1);
  net.global_mean("global_average_pooling");
  // clang-format on
}

InputSpec mobilenet_input(const ModelOptions& o) {
  return {o.height ? o.height : 224,
          o.width ? o.width : 224,
          3,
          Resize::short_side,
          Filter::antialias,
          256,
          {127.5f, 127.5f, 127.5f},
          {1 / 127.5f, 1 / 127.5f, 1 / 127.5f}};
}

Model mobilenet(const std::string& name, double width, const ModelOptions& o) {
  Model model;
  model.name = name;
  model.input = mobilenet_input(o);
  model.parameters = std::make_unique<Parameters>();
  Stack net({*model.parameters, ""}, model.input.shape(1), {});
  mobilenet_trunk(net, width);
  net.dropout("dropout", o.dropout < 0 ? 1e-3 : o.dropout);
  net.style() = Style{gaussian(0.01)};
  net.linear("conv_preds", o.classes, false);

  finish(model, net, "global_average_pooling", {"conv_preds"});
  return model;
}

}  // namespace dactyl

// parity_step: one training step written down, so that PyTorch can repeat it and every gradient be compared.
//   parity_step export DIR MODEL            weights, batch and dropout masks to DIR/step.safetensors
//   parity_step compare DIR MODEL [DEVICE]  our loss and gradients against DIR/torch.safetensors
#include <cmath>
#include <cstdio>
#include <iostream>

#include "kernels/ops.h"
#include "nets/nets.h"
#include "weights/weights.h"

namespace {

using namespace dactyl;

constexpr i64 batch = 4, classes = 10;
constexpr double loss_limit = 1e-5, gradient_limit = 1e-3;

// BVLC's AlexNet keeps its dropout (its masks are exported); the others run without.
ModelOptions options(const std::string& name) {
  return {.classes = classes, .auxiliary = false, .dropout = name == "alexnet" ? 0.5 : 0.0, .seed = 5};
}

Tensor picture(const Model& model) {
  Tensor x({batch, model.input.height, model.input.width, 3}, DType::f32, Device::cpu());
  Sequence random(12);
  const double size = model.input.scale[0] == 1 ? 60 : 1;  // bytes or normalised
  for (i64 i = 0; i < x.count(); ++i) x.data<float>()[i] = static_cast<float>(size * random.normal());
  return x;
}

void write_step(const std::string& folder, const std::string& name) {
  const Model model = make_model(name, options(name));
  Checkpoint file = to_checkpoint(*model.parameters, {});
  file.tensors["x"] = picture(model);
  Random random(3, Device::cpu());
  for (const char* mask : {"mask6", "mask7"})
    if (name == "alexnet") file.tensors[mask] = dropout(Tensor::full({batch, 4096}, 1), 0.5, random);
  file.write(folder + "/step.safetensors");
}

double relative(const Tensor& ours, const Tensor& theirs) {
  check(ours.shape() == theirs.shape(), "gradients of shapes {} and {}", ours.shape(), theirs.shape());
  const std::vector<float> a = ours.floats(), b = theirs.floats();
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    size += double(b[i]) * b[i];
  }
  return std::sqrt(difference / std::max(size, 1e-60));
}

int compare(const std::string& folder, const std::string& name, const std::string& device) {
  const Checkpoint theirs = Checkpoint::read(folder + "/torch.safetensors");
  const Use use(device_named(device));
  Model model = make_model(name, options(name));
  const Tensor x = picture(model).to(Context::current().device());
  model.to(Context::current().device());
  Random random(3, Context::current().device());
  Tape tape;
  Pass pass{.training = true, .random = &random};
  const Tensor loss =
      cross_entropy(model.forward(x, pass), Tensor::from({batch}, std::vector<std::int32_t>{0, 3, 9, 3}));
  tape.backward(loss);
  const double expected = theirs.tensors.at("loss").item(), error = std::abs(loss.item() - expected) / expected;
  std::printf("%-28s %.9g, PyTorch %.9g, relative error %.2g (limit %g)\n", "loss", loss.item(), expected, error,
              loss_limit);
  int failed = error > loss_limit;
  for (const Parameter& p : model.parameters->all()) {
    if (p.statistic) continue;
    const double distance = relative(p.value.grad(), theirs.tensors.at(p.name));
    const double rounding = theirs.tensors.at("rounding/" + p.name).item();
    const bool near = distance <= std::max(gradient_limit, 3 * rounding);
    failed += !near;
    std::printf("%-28s %.2g (PyTorch's own rounding %.2g) %s\n", p.name.c_str(), distance, rounding,
                near ? "" : "TOO FAR");
  }
  std::printf("%s on %s: %s\n", name.c_str(), to_text(Context::current().device()).c_str(),
              failed ? "DIFFERS" : "equal");
  return failed ? static_cast<int>(Exit::check) : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    check(Exit::usage, words.size() >= 3, "usage: parity_step export|compare DIR MODEL [DEVICE]");
    if (words[0] == "compare") return compare(words[1], words[2], words.size() > 3 ? words[3] : "cpu");
    write_step(words[1], words[2]);
  } catch (const Error& e) {
    std::cerr << "parity_step: " << e.what() << "\n";
    return static_cast<int>(e.exit());
  }
}

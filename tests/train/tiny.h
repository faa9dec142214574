// A net and pictures small enough to train within a test.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "kernels/ops.h"
#include "train/data/source.h"
#include "train/open_model.h"
#include "train/signals.h"
#include "train/training.h"

namespace dactyl::tiny {

// Noise whose mean colour tells the class; sample 5 is unreadable if asked.
class Colours : public DataSource {
 public:
  explicit Colours(i64 samples, bool damaged = false) : samples_(samples), damaged_(damaged) {}
  i64 size() const override { return samples_; }
  int label(i64 i) const override { return static_cast<int>(i % 3); }
  std::string name(i64 i) const override { return "picture" + std::to_string(i); }
  Image image(i64 i) const override {
    check(Exit::data, !damaged_ || i != 5, "torn");
    Image image{16, 16, std::vector<std::uint8_t>(16 * 16 * 3)};
    Sequence noise(7, static_cast<std::uint32_t>(i));
    for (std::size_t k = 0; k < image.rgb.size(); ++k)
      image.rgb[k] = static_cast<std::uint8_t>(noise.below(120) + (static_cast<int>(k % 3) == label(i) ? 90 : 0));
    return image;
  }
  const std::vector<std::string>& labels() const override { return labels_; }

 private:
  i64 samples_;
  bool damaged_;
  std::vector<std::string> labels_{"red", "green", "blue"};
};

// convolution 3×3 → mean → linear.
inline Model model(std::uint64_t seed = 1) {
  Model m;
  m.name = "tiny";
  m.parameters = std::make_unique<Parameters>();
  m.input = {.height = 12,
             .width = 12,
             .resize = Resize::warp,
             .resize_to = 16,
             .mean = {120, 120, 120},
             .scale = {0.02f, 0.02f, 0.02f}};
  m.classes = 3;
  const Parameter* w = &m.parameters->add("conv.weight", {8, 3, 3, 3}, xavier(), 27);
  const Parameter* v = &m.parameters->add("fc.weight", {3, 8}, xavier(), 8);
  const Parameter* b = &m.parameters->add("fc.bias", {3}, constant(0));
  m.heads = {"fc"};
  m.order = {"conv", "mean", "fc"};
  m.features = "mean";
  m.head = [v, b](const Tensor& x, Pass&) { return linear(x, v->value, {.bias = b->value}); };
  m.net = [w, head = m.head](const Tensor& x, Pass& pass) {
    const Tensor y = global_mean(relu(conv(x, w->value, {.window = square(3, 1, 1)})));
    pass.see("mean", y);
    return Scores{head(y, pass), {}};
  };
  m.parameters->initialise(seed);
  return m;
}

inline std::string folder(const std::string& name) {
  const auto path = std::filesystem::temp_directory_path() / ("dactyl_" + name + std::to_string(getpid()));
  std::filesystem::remove_all(path);
  return path.string();
}

inline std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The first columns of a CSV file: those that must not depend on the clock.
inline std::string columns(const std::string& path, int count) {
  std::ifstream file(path);
  std::string all;
  for (std::string line; std::getline(file, line); all += "\n") {
    int commas = 0;
    for (const char c : line) {
      commas += c == ',';
      if (commas == count) break;
      all += c;
    }
  }
  return all;
}

inline TrainOptions options(const std::string& out) {
  TrainOptions o;
  o.model = "tiny";
  o.out = out;
  o.batch = 4;
  o.threads = 2;
  o.device = "cpu";
  o.stages = {parse_stage("head:2ep@0.05"), parse_stage("all:3ep@0.02")};
  return o;
}

// A whole run in options.out; a second call goes on from what the first left.
inline TrainResult train(const TrainOptions& o, const DataSource& data, const DataSource& validation) {
  const Signals signals;
  Model net = model(o.seed);
  net.to(Context::current().device());
  const RunFolder run(o.out, std::filesystem::exists(o.out + "/last.state"));
  const Log log(run / "log.txt");
  std::optional<SavedState> saved;
  if (run.has_state()) saved.emplace(run / "last.state");
  const Subject subject{net, data, validation, passport_of(net, data.labels(), "test")};
  return Training(subject, o, run, log, std::move(saved)).run();
}

}  // namespace dactyl::tiny

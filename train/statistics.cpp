// Sums over all positions of what the convolutions hand to their normalisations, or would if there were any.
#include "train/statistics.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "train/data/loader.h"
#include "train/inference.h"
#include "weights/weights.h"

namespace dactyl {
namespace {

struct Sums {
  double count = 0;
  std::vector<double> of, of_squares;
};

void add(Sums& sums, const Tensor& z) {
  const std::vector<float> values = z.floats();
  const auto channels = static_cast<std::size_t>(z.shape().channels());
  sums.of.resize(channels);
  sums.of_squares.resize(channels);
  for (std::size_t i = 0; i < values.size(); ++i) {
    sums.of[i % channels] += values[i];
    sums.of_squares[i % channels] += double(values[i]) * values[i];
  }
  sums.count += static_cast<double>(values.size() / channels);
}

Moments moments(const Sums& sums) {
  Moments m;
  for (std::size_t c = 0; c < sums.of.size(); ++c) {
    const double mean = sums.of[c] / sums.count, square = sums.of_squares[c] / sums.count;
    m.mean.push_back(static_cast<float>(mean));
    m.var.push_back(static_cast<float>(std::max(0.0, square - mean * mean)));
  }
  return m;
}

constexpr std::string_view leaf = ".conv";  // of a unit's name, where the tap shows what its convolution gives

std::map<std::string, Moments> moments(const std::map<std::string, Sums>& sums) {
  std::map<std::string, Moments> all;
  for (const auto& [name, s] : sums) all.emplace(name, moments(s));
  return all;
}

// Into the sums of its unit, if this is what a convolution gives.
void add_unit(std::map<std::string, Sums>& sums, const std::string& name, const Tensor& z) {
  if (name.ends_with(leaf)) add(sums[name.substr(0, name.size() - leaf.size())], z);
}

// Without those that could not be read, or that only fill the last batch; undefined if no row is left.
Tensor good_rows(const Tensor& x, const std::vector<i64>& samples) {
  const std::vector<float> all = x.floats();
  const std::size_t size = all.size() / samples.size();
  std::vector<float> good;
  for (std::size_t row = 0; row < samples.size(); ++row)
    if (samples[row] >= 0)
      good.insert(good.end(), all.begin() + static_cast<std::ptrdiff_t>(row * size),
                  all.begin() + static_cast<std::ptrdiff_t>((row + 1) * size));
  const i64 rows = static_cast<i64>(good.size() / size);
  return rows ? Tensor::from(x.shape().with(0, rows), good) : Tensor();
}

using See = std::function<void(const Tensor& x)>;

// Every picture as the input asks for it, in batches.
void look_at(const DataSource& pictures, const InputSpec& input, const std::function<void(i64)>& advance,
             const See& see) {
  constexpr i64 batch = 10;
  Loader loader(pictures, {.batch = std::min(batch, pictures.size()),
                           .input = input,
                           .cache_bytes = 0,
                           .device = Context::current().device()});
  loader.start(0);
  i64 left = pictures.size();
  for (Batch b; loader.next(b);) {
    const Tensor x = good_rows(input_of(b, input, DType::f32), b.samples);
    if (x.defined()) see(x);
    if (advance) advance(std::min(batch, left));
    left -= batch;
  }
}

// (N, H, W, C) -> (N, D, H, W, C), all frames alike.
Tensor standing_clip(const Tensor& x, i64 frames) {
  const std::vector<float> pictures = x.floats();
  const auto size = static_cast<std::ptrdiff_t>(x.count() / x.shape()[0]);
  std::vector<float> clips;
  for (auto at = pictures.begin(); at != pictures.end(); at += size)
    for (i64 d = 0; d < frames; ++d) clips.insert(clips.end(), at, at + size);
  return Tensor::from({x.shape()[0], frames, x.shape()[1], x.shape()[2], x.shape()[3]}, clips);
}

// A net of flow, whose first filters are the mean of those for red, green and blue, sees pictures in grey.
Tensor grey(const Tensor& x, i64 channels) {
  std::vector<float> values;
  const std::vector<float> colours = x.floats();
  for (std::size_t i = 0; i < colours.size(); i += 3)
    values.insert(values.end(), static_cast<std::size_t>(channels), (colours[i] + colours[i + 1] + colours[i + 2]) / 3);
  return Tensor::from(x.shape().with(-1, channels), values);
}

// What is left of each channel's root mean square.
std::vector<float> kept(const Moments& before, const Moments& after) {
  std::vector<float> factors;
  for (std::size_t c = 0; c < before.mean.size(); ++c) {
    const auto size = [c](const Moments& m) { return std::sqrt(m.mean[c] * m.mean[c] + m.var[c]); };
    factors.push_back(size(before) > 0 ? size(after) / size(before) : 1);
  }
  return factors;
}

PictureMoments picture_moments(const Model& googlenet, const DataSource& pictures,
                               const std::function<void(i64)>& advance) {
  std::map<std::string, Sums> units, around;
  Random random(1, Context::current().device());
  Pass pass{.training = true, .frozen_statistics = true, .random = &random};
  pass.tap = [&](const std::string& name, const Tensor& y) {
    add_unit(units, name, y);
    if (name == "pool1/3x3_s2" || name == "pool1/norm1" || name == "conv2/3x3" || name == "conv2/norm2")
      add(around[name], y);
  };
  look_at(pictures, googlenet.input, advance, [&](const Tensor& x) { googlenet.forward(x, pass); });
  check(Exit::data, !units.empty(), "statistics: not one of {} pictures can be read", pictures.size());
  const auto m = moments(around);
  return {moments(units),
          {{"conv1/7x7_s2", kept(m.at("pool1/3x3_s2"), m.at("pool1/norm1"))},
           {"conv2/3x3", kept(m.at("conv2/3x3"), m.at("conv2/norm2"))}}};
}

}  // namespace

void inflate_measured(Model& i3d, const Model& googlenet, const DataSource& pictures,
                      const std::function<void(i64)>& advance) {
  check(Exit::usage, googlenet.name == "googlenet", "inflate: {} needs no pictures, googlenet does", googlenet.name);
  inflate(*i3d.parameters, *googlenet.parameters, googlenet.name, picture_moments(googlenet, pictures, advance));
  InputSpec input = googlenet.input;
  input.mean.assign(3, i3d.input.mean.front());
  input.scale.assign(3, i3d.input.scale.front());
  const i64 channels = i3d.input.channels;
  constexpr i64 frames = 9;  // the fewest it takes
  std::map<std::string, Sums> units;
  Random random(1, Context::current().device());
  Pass pass{.training = true, .random = &random};  // each unit normalises by the batch, as training would
  pass.tap = [&](const std::string& name, const Tensor& z) { add_unit(units, name, z); };
  look_at(pictures, input, advance,
          [&](const Tensor& x) { i3d.forward(standing_clip(channels == 3 ? x : grey(x, channels), frames), pass); });
  set_statistics(*i3d.parameters, moments(units));
}

void reestimate_statistics(Model& model, const std::function<Tensor()>& next) {
  check(Exit::usage, model.name == "i3d", "statistics are re-estimated for i3d, not for {}", model.name);
  std::map<std::string, Sums> sums;
  Random random(1, Context::current().device());
  Pass pass{.training = true, .frozen_statistics = true, .random = &random};
  pass.tap = [&](const std::string& name, const Tensor& z) { add_unit(sums, name, z); };
  for (Tensor x = next(); x.defined(); x = next()) model.forward(x, pass);
  check(Exit::data, !sums.empty(), "statistics: there is no data to estimate them from");
  recalibrate(*model.parameters, moments(sums));
}

}  // namespace dactyl

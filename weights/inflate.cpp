// From GoogLeNet's units to I3D's. What is exact and what is an estimate: weights/README.md.
#include "weights/inflate.h"

#include <algorithm>
#include <cmath>

#include "weights/names/i3d.h"
#include "weights/unit_chain.h"

namespace dactyl {
namespace {

constexpr float epsilon = 1e-3f;  // of the normalisation in I3D and in googlenet-bn
constexpr const char* head = "Logits/Conv3d_0c_1x1";

// Weights are (O, k, k, I).
ScaledUnit normalised(const Parameters& store, const std::string& unit) {
  const auto of = [&](const char* leaf) { return numbers_of(store, unit + leaf); };
  return {store.find(unit + ".conv.weight")->value.shape(),
          of(".conv.weight"),
          of(".bn.weight"),
          of(".bn.bias"),
          of(".bn.running_mean"),
          of(".bn.running_var")};
}

// BVLC's: a bias and no normalisation. Until statistics are measured, the normalisation passes its input on.
ScaledUnit biased(const Parameters& store, const std::string& unit) {
  const Numbers bias = numbers_of(store, unit + ".bias");
  return {store.find(unit + ".weight")->value.shape(),
          numbers_of(store, unit + ".weight"),
          Numbers(bias.size(), 1),
          bias,
          Numbers(bias.size(), 0),
          Numbers(bias.size(), 1 - epsilon)};
}

// BVLC's first filters see bytes minus these means; I3D's see (byte − 127.5)/127.5.
void take_normalised_input(ScaledUnit& u) {
  constexpr float middle = 127.5f, means[3] = {123, 117, 104};
  const std::size_t filter = u.w.size() / u.beta.size();
  for (std::size_t i = 0; i < u.w.size(); ++i) {
    u.beta[i / filter] += u.w[i] * (middle - means[i % 3]);
    u.w[i] *= middle;
  }
}

// A 5×5 kernel as 3×3: each outer tap joins its nearest inner one, so that a smooth map is answered as before.
void take_3x3(ScaledUnit& u) {
  const i64 inputs = u.shape[3], outputs = u.shape[0];
  Numbers small(static_cast<std::size_t>(outputs * 9 * inputs), 0);
  const auto nearest = [](i64 tap) { return std::clamp<i64>(tap - 1, 0, 2); };
  for (i64 o = 0; o < outputs; ++o)
    for (i64 h = 0; h < 5; ++h)
      for (i64 w = 0; w < 5; ++w)
        for (i64 i = 0; i < inputs; ++i)
          small[static_cast<std::size_t>(((o * 3 + nearest(h)) * 3 + nearest(w)) * inputs + i)] +=
              u.w[static_cast<std::size_t>(((o * 5 + h) * 5 + w) * inputs + i)];
  u.w = std::move(small);
  u.shape = {outputs, 3, 3, inputs};
}

// Normalised by statistics yet to be measured, it gives what the picture's net had: the same mean and deviation.
void take_moments(ScaledUnit& u, const Moments& m) {
  for (std::size_t o = 0; o < u.beta.size(); ++o) u.gamma[o] = std::sqrt(m.var[o]);
  u.beta = m.mean;
}

// (O, k, k, I) -> (O, d, k, k, J): the kernel d times, divided by d. Another number of inputs J (flow) gets the mean
// over the I there were, times I/J.
Numbers deepened(const ScaledUnit& u, const Shape& to) {
  check(u.shape[0] == to[0] && u.shape[1] == to[2] && u.shape[2] == to[3], "inflate: {} into {}", u.shape, to);
  const i64 inputs = u.shape[3], taps = to[2] * to[3];
  Numbers deep;
  deep.reserve(static_cast<std::size_t>(to.count()));
  for (i64 o = 0; o < to[0]; ++o)
    for (i64 d = 0; d < to[1]; ++d)
      for (i64 tap = 0; tap < taps; ++tap) {
        const float* w = u.w.data() + (o * taps + tap) * inputs;
        float sum = 0;
        for (i64 i = 0; i < inputs; ++i) sum += w[i];
        for (i64 j = 0; j < to[4]; ++j)
          deep.push_back((inputs == to[4] ? w[j] : sum / static_cast<float>(to[4])) / static_cast<float>(to[1]));
      }
  return deep;
}

void write_norm(Parameters& store, const std::string& unit, const ScaledUnit& u) {
  set_numbers(store, unit + ".bn.bias", u.beta);
  set_numbers(store, unit + ".bn.running_mean", u.mean);
  set_numbers(store, unit + ".bn.running_var", u.var);
}

void write_head(Parameters& store, Numbers w, const Numbers& scales) {
  for (std::size_t i = 0; i < w.size(); ++i) w[i] *= scales[i % scales.size()];
  set_numbers(store, head + std::string(".weight"), w);
}

}  // namespace

std::string inflatable(const std::function<bool(const std::string&)>& holds) {
  if (holds("conv1.conv.weight") && holds("inception5b.branch4.1.conv.weight")) return "googlenet-bn";
  return holds("conv1/7x7_s2.weight") && holds("inception_5b/pool_proj.weight") ? "googlenet" : "";
}

void inflate(Parameters& i3d, const Parameters& googlenet, const std::string& model, const PictureMoments& seen) {
  check(Exit::usage, model == "googlenet-bn" || model == "googlenet", "inflate: {} is no GoogLeNet", model);
  const bool norm = model == "googlenet-bn";
  const std::string source = norm ? "fc" : "loss3/classifier";
  const Numbers classifier = numbers_of(googlenet, source + ".weight"), bias = numbers_of(googlenet, source + ".bias");
  const i64 classes = i3d.find(head + std::string(".bias"))->value.count();
  check(Exit::usage, classes == static_cast<i64>(bias.size()), "inflate: a head of {} classes into one of {}",
        bias.size(), classes);
  const auto unit = [&](std::size_t index, const Numbers& in) {
    const I3dUnit& names = i3d_units[index];
    const std::string name(names.name);
    ScaledUnit u =
        norm ? normalised(googlenet, std::string(names.googlenet_bn)) : biased(googlenet, std::string(names.googlenet));
    if (!norm && index == 0) take_normalised_input(u);
    if (!norm && !seen.units.empty()) take_moments(u, seen.units.at(std::string(names.googlenet)));
    if (u.shape[1] == 5) take_3x3(u);
    scale_inputs(u, in);
    Numbers out = without_gamma(u);
    if (const auto kept = seen.kept.find(std::string(names.googlenet)); kept != seen.kept.end())
      for (std::size_t o = 0; o < out.size(); ++o) out[o] *= kept->second[o];
    set_numbers(i3d, name + ".conv.weight", deepened(u, i3d.find(name + ".conv.weight")->value.shape()));
    write_norm(i3d, name, u);
    return out;
  };
  write_head(i3d, classifier, along_units(unit, {1, 1, 1}));
  set_numbers(i3d, head + std::string(".bias"), bias);
}

// With statistics m, s² in place of mean, var: (z − mean)/σ + β = γ'·(z − m)/s + β', γ' = s/σ, β' = (m − mean)/σ + β.
void recalibrate(Parameters& i3d, const std::map<std::string, Moments>& measured) {
  const auto unit = [&](std::size_t index, const Numbers& in) {
    const std::string name(i3d_units[index].name);
    const auto of = [&](const char* leaf) { return numbers_of(i3d, name + leaf); };
    const auto found = measured.find(name);
    check(found != measured.end(), "recalibrate: nothing was measured of {}", name);
    const Moments& m = found->second;
    ScaledUnit u{{}, of(".conv.weight"), m.var, of(".bn.bias"), of(".bn.running_mean"), of(".bn.running_var")};
    check(m.mean.size() == u.beta.size() && m.var.size() == u.beta.size(),
          "recalibrate: {} moments for {} channels of {}", m.mean.size(), u.beta.size(), name);
    for (std::size_t o = 0; o < u.beta.size(); ++o) {
      const float sigma = std::sqrt(u.var[o] + epsilon);
      u.gamma[o] = std::sqrt(m.var[o] + epsilon) / sigma;
      u.beta[o] += (m.mean[o] - u.mean[o]) / sigma;
    }
    u.mean = m.mean;
    u.var = m.var;
    scale_inputs(u, in);
    const Numbers out = without_gamma(u);
    set_numbers(i3d, name + ".conv.weight", u.w);
    write_norm(i3d, name, u);
    return out;
  };
  const i64 channels = i3d.find("Conv3d_1a_7x7.conv.weight")->value.shape().channels();
  const Numbers scales = along_units(unit, Numbers(static_cast<std::size_t>(channels), 1));
  write_head(i3d, numbers_of(i3d, head + std::string(".weight")), scales);
}

void set_statistics(Parameters& i3d, const std::map<std::string, Moments>& measured) {
  for (const I3dUnit& unit : i3d_units) {
    const std::string name(unit.name);
    const auto found = measured.find(name);
    check(found != measured.end(), "statistics: nothing was measured of {}", name);
    set_numbers(i3d, name + ".bn.running_mean", found->second.mean);
    set_numbers(i3d, name + ".bn.running_var", found->second.var);
  }
}

}  // namespace dactyl

// A recipe names an algorithm of kernels/ and the numbers it is called with.
#include "train/data/flow_recipe.h"

#include <charconv>
#include <sstream>

#include "kernels/flow_farneback.h"
#include "train/data/csv.h"
#include "weights/text.h"

namespace dactyl {
namespace {

bool is_tvl1(const FlowRecipe& r) { return r.algorithm == "tvl1" || r.algorithm == "tvl1-cpu"; }
Tvl1Options tvl1_of(const FlowRecipe& r) { return r.algorithm == "tvl1" ? Tvl1Options{} : tvl1_cpu(); }
FarnebackOptions farneback_of(const FlowRecipe& r) {
  return r.algorithm == "farneback" ? FarnebackOptions{} : farneback_of_sample();
}

// " name=value", numbers with every digit.
struct Text {
  std::string text;
  template <class T>
  Text& with(const char* name, T value) {
    text += std::string(" ") + name + "=";
    if constexpr (std::is_floating_point_v<T>)
      text += exact_text(value);
    else
      text += std::to_string(static_cast<int>(value));
    return *this;
  }
};

std::string numbers(const Tvl1Options& o) {
  return Text{}
      .with("tau", o.tau)
      .with("lambda", o.lambda)
      .with("theta", o.theta)
      .with("scales", o.scales)
      .with("scale_step", o.scale_step)
      .with("warps", o.warps)
      .with("epsilon", o.epsilon)
      .with("iterations", o.iterations)
      .with("rounds", o.rounds)
      .with("median", o.median)
      .with("cubic", o.cubic)
      .with("subpixel", o.subpixel)
      .with("zero_outside", o.zero_outside)
      .with("half_pixel", o.half_pixel)
      .text;
}

std::string numbers(const FarnebackOptions& o) {
  return Text{}
      .with("scale", o.scale)
      .with("levels", o.levels)
      .with("window", o.window)
      .with("iterations", o.iterations)
      .with("poly_n", o.poly_n)
      .with("poly_sigma", o.poly_sigma)
      .with("gaussian", o.gaussian)
      .text;
}

template <class T>
bool take(const std::string& text, const std::string& name, T& value) {
  const std::size_t at = text.find(" " + name + "=");
  if (at == text.npos) return false;
  const char* begin = text.data() + at + name.size() + 2;
  return std::from_chars(begin, text.data() + text.size(), value).ec == std::errc();
}

}  // namespace

std::string to_text(const FlowRecipe& r) {
  const bool known = is_tvl1(r) || r.algorithm == "farneback" || r.algorithm == "farneback-sample";
  check(Exit::usage, known, "flow algorithm '{}': expected tvl1, tvl1-cpu, farneback or farneback-sample", r.algorithm);
  check(Exit::usage, r.side >= 16 && r.side <= 4096, "flow of frames with a short side of {}: expected 16 to 4096",
        r.side);
  check(Exit::usage, r.bound > 0 && r.bound <= 1000, "flow cut off at {} pixels: expected up to 1000", r.bound);
  std::string text = r.algorithm + Text{}.with("side", r.side).text + " resize=antialias grey=bt601 to=next";
  text += Text{}.with("bound", r.bound).text;
  return text + (is_tvl1(r) ? numbers(tvl1_of(r)) : numbers(farneback_of(r)));
}

FlowRecipe flow_recipe(const std::string& text) {
  FlowRecipe r{.algorithm = text.substr(0, text.find(' '))};
  const bool complete = take(text, "side", r.side) && take(text, "bound", r.bound);
  std::string again;
  try {
    if (complete) again = to_text(r);
  } catch (const Error&) {
  }
  check(Exit::model_file, complete && again == text, "flow was computed as '{}', this version {}", shown(text),
        again.empty() ? "knows no such thing" : "would compute '" + again + "'");
  return r;
}

std::string difference(const std::string& text, const std::string& other) {
  std::string words;
  std::istringstream all(text);
  for (std::string word; all >> word;)
    if ((" " + other + " ").find(" " + word + " ") == std::string::npos) words += (words.empty() ? "" : " ") + word;
  constexpr std::size_t most = 1000;  // of a text that is no recipe
  return words.size() > most ? shown(words.substr(0, most)) + " …" : words;
}

Tensor compute_flow(const FlowRecipe& r, const Tensor& from, const Tensor& to) {
  return is_tvl1(r) ? flow_tvl1(from, to, tvl1_of(r)) : flow_farneback(from, to, farneback_of(r));
}

FlowEncoding flow_encoding(const std::string& text) {
  if (text == "uv") return FlowEncoding::uv;
  if (text == "uv0") return FlowEncoding::uv0;
  check(Exit::usage, text == "hsv", "flow encoding {}: expected uv, uv0 or hsv", shown(text));
  return FlowEncoding::hsv;
}

}  // namespace dactyl

// A named sequence of layers that follows the shape of one sample and shows every intermediate result to the tap.
#pragma once

#include <optional>

#include "nets/inception.h"
#include "nets/layers.h"

namespace dactyl {

class Stack {
 public:
  Stack(Scope at, Shape sample, Style style) : at_(at), shape_(sample), style_(style) {}

  const Shape& shape() const { return shape_; }  // (1, spatial…, channels) after the last layer
  Style& style() { return style_; }              // of the layers added from here on
  Scope scope() const { return at_; }

  void conv(const std::string& name, i64 out, Kernel kernel, i64 groups = 1);
  void depthwise(const std::string& name, Kernel kernel);  // each channel by itself
  void max_pool(const std::string& name, Kernel kernel, Rounding rounding = Rounding::ceil);
  void mean_pool(const std::string& name, Kernel kernel, Rounding rounding = Rounding::ceil);
  void adaptive_mean(const std::string& name, i64 size);  // nothing is done where the input has this size already
  void global_mean(const std::string& name);
  void lrn(const std::string& name);
  void inception(const InceptionRow& row, const InceptionStyle& style);
  void linear(const std::string& name, i64 out, bool relu);
  void lstm(const std::string& name, i64 units);  // over (N, T, F), the last state
  void dropout(const std::string& name, double drop);
  // A side classifier on the current result, run in training only; its loss counts with this weight.
  void side(const std::string& name, double weight, Stack branch);

  Tensor operator()(const Tensor& x, Pass& pass) const;
  // The layers after the named one, from its result; rows (N, F) of such results do as well.
  Tensor run_from(const std::string& name, const Tensor& x, Pass& pass) const;
  std::vector<std::string> names() const;
  const std::map<std::string, std::string>& kinds() const { return kinds_; }

 private:
  struct Step {
    std::string name;
    Layer layer;
    Shape shape;                        // of one sample's result, (1, spatial…, channels)
    bool seen;                          // the layer shows its result to the tap itself
    std::optional<ConvUnit> unit = {};  // what it is, where a layer behind it may be taken with it
    std::optional<Pooling> pool = {};
    bool lrn = false;
  };
  void add(const std::string& name, const std::string& kind, Shape shape, Layer layer, bool seen = false);
  Tensor run(std::size_t first, Tensor x, Pass& pass) const;
  bool pools_next(std::size_t i, const Pass& pass) const;   // whether layer i takes the pool behind it with it
  bool leaves_relu(std::size_t i, const Pass& pass) const;  // whether it leaves its relu to the LRN behind it
  Tensor computed(std::size_t first, std::size_t i, const Tensor& x, Pass& pass) const;

  Scope at_;
  Shape shape_;
  Style style_;
  std::vector<Step> steps_;
  std::map<std::string, std::string> kinds_;
};

}  // namespace dactyl

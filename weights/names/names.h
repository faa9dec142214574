// What foreign files call our parameters, and how they store them.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "weights/reorder.h"

namespace dactyl {

enum class Channels { rgb, bgr };

// One tensor whose name or order differs from ours, in files that otherwise keep our names.
struct NameRow {
  std::string_view name;           // here
  std::string_view source;         // in the file
  i64 flattened = 0;               // a linear layer after a flatten of (C, H, W): its C; 0: any other layer
  Channels input = Channels::rgb;  // of a first convolution
};

// A file's way of naming what belongs to a unit: the unit's name there, before it `prefix`, behind it one of these.
struct Dialect {
  std::string_view prefix;
  std::string_view weight, bias, gamma, beta, mean, variance;
  Axes axes = Axes::outputs_first;
  std::string_view depthwise = weight;  // the weight of a unit that convolves each channel by itself
};

// Where a parameter of ours lies in a file, and how.
struct Source {
  std::string name;
  Axes axes = Axes::outputs_first;
  i64 flattened = 0;
  Channels input = Channels::rgb;
};
using Sources = std::function<Source(const std::string& parameter)>;

// For a foreign file that `holds` certain names: of several dialects the one whose names are there. A usage error
// listing the known models for any other name.
Sources sources_of(const std::string& model, const std::function<bool(const std::string&)>& holds);

}  // namespace dactyl

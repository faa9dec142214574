// What foreign files call our parameters, and how they store them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/check.h"

namespace dactyl {

enum class Channels { rgb, bgr };

// One tensor whose name or order differs from ours. Every other tensor keeps its name; weights of rank 3 and more are
// always brought from (O, I, …) to (O, …, I).
struct NameRow {
  std::string_view name;           // here
  std::string_view source;         // in the file
  i64 flattened = 0;               // a linear layer after a flatten of (C, H, W): its C; 0: any other layer
  Channels input = Channels::rgb;  // of a first convolution
};

// The rows of a model; a usage error listing the known models for any other name.
std::span<const NameRow> name_rows(const std::string& model);
// The row of a parameter; {parameter, parameter} when the table has none.
NameRow row_of(std::span<const NameRow> rows, std::string_view parameter);

}  // namespace dactyl

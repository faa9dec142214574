// A cuDNN engine with its settings as text, "engine 47, 12=3 19=1", there and back. Internal to the kernels.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/check.h"

namespace dactyl {

struct EngineName {
  i64 engine = 0;
  std::vector<std::pair<int, i64>> knobs;  // type of the knob (cuDNN's number for it), value
  bool operator==(const EngineName&) const = default;
};

std::string to_text(const EngineName&);
std::optional<EngineName> read_engine_name(const std::string& text);  // nothing if it is not exactly such a text

}  // namespace dactyl

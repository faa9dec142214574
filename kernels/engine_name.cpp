#include "kernels/engine_name.h"

#include <sstream>

namespace dactyl {

std::string to_text(const EngineName& name) {
  std::string text = "engine " + to_text(name.engine) + ",";
  for (const auto& [type, value] : name.knobs) text += " " + to_text(type) + "=" + to_text(value);
  return text;
}

std::optional<EngineName> read_engine_name(const std::string& text) {
  std::istringstream words(text);
  std::string word;
  char comma = 0, equals = 0;
  EngineName name;
  if (!(words >> word >> name.engine >> comma) || word != "engine" || comma != ',') return std::nullopt;
  for (std::pair<int, i64> knob; words >> knob.first >> equals >> knob.second;) name.knobs.push_back(knob);
  return to_text(name) == text ? std::optional(name) : std::nullopt;
}

}  // namespace dactyl

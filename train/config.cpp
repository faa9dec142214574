// TrainOptions as TOML: one key per option of the command line.
#include <toml++/toml.h>

#include <nlohmann/json.hpp>

#include "train/settings.h"
#include "weights/checkpoint.h"

namespace dactyl {
namespace {

std::string text_of(const toml::node& node, const std::string& where) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return exact_text(number->get());
  const auto* flag = node.as_boolean();
  check(Exit::usage, flag != nullptr, "{}: expected a text, a number, true or false, or an array of them", where);
  return flag->get() ? "on" : "off";
}

std::vector<std::string> texts_of(const toml::node& node, const std::string& where) {
  const auto* list = node.as_array();
  if (!list) return {text_of(node, where)};
  std::vector<std::string> texts;
  for (const toml::node& entry : *list) texts.push_back(text_of(entry, where));
  return texts;
}

toml::table parsed(const std::string& path) {
  try {
    return toml::parse_file(path);
  } catch (const toml::parse_error& e) {
    fail(Exit::usage, "{}: line {}: {}",
         {path, to_text(static_cast<i64>(e.source().begin.line)), std::string(e.description())});
  }
}

// A value as TOML writes it; its texts and lists of texts are written like JSON's.
std::string value_text(const Setting& setting, const std::vector<std::string>& values) {
  if (setting.kind == Setting::Kind::number) return values.front();
  using Json = nlohmann::json;
  const Json json = setting.kind == Setting::Kind::list ? Json(values) : Json(values.front());
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

TrainOptions read_config(const std::string& path) {
  TrainOptions options;
  const toml::table table = parsed(path);
  std::size_t known = 0;
  for (const Setting& setting : train_settings()) {
    const toml::node* node = table.get(setting.name);
    if (!node) continue;
    const std::vector<std::string> texts = texts_of(*node, path + ": " + setting.name);
    if (!texts.empty()) setting.set(options, texts);
    ++known;
  }
  check(Exit::usage, known == table.size(), "{}: {} of its {} keys are no options of dactyl train", path,
        table.size() - known, table.size());
  return options;
}

void write_config(const std::string& path, const TrainOptions& options) {
  std::string text = "# The options of this run, resolved; dactyl train --config takes them.\n";
  for (const Setting& setting : train_settings()) {
    const std::vector<std::string> values = setting.get(options);
    if (values.empty() || values.front().empty()) continue;  // absent is how "none" is said
    text += setting.name + " = " + value_text(setting, values) + "\n";
  }
  write_atomically(path, text);
}

}  // namespace dactyl

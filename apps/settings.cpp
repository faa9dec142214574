// Settings from files and from --set, turned into ordinary options.
#include <toml++/toml.h>
#include <algorithm>

#include "apps/cli.h"

namespace dactyl {
namespace {

struct Given {
  std::string key, value;
};

std::string option_name(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return "--" + key;
}

std::string text_of(const toml::node& node, const std::string& where) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return CLI::detail::to_string(number->get());
  const auto* flag = node.as_boolean();
  check(Exit::usage, flag != nullptr, "{}: expected a text, a number, true or false, or an array of them", where);
  return flag->get() ? "true" : "false";
}

using Words = std::vector<std::string>;

bool among(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Where more settings come from cannot be a setting: main takes these two off the command line itself.
void check_key(const std::string& key, const std::string& where) {
  check(Exit::usage, key != "config" && key != "set", "{}: --{} is for the command line alone", where, key);
}

// `verbs`: the verb that is called, and below bench, data, models and profile what follows it. Empty inside a verb's
// table.
void read_table(const toml::table& table, const std::string& file, const Words& verbs, std::vector<Given>& settings) {
  static const Words known{"bench",   "check",   "data",  "doctor", "eval", "layer", "model", "models", "op",
                           "predict", "profile", "repro", "roofs",  "scan", "show",  "split", "synth",  "train"};
  for (const auto& [key, node] : table) {
    const std::string name(key.str()), where = file + ": " + name;
    check_key(name, where);
    if (const auto* inner = node.as_table()) {
      check(Exit::usage, !verbs.empty(), "{}: a table inside a table has no meaning here", where);
      check(Exit::usage, among(known, name), "{}: a table holds one verb's settings, and no verb is called that",
            where);
      if (among(verbs, name)) read_table(*inner, file, {}, settings);
    } else if (const auto* list = node.as_array()) {
      for (const toml::node& entry : *list) settings.push_back({option_name(name), text_of(entry, where)});
    } else {
      settings.push_back({option_name(name), text_of(node, where)});
    }
  }
}

std::vector<Given> read_settings(const std::string& file, const Words& verbs) {
  std::vector<Given> settings;
  const std::string text = text_file(file, Exit::usage);
  try {
    read_table(toml::parse(text, file), file, verbs, settings);
  } catch (const toml::parse_error& e) {
    check(Exit::usage, false, "--config {}: line {}: {}", file, static_cast<i64>(e.source().begin.line),
          std::string(e.description()));
  }
  return settings;
}

// The value of an option that is being taken off the command line, given as `--name value` or `--name=value`.
bool take_value(const std::vector<std::string>& arguments, std::size_t& at, const std::string& name,
                std::string& value) {
  const std::string& word = arguments[at];
  if (word.rfind(name + "=", 0) == 0) {
    value = word.substr(name.size() + 1);
    return true;
  }
  if (word != name) return false;
  check(Exit::usage, at + 1 < arguments.size(), "{}: its value is missing", name);
  value = arguments[++at];
  return true;
}

bool given(const std::vector<std::string>& words, const std::string& option) {
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& w) { return w == option || w.rfind(option + "=", 0) == 0; });
}

// Settings whose option is not among the words yet.
void append_new(std::vector<std::string>& words, const std::vector<Given>& settings) {
  const std::vector<std::string> before = words;
  for (const Given& s : settings)
    if (!given(before, s.key)) words.push_back(s.key + "=" + s.value);
}

}  // namespace

std::vector<std::string> with_settings(const std::vector<std::string>& arguments) {
  std::vector<std::string> words, files;
  std::vector<Given> sets;
  for (std::size_t at = 0; at < arguments.size(); ++at) {
    std::string value;
    if (take_value(arguments, at, "--config", value)) {
      files.push_back(value);
    } else if (take_value(arguments, at, "--set", value)) {
      const std::size_t equals = value.find('=');
      check(Exit::usage, equals != 0 && equals != value.npos, "--set {}: expected key=value", value);
      check_key(value.substr(0, equals), "--set " + value);
      sets.push_back({option_name(value.substr(0, equals)), value.substr(equals + 1)});
    } else {
      words.push_back(arguments[at]);
    }
  }
  Words verbs(words.begin(), words.begin() + std::min<std::ptrdiff_t>(2, std::ssize(words)));
  const bool below = among({"bench", "data", "models", "profile"}, verbs.empty() ? "" : verbs[0]);
  if (verbs.size() == 2 && !below) verbs.pop_back();
  if (verbs.empty()) verbs.push_back("");
  append_new(words, sets);
  for (auto file = files.rbegin(); file != files.rend(); ++file) append_new(words, read_settings(*file, verbs));
  return words;
}

}  // namespace dactyl

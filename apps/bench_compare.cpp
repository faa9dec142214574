// dactyl bench compare: whether one file of figures is slower than another.
#include <iostream>
#include <map>

#include "apps/bench.h"

namespace dactyl {
namespace {

struct Figures {
  std::string path;
  std::vector<std::pair<std::string, std::vector<double>>> rows;  // by what they are of
  std::map<std::string, std::string> machine;                     // of the first row

  const std::vector<double>* of(const std::string& key) const {
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.first == key; });
    return row == rows.end() ? nullptr : &row->second;
  }
};

void say(const std::string& text) { std::cerr << text << '\n'; }

std::vector<double> times_of(const Json& row, const std::string& where) {
  const bool good = row.is_object() && row.contains("key") && row["key"].is_string() && row.contains("ms") &&
                    row["ms"].is_array() && !row["ms"].empty();
  check(Exit::data, good, "{} is no figure of dactyl bench --json", where);
  std::vector<double> ms;
  for (const Json& t : row["ms"]) {
    check(Exit::data, t.is_number() && t.get<double>() > 1e-12 && t.get<double>() < 1e12,
          "{}: ms holds what is no time", where);
    ms.push_back(t.get<double>());
  }
  return ms;
}

std::map<std::string, std::string> machine_of(const Json& row) {
  std::map<std::string, std::string> machine;
  for (const char* what : {"device", "cores", "threads", "libraries"})
    if (row.contains(what)) machine[what] = row[what].dump(-1, ' ', false, Json::error_handler_t::replace);
  return machine;
}

// A line of JSON each. What bench could not time is left out and said.
Figures read_figures(const std::string& path) {
  Figures all{path, {}, {}};
  i64 number = 0;
  for (const std::string& line : read_lines(path)) {
    ++number;
    if (line.empty()) continue;
    const std::string where = path + ": line " + to_text(number);
    const Json row = Json::parse(line, nullptr, false);
    if (row.is_object() && row.contains("not") && row.contains("key")) {
      say(where + ": was not timed");
      continue;
    }
    std::vector<double> ms = times_of(row, where);
    const std::string key = row["key"].get<std::string>();
    check(Exit::data, !all.of(key), "{}: there is a figure of '{}' already; one of each is compared", where,
          one_line(key));
    if (all.rows.empty()) all.machine = machine_of(row);
    all.rows.emplace_back(key, std::move(ms));
  }
  return all;
}

// What makes times differ whatever was changed.
void say_machines(const Figures& a, const Figures& b) {
  for (const auto& [what, value] : a.machine)
    if (const auto other = b.machine.find(what); other != b.machine.end() && other->second != value)
      say("other " + what + ": " + one_line(value) + " in " + a.path + ", " + one_line(other->second) + " in " +
          b.path);
}

Json compared(const std::string& key, const std::vector<double>& a, const std::vector<double>& b) {
  constexpr std::size_t enough = 5;  // of fewer the bootstrap knows no spread: of one it would be nothing
  const Ratio r = ratio_of_medians(a, b);
  return {{"key", key},
          {"a_ms", spread(a).median},
          {"b_ms", spread(b).median},
          {"ratio", r.value},
          {"interval", {r.low, r.high}},
          {"verdict", std::min(a.size(), b.size()) < enough ? "too few runs to tell"
                      : r.slower()                          ? "slower"
                      : r.faster()                          ? "faster"
                                                            : "equal"}};
}

std::string text_of(const Json& r) {
  const double before = r["a_ms"].get<double>(), after = r["b_ms"].get<double>();
  const int digits = std::min(before, after) < 0.1 ? 6 : 4;
  return one_line(r["key"].get<std::string>()) + ": " + fixed(before, digits) + " -> " + fixed(after, digits) +
         " ms, ratio " + fixed(r["ratio"].get<double>(), 3) + " (" + fixed(r["interval"][0].get<double>(), 3) + " to " +
         fixed(r["interval"][1].get<double>(), 3) + "), " + r["verdict"].get<std::string>();
}

void compare(const std::string& before, const std::string& after, bool json) {
  const Figures a = read_figures(before), b = read_figures(after);
  say_machines(a, b);
  Json rows = Json::array();
  i64 slower = 0;
  for (const auto& [key, ms] : a.rows)
    if (!b.of(key)) say("not in " + after + ": " + one_line(key));
  for (const auto& [key, ms] : b.rows) {
    const std::vector<double>* same = a.of(key);
    if (!same) {
      say("not in " + before + ": " + one_line(key));
      continue;
    }
    rows.push_back(compared(key, *same, ms));
    slower += rows.back()["verdict"] == "slower";
  }
  check(Exit::data, !rows.empty(), "{} and {} have no figure in common", before, after);
  if (json) print_json(rows);
  for (const Json& r : rows)
    if (!json) std::cout << text_of(r) << '\n';
  check(Exit::check, slower == 0, "bench compare: {} of {} figures are slower in {}", slower, rows.size(), after);
}

}  // namespace

void add_bench_compare(CLI::App& bench_verb) {
  auto files = std::make_shared<std::pair<std::string, std::string>>();
  auto json = std::make_shared<bool>(false);
  CLI::App* verb =
      add_verb(bench_verb, "compare", "B's time over A's with a 95 % interval; exit 5 if one is slower beyond it",
               "  dactyl bench compare before.json after.json\n"
               "  dactyl bench compare before.json after.json --json");
  verb->add_option("A", files->first, "figures of dactyl bench --json, a line each")->required();
  verb->add_option("B", files->second, "others of the same work")->required();
  verb->add_flag("--json", *json, "JSON to stdout");
  verb->callback([files, json] { compare(files->first, files->second, *json); });
}

}  // namespace dactyl

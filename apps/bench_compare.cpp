// dactyl bench compare: whether one file of figures is slower than another.
#include <iostream>
#include <sstream>

#include "apps/bench.h"

namespace dactyl {
namespace {

// Figures by what they are of, from a line of JSON each.
std::vector<std::pair<std::string, std::vector<double>>> figures(const std::string& path) {
  std::vector<std::pair<std::string, std::vector<double>>> all;
  i64 number = 0;
  for (const std::string& line : read_lines(path)) {
    ++number;
    if (line.empty()) continue;
    const Json row = Json::parse(line, nullptr, false);
    const bool good = row.is_object() && row.contains("key") && row["key"].is_string() && row.contains("ms") &&
                      row["ms"].is_array() && !row["ms"].empty();
    check(Exit::data, good, "{}: line {} is no figure of dactyl bench --json", path, number);
    std::vector<double> ms;
    for (const Json& t : row["ms"]) {
      check(Exit::data, t.is_number() && t.get<double>() > 0, "{}: line {}: ms holds what is no time", path, number);
      ms.push_back(t.get<double>());
    }
    all.emplace_back(row["key"].get<std::string>(), std::move(ms));
  }
  return all;
}

Json compared(const std::string& key, const std::vector<double>& a, const std::vector<double>& b) {
  const Ratio r = ratio_of_medians(a, b);
  return {{"key", key},
          {"a_ms", spread(a).median},
          {"b_ms", spread(b).median},
          {"ratio", r.value},
          {"interval", {r.low, r.high}},
          {"verdict", r.slower()   ? "slower"
                      : r.faster() ? "faster"
                                   : "equal"}};
}

void compare(const std::string& before, const std::string& after, bool json) {
  const auto a = figures(before), b = figures(after);
  Json rows = Json::array();
  i64 slower = 0;
  for (const auto& [key, ms] : b) {
    const auto same =
        std::find_if(a.begin(), a.end(), [&, &name = key](const auto& other) { return other.first == name; });
    if (same == a.end()) {
      std::cerr << "not in " << before << ": " << one_line(key) << '\n';
      continue;
    }
    rows.push_back(compared(key, same->second, ms));
    slower += rows.back()["verdict"] == "slower";
  }
  check(Exit::data, !rows.empty(), "{} and {} have no figure in common", before, after);
  if (json) print_json(rows);
  for (const Json& r : rows)
    if (!json)
      std::cout << one_line(r["key"].get<std::string>()) << ": " << fixed(r["a_ms"].get<double>(), 4) << " -> "
                << fixed(r["b_ms"].get<double>(), 4) << " ms, ratio " << fixed(r["ratio"].get<double>(), 3) << " ("
                << fixed(r["interval"][0].get<double>(), 3) << " to " << fixed(r["interval"][1].get<double>(), 3)
                << "), " << r["verdict"].get<std::string>() << '\n';
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

// One layer by each implementation: the figures of a pass, a row each.
#include <iostream>
#include <map>

#include "apps/bench.h"

namespace dactyl {
namespace {

std::vector<Algorithm> algorithms(const std::string& name) {
  if (name == "all") return {Algorithm::automatic, Algorithm::library, Algorithm::reference};
  return {name == "reference" ? Algorithm::reference : name == "library" ? Algorithm::library : Algorithm::automatic};
}

// Of each precision, measured once.
const Roofs& roofs_of(const Descriptor& d) {
  static std::map<std::pair<DType, Math>, Roofs> known;
  const auto found = known.find({d.dtype, d.math});
  return found != known.end() ? found->second
                              : known.emplace(std::pair{d.dtype, d.math}, measure_roofs(d.dtype)).first->second;
}

// What an implementation cannot do is said in its row, where others are asked too.
Json measured(const Descriptor& d, LayerPass pass, Algorithm algorithm, const LayerOptions& o, const Roofs& roofs) {
  Json row{{"key", to_text(d) + " " + to_text(pass) + " " + to_text(algorithm)},
           {"descriptor", to_text(d)},
           {"pass", to_text(pass)},
           {"impl", to_text(algorithm)}};
  try {
    const std::vector<double> ms = time_layer(d, pass, algorithm, o.timing);
    const double seconds = spread(ms).median * 1e-3, flops = layer_flops(d, pass), bytes = layer_bytes(d, pass);
    row.update(times_json(ms));
    row["flops"] = flops;
    row["bytes"] = bytes;
    row["roof_percent"] = 100 * roofs.bound(flops, bytes) / seconds;
    row["matrix_roof_flops_per_s"] = roofs.flops_per_s;
    if (o.check && algorithm != Algorithm::reference) row["error"] = layer_error(d, pass, algorithm);
  } catch (const Error& error) {
    const bool others = o.impl == "all" && error.exit() != Exit::memory;
    if (error.exit() == Exit::device_lost || (o.from.empty() && !others)) throw;
    row["not"] = error.what();
  }
  return row;
}

void print(const Json& row) {
  std::string name = row["impl"].get<std::string>();
  name += std::string(12 - name.size(), ' ');
  if (row.contains("not")) {
    std::cout << name << "not: " << one_line(row["not"].get<std::string>()) << '\n';
    return;
  }
  const double seconds = row["median_ms"].get<double>() * 1e-3;
  std::cout << name << spread_text(row["ms"].get<std::vector<double>>());
  if (row["flops"] > 0) std::cout << "  " << fixed(row["flops"].get<double>() / seconds * 1e-12, 3) << " TFLOP/s";
  std::cout << "  " << fixed(row["bytes"].get<double>() / seconds * 1e-9, 1) << " GB/s  "
            << fixed(row["roof_percent"].get<double>(), 1) << " % of roof";
  if (row.contains("error")) std::cout << "  error " << to_text(row["error"].get<double>());
  if (row.contains("way")) std::cout << "  " << row["way"].get<std::string>();
  std::cout << '\n';
}

void print(const std::vector<TriedWay>& ways) {
  std::string problem;
  for (const TriedWay& w : ways) {
    if (w.problem != problem) std::cout << "  " << (problem = w.problem) << '\n';
    std::cout << "    " << fixed(w.seconds * 1e3, 4) << " ms  " << w.way << '\n';
  }
}

Json json_of(const std::vector<TriedWay>& ways) {
  Json list = Json::array();
  for (const TriedWay& w : ways) list.push_back({{"problem", w.problem}, {"way", w.way}, {"ms", w.seconds * 1e3}});
  return list;
}

}  // namespace

void bench_layer(const Descriptor& d, LayerPass pass, const LayerOptions& o) {
  Context::current().math = d.math;
  const Roofs& roofs = roofs_of(d);
  if (!o.json) std::cout << to_text(d) << ", " << to_text(pass) << '\n';
  const WaysTried tried(o.impl == "all");
  for (const Algorithm algorithm : algorithms(o.impl)) {
    const WaysTaken taken;
    Json row = measured(d, pass, algorithm, o, roofs);
    if (algorithm == Algorithm::automatic && !taken.of(pass).empty()) row["way"] = taken.of(pass);
    if (!o.json) print(row);
    if (!o.json && algorithm == Algorithm::automatic) print(tried.ways());
    if (!tried.ways().empty() && algorithm == Algorithm::automatic) row["ways"] = json_of(tried.ways());
    row.update(machine_json(o.place));
    if (o.json) print_json(row);
    std::cout.flush();  // who asks line by line waits for it
  }
}

}  // namespace dactyl

// dactyl profile: where a step's time goes, operation by operation.
#include <iostream>
#include <map>

#include "apps/bench.h"

namespace dactyl {
namespace {

struct Row {
  i64 calls = 0;
  double ms = 0;
};

// By operation, or by layer and operation.
std::vector<std::pair<std::string, Row>> summed(const std::vector<OperationTimes>& all, bool by_layer) {
  std::map<std::string, Row> rows;
  for (const OperationTimes& one : all) {
    const Operation& o = one.operation;
    Row& row = rows[(by_layer && !o.layer.empty() ? o.layer + " " : "") + o.name + (o.backward ? " backward" : "")];
    ++row.calls;
    row.ms += spread(one.ms).median;
  }
  std::vector<std::pair<std::string, Row>> list(rows.begin(), rows.end());
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.second.ms > b.second.ms; });
  return list;
}

void profile(const BenchModelOptions& o, bool by_layer) {
  const auto use = enter(o.place);
  ModelWork work(work_of(o));
  const std::vector<OperationTimes> all = measure_operations([&] { work(); }, o.timing);
  double total = 0;
  for (const OperationTimes& one : all) total += spread(one.ms).median;
  Json rows = Json::array();
  for (const auto& [name, row] : summed(all, by_layer))
    rows.push_back({{"name", name}, {"calls", row.calls}, {"ms", row.ms}, {"share", total > 0 ? row.ms / total : 0}});
  if (o.json) {
    Json result{{"model", o.model},      {"training", o.work.train},
                {"batch", o.work.batch}, {"precision", o.place.precision},
                {"total_ms", total},     {"operations", rows}};
    result.update(machine_json(o.place));
    return print_json(result);
  }
  std::cout << "calls          ms   share   operation\n";
  const auto right = [](const std::string& text, std::size_t width) {
    return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
  };
  for (const Json& row : rows)
    std::cout << right(row["calls"].dump(), 5) << right(fixed(row["ms"].get<double>(), 4), 12)
              << right(fixed(100 * row["share"].get<double>(), 1), 6) << " %   " << row["name"].get<std::string>()
              << '\n';
  std::cout << right(to_text(all.size()), 5) << right(fixed(total, 4), 12) << "           all\n";
}

}  // namespace

void add_profile(CLI::App& program) {
  auto o = std::make_shared<BenchModelOptions>();
  auto by_layer = std::make_shared<bool>(false);
  CLI::App* verb =
      add_verb(program, "profile", "where a step's time goes, operation by operation",
               "  dactyl profile model googlenet --batch 8\n"
               "  dactyl profile model i3d --frames 20 --batch 8 --train --precision bf16 --by-layer --json");
  CLI::App* model = verb->add_subcommand("model", "calls, time and share of every operation of a pass on random data");
  add_bench_net(*model, *o);
  model->add_flag("--by-layer", *by_layer, "a row for each layer's operations");
  verb->require_subcommand(1);
  model->callback([o, by_layer] {
    Progress::silence(o->json);
    o->timing.graph = o->graph == "on";
    profile(*o, *by_layer);
  });
}

}  // namespace dactyl

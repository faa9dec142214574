// dactyl bench ladder: three operations of I3D from a naive kernel to a fast one, rung by rung.
#include <iostream>

#include "apps/bench.h"

namespace dactyl {
namespace {

struct LadderOptions {
  std::string name, out = "ladder";
  Place place{.device = "cuda", .precision = "bf16"};
  TimingOptions timing{.seconds = 0.3};
  i64 batch = 0;
  bool json = false;
};

// A text in a column of so many characters.
std::string column(const std::string& text, std::size_t width) {
  const auto characters = static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  return text + std::string(characters < width ? width - characters : 1, ' ');
}
std::string right(const std::string& text, std::size_t width) {
  return std::string(text.size() < width ? width - text.size() : 1, ' ') + text;
}

// What a library cannot do is said in its row; a rung must.
Json checked(const std::string& name, const Ladder& ladder, const ladder::Rung& rung) {
  const std::string layer = to_text(ladder.layer());
  Json row{{"key", "ladder " + rung.name + " " + layer},
           {"ladder", name},
           {"layer", layer},
           {"rung", rung.name},
           {"change", rung.change},
           {"other", rung.other}};
  if (rung.predicted > 0) row["predicted"] = rung.predicted;
  try {
    row["error"] = ladder.error(rung);
  } catch (const Error& error) {
    if (!rung.other || error.exit() == Exit::device_lost || error.exit() == Exit::memory) throw;
    row["not"] = error.what();
  }
  return row;
}

// `before`: the median of the rung below in ms, or 0.
void time_rung(const Ladder& ladder, const ladder::Rung& rung, const Roofs& roofs, double before,
               const TimingOptions& timing, Json& row) {
  CacheSweep sweep;
  const std::vector<double> ms = work_ms(measure_operations(
                                             [&] {
                                               sweep();
                                               trace_done("sweep");
                                               rung.run();
                                               trace_done("rung");
                                             },
                                             timing),
                                         false);
  const double seconds = spread(ms).median * 1e-3, flops = layer_flops(ladder.layer(), LayerPass::forward),
               bytes = layer_bytes(ladder.layer(), LayerPass::forward);
  row.update(times_json(ms));
  if (flops > 0) row["flops_per_s"] = flops / seconds;
  row["bytes_per_s"] = bytes / seconds;
  row["copy_roof_bytes_per_s"] = roofs.bytes_per_s;
  row["matrix_roof_flops_per_s"] = roofs.flops_per_s;
  row["roof_percent"] = 100 * roofs.bound(flops, bytes) / seconds;
  if (before > 0) row["faster"] = before / (seconds * 1e3);
}

void print_head(const Ladder& ladder, const Roofs* roofs) {
  std::cout << to_text(ladder.layer());
  if (!roofs) {
    std::cout << ": checked, not timed; times are a GPU's\n";
    std::cout << column("rung", 16) << column("what changes", 50) << "error (limit " << ladder.limit() << ")\n";
    return;
  }
  std::cout << "; roofs " << fixed(roofs->flops_per_s * 1e-12, 0) << " TFLOP/s, " << fixed(roofs->bytes_per_s * 1e-9, 0)
            << " GB/s\n";
  const bool sums = layer_flops(ladder.layer(), LayerPass::forward) > 0;
  std::cout << column("rung", 16) << column("what changes", 50) << "        ms" << (sums ? "  TFLOP/s" : "     GB/s")
            << "  % of roof   times  (predicted)   error\n";
}

void print_row(const Json& row) {
  std::cout << column(row["rung"].get<std::string>(), 16) << column(row["change"].get<std::string>(), 50);
  if (row.contains("not")) {
    std::cout << "not: " << one_line(row["not"].get<std::string>()) << '\n';
    return;
  }
  if (row.contains("median_ms")) {
    const bool sums = row.contains("flops_per_s");
    const double rate = sums ? row["flops_per_s"].get<double>() * 1e-12 : row["bytes_per_s"].get<double>() * 1e-9;
    std::cout << right(fixed(row["median_ms"].get<double>(), 4), 10) << right(fixed(rate, 1), 9)
              << right(fixed(row["roof_percent"].get<double>(), 2), 11)
              << right(row.contains("faster") ? fixed(row["faster"].get<double>(), 2) : "", 8)
              << right(row.contains("predicted") ? "(" + fixed(row["predicted"].get<double>(), 1) + ")" : "", 13)
              << "   ";
  }
  std::cout << to_text(row["error"].get<double>()) << '\n';
}

void draw(const LadderOptions& o, const std::string& name, const std::vector<Json>& rows) {
  std::vector<RungFigure> figures;
  for (const Json& row : rows)
    if (row.contains("median_ms"))
      figures.push_back({row["rung"], row["change"], row["median_ms"], row["roof_percent"], row["other"]});
  draw_ladder(o.out, name,
              rows.front()["layer"].get<std::string>() + " on " + rows.front()["device"].get<std::string>(), figures);
  if (!o.json) std::cout << "drawn: " << o.out << '/' << name << ".svg and .png\n";
}

// Which rungs are wrong, as text; empty: none.
std::string climb(const LadderOptions& o, const std::string& name, const Roofs* roofs) {
  const Ladder ladder(roofs ? ladder_layer(name, o.batch) : small_ladder_layer(name));
  const Json machine = machine_json(o.place);
  if (!o.json) print_head(ladder, roofs);
  std::vector<Json> rows;
  std::string wrong;
  double before = 0;
  for (const ladder::Rung& rung : ladder.rungs()) {
    Json row = checked(name, ladder, rung);
    if (roofs && row.contains("error")) time_rung(ladder, rung, *roofs, rung.other ? 0 : before, o.timing, row);
    before = row.value("median_ms", 0.0);
    if (row.contains("error") && !(row["error"].get<double>() <= ladder.limit()))
      wrong += " " + name + "'s '" + rung.name + "' by " + to_text(row["error"].get<double>()) + ";";
    if (!o.json) print_row(row);
    row.update(machine);
    if (o.json) print_json(row);
    rows.push_back(row);
  }
  if (roofs) draw(o, name, rows);
  return wrong;
}

void bench(const LadderOptions& o) {
  const auto names = o.name.empty() ? ladder_names() : std::vector<std::string>{o.name};
  for (const std::string& name : names) small_ladder_layer(name);  // whether there is such a one, before anything runs
  const auto use = enter(o.place);
  const bool gpu = Context::current().device().is_cuda();
  if (gpu) make_folder(o.out);
  const Roofs roofs = gpu ? measure_roofs(DType::bf16) : Roofs();
  std::string wrong;
  for (const std::string& name : names) wrong += climb(o, name, gpu ? &roofs : nullptr);
  check(Exit::check, wrong.empty(), "bench ladder: wrong, relative to the largest number of plain loops in f64:{}",
        wrong);
}

}  // namespace

void add_bench_ladder(CLI::App& bench_verb) {
  auto o = std::make_shared<LadderOptions>();
  CLI::App* verb = add_verb(bench_verb, "ladder", "an operation from a naive kernel to a fast one, rung by rung",
                            "  dactyl bench ladder\n  dactyl bench ladder conv3d --json\n"
                            "  dactyl bench ladder max_pool3d --device cpu     # checks every rung, without a GPU\n"
                            "\nLadders: conv3d max_pool3d batch_norm3d; all three if none is named. What each rung\n"
                            "teaches: benchmarks/ladder/README.md.");
  verb->add_option("LADDER", o->name, "which")->check(CLI::IsMember(ladder_names()));
  verb->add_option("--device", o->place.device, "cuda or cuda:N; cpu: small layers, checked and not timed")
      ->capture_default_str();
  verb->add_option("--batch", o->batch, "clips; default: 16, of max_pool3d 32")->check(CLI::Range(1, 128));
  verb->add_option("--seconds", o->timing.seconds, "of measuring, each rung")
      ->check(numbers_from(0, 3600))
      ->capture_default_str();
  verb->add_option("--out", o->out, "folder of the plots and their data")->capture_default_str();
  verb->add_flag("--json", o->json, "JSON to stdout, a line for each rung");
  verb->callback([o] {
    Progress::silence(o->json);
    bench(*o);
  });
}

}  // namespace dactyl

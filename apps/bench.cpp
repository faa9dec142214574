// dactyl bench: how fast, against this machine's own roofs. Its parts are in bench_*.cpp.
#include "apps/bench.h"

#include <ctime>
#include <fstream>
#include <iostream>

#include "apps/machine.h"

namespace dactyl {
namespace {

std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  while (!text.empty() && text.back() == '\0') text.pop_back();
  for (char& c : text) c = c == '\0' ? ' ' : c;
  return text;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

}  // namespace

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

Json machine_json(const Place& place) {
  const Device device = Context::current().device();
  Json found = Json::object();
  for (const auto& [name, version] : libraries()) found[name] = version;
  return {{"device", device.is_cuda() ? gpu_text(device.index) : processor_name()},
          {"cores", usable_cores()},
          {"threads", place.threads},
          {"libraries", found},
          {"date", utc_now()},
          {"command", command_line()}};
}

Json times_json(const std::vector<double>& ms) {
  const Spread s = spread(ms);
  return {{"median_ms", s.median}, {"p10_ms", s.p10}, {"p90_ms", s.p90}, {"runs", s.runs}, {"ms", thinned(ms)}};
}

std::string spread_text(const std::vector<double>& ms) {
  const Spread s = spread(ms);
  const int digits = s.median < 10 ? 4 : 2;
  return fixed(s.median, digits) + " ms (" + fixed(s.p10, digits) + " to " + fixed(s.p90, digits) + ")";
}

void add_bench(CLI::App& program) {
  CLI::App* verb =
      add_verb(program, "bench", "speed, with the share of this machine's own measured roof",
               "  dactyl bench model googlenet --batch 8 --layers\n"
               "  dactyl bench model i3d --frames 20 --batch 32 --train --precision bf16 --json > new.json\n"
               "  dactyl bench layer \"conv2d x=8x28x28x192 k=3 p=1 out=96 bias relu fp32\" --impl all\n"
               "  dactyl bench op max_pool\n"
               "  dactyl bench ladder conv3d\n"
               "  dactyl bench data photos --model googlenet\n"
               "  dactyl bench doctor googlenet-bn --batch 8\n"
               "  dactyl bench roofs\n"
               "  dactyl bench compare old.json new.json");
  for (auto add : {add_bench_model, add_bench_layer, add_bench_op, add_bench_ladder, add_bench_data, add_bench_doctor,
                   add_bench_roofs, add_bench_compare})
    add(*verb);
  verb->require_subcommand(1);
}

}  // namespace dactyl

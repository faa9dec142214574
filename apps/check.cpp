// dactyl check: are the operations' gradients right, and do CPU and GPU agree?
#include <iomanip>
#include <iostream>

#include "apps/check_cases.h"
#include "apps/cli.h"

namespace dactyl {
namespace {

constexpr double gradient_limit = 1e-7, agreement_limit = 2e-5;

struct CheckOptions {
  std::vector<std::string> names;
  std::string device = "auto";
  std::uint64_t seed = 1;
  bool json = false;
};

// "conv" names "conv" and "conv relu".
bool names(const std::string& name, const std::string& op) { return op == name || op.starts_with(name + " "); }

bool wanted(const CheckOptions& o, const std::string& op) {
  return o.names.empty() ||
         std::any_of(o.names.begin(), o.names.end(), [&](const std::string& name) { return names(name, op); });
}

Json examine(const CheckCase& c, const CheckOptions& o, Device device) {
  const double gradient = gradient_error(c, o.seed);
  Json row{{"op", c.name}, {"gradient_error", gradient}};
  bool passed = gradient <= gradient_limit;
  if (device.is_cuda()) {
    const double agreement = agreement_error(c, o.seed, device);
    row["gpu_error"] = agreement;
    passed = passed && agreement <= agreement_limit;
  }
  row["passed"] = passed;
  return row;
}

void print_row(const Json& row) {
  const auto number = [&](const char* key) { return row.contains(key) ? to_text(row[key].get<double>()) : "-"; };
  std::cout << std::left << std::setw(20) << row["op"].get<std::string>() << std::setw(16) << number("gradient_error")
            << std::setw(16) << number("gpu_error") << (row["passed"].get<bool>() ? "pass" : "FAIL") << std::endl;
}

void check_names(const CheckOptions& o, const std::vector<CheckCase>& all) {
  for (const std::string& name : o.names)
    check(Exit::usage, std::any_of(all.begin(), all.end(), [&](const CheckCase& c) { return names(name, c.name); }),
          "check: no operation is called {}; dactyl check alone lists them all", name);
}

void examine_all(const CheckOptions& o) {
  const std::vector<CheckCase> all = check_cases();
  check_names(o, all);
  const Device device = device_named(o.device);
  Json rows = Json::array();
  i64 failed = 0;
  if (!o.json)
    std::cout << "op                  gradient error  GPU error       (limits " << gradient_limit << ", "
              << agreement_limit << ")\n";
  for (const CheckCase& c : all) {
    if (!wanted(o, c.name)) continue;
    rows.push_back(examine(c, o, device));
    failed += rows.back()["passed"].get<bool>() ? 0 : 1;
    if (!o.json) print_row(rows.back());
  }
  if (o.json) print_json(rows);
  if (!o.json && !device.is_cuda()) std::cerr << "no GPU: its half was not compared\n";
  check(Exit::check, failed == 0, "check: {} of {} operations failed", failed, rows.size());
}

}  // namespace

void add_check(CLI::App& program) {
  auto o = std::make_shared<CheckOptions>();
  CLI::App* verb = add_verb(program, "check", "gradients against differences, GPU against CPU, for each operation",
                            "  dactyl check\n  dactyl check conv lrn --seed 3 --json");
  verb->add_option("OP", o->names, "operations to check; default: all");
  verb->add_option("--device", o->device, "what is compared with the CPU: auto, cpu (nothing) or cuda:N")
      ->capture_default_str();
  add_seed(*verb, o->seed, "of the random inputs");
  verb->add_flag("--json", o->json, "JSON to stdout");
  verb->callback([o] { examine_all(*o); });
}

}  // namespace dactyl

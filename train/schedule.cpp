// Reading stages and intervals; the rate at a step.
#include "train/schedule.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

namespace dactyl {
namespace {

// The whole text as a number, or -1.
double number(std::string_view text) {
  double value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(value) ? value : -1;
}

bool is_target(const std::string& what) {
  return what == "head" || what == "all" || (what.starts_with("until=") && what.size() > 6);
}

}  // namespace

Stage parse_stage(const std::string& text) {
  const std::size_t at = text.rfind('@'), colon = text.rfind(':', at);
  Stage stage;
  bool good = at != text.npos && colon != text.npos && colon + 3 < at;
  if (good) {
    stage.what = text.substr(0, colon);
    const std::string length = text.substr(colon + 1, at - colon - 3), unit = text.substr(at - 2, 2);
    const double n = number(length);
    stage.rate = number(text.substr(at + 1));
    stage.epochs = unit == "ep" ? n : 0;
    stage.iterations = unit == "it" ? static_cast<i64>(n) : 0;
    good = is_target(stage.what) && n > 0 && n < 1e12 && stage.rate >= 0 && (unit == "ep" || n == std::floor(n)) &&
           (unit == "ep" || unit == "it");
  }
  check(Exit::usage, good,
        "--stage '{}': expected WHAT:LENGTH@RATE, what learns being head, all or until=LAYER, the length in ep or it, "
        "e.g. head:3ep@1e-4 or all:200it@1e-5",
        text);
  return stage;
}

std::string to_text(const Stage& stage) {
  const std::string length = stage.iterations > 0 ? to_text(stage.iterations) + "it" : exact_text(stage.epochs) + "ep";
  return stage.what + ":" + length + "@" + exact_text(stage.rate);
}

i64 steps_in(const Stage& stage, i64 per_epoch) {
  if (stage.iterations > 0) return stage.iterations;
  return std::max<i64>(1, std::llround(stage.epochs * static_cast<double>(per_epoch)));
}

i64 steps_of(const std::string& every, i64 per_epoch) {
  const std::string unit = every.size() > 2 ? every.substr(every.size() - 2) : "";
  const double n = unit.empty() ? -1 : number(every.substr(0, every.size() - 2));
  const bool good = n >= 0 && n < 1e12 && (unit == "ep" || (unit == "it" && n == std::floor(n)));
  check(Exit::usage, good, "'{}': expected a number of steps or epochs, e.g. 50it or 1ep", every);
  return std::llround(unit == "it" ? n : n * static_cast<double>(per_epoch));
}

double Schedule::rate(double peak, i64 step, i64 steps) const {
  if (step < warmup) return peak * static_cast<double>(step + 1) / static_cast<double>(warmup);
  const double length = static_cast<double>(std::max<i64>(steps - warmup, 1));
  const double share = std::min(1.0, static_cast<double>(step - warmup) / length);
  if (kind == "step") return peak * (share < 1.0 / 3 ? 1 : share < 2.0 / 3 ? 0.1 : 0.01);
  if (kind == "cosine") return peak * 0.5 * (1 + std::cos(std::numbers::pi * share));
  if (kind == "poly") return peak * std::sqrt(1 - share);
  check(Exit::usage, kind == "const", "--sched '{}': expected const, step, cosine or poly", kind);
  return peak;
}

}  // namespace dactyl

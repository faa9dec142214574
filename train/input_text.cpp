// "warp256-antialias": how, to which side, with which filter.
#include "train/input_text.h"

#include <charconv>

namespace dactyl {

std::string resize_text(const InputSpec& input) {
  return (input.resize == Resize::warp ? "warp" : "short") + to_text(input.resize_to) +
         (input.filter == Filter::antialias ? "-antialias" : "-bilinear");
}

void set_resize(InputSpec& input, const std::string& text) {
  const bool warp = text.starts_with("warp");
  const std::size_t start = warp ? 4 : 5, dash = text.find('-');
  const std::string filter = dash == text.npos ? "" : text.substr(dash + 1);
  i64 side = 0;
  bool good = (warp || text.starts_with("short")) && (filter == "antialias" || filter == "bilinear") && dash > start;
  if (good) {
    const auto [end, error] = std::from_chars(text.data() + start, text.data() + dash, side);
    good = error == std::errc() && end == text.data() + dash && side > 0 && side <= 16384;
  }
  check(Exit::usage, good,
        "resize '{}': expected warp or short, a side, -antialias or -bilinear, e.g. warp256-antialias", text);
  check(Exit::usage, side >= input.height && side >= input.width,
        "resize {}: smaller than the network's input of {}x{}", text, input.height, input.width);
  input.resize = warp ? Resize::warp : Resize::short_side;
  input.filter = filter == "antialias" ? Filter::antialias : Filter::bilinear;
  input.resize_to = side;
}

}  // namespace dactyl

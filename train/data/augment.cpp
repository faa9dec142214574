// Random changes of a picture, each a pure function of (seed, epoch, sample).
#include "train/data/augment.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include "engine/random.h"
#include "train/data/load_stage.h"

namespace dactyl {
namespace {

// Separate streams, so that switching one change on or off leaves the others as they are.
enum Purpose : std::uint64_t { for_mirror = 1, for_window, for_shift, for_colour, for_warp };

Sequence draw(Purpose purpose, std::uint64_t seed, i64 epoch, i64 sample) {
  return Sequence(seed ^ (purpose * 0x9E3779B97F4A7C15u), static_cast<std::uint32_t>(epoch),
                  static_cast<std::uint32_t>(sample));
}

// A word of the list and its number: what it may be, and what it is when none is given.
double value_of(const std::string& word, std::size_t equals, double standard, double most) {
  if (equals == word.npos) return standard;
  double value = -1;
  const auto [end, error] = std::from_chars(word.data() + equals + 1, word.data() + word.size(), value);
  check(Exit::usage, error == std::errc() && end == word.data() + word.size() && value >= 0 && value <= most,
        "augment: \"{}\" needs a number from 0 to {}", word, most);
  return value;
}

void apply_word(const std::string& word, AugmentOptions& options) {
  const std::size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  const bool plain = equals == word.npos;
  if (name == "reflect-x" && plain) {
    options.reflect_x = true;
  } else if (name == "crop" && plain) {
    options.crop = true;
  } else if (name == "shift") {
    options.shift = static_cast<int>(value_of(word, equals, 30, 4096));
  } else if (name == "jitter") {
    options.jitter = value_of(word, equals, 0.3, 1);
  } else if (name == "zoom") {
    options.zoom = value_of(word, equals, 0.2, 0.9);
  } else if (name == "rotate") {
    options.rotate = value_of(word, equals, 10, 180);
  } else {
    fail(Exit::usage, "augment: unknown \"{}\"; known are reflect-x, shift=30, crop, jitter=0.3, zoom=0.2, rotate=10",
         {word});
  }
}

// Where a picture is read between its pixels: four neighbours and their shares; the edge goes on outside.
struct Between {
  std::size_t a, b, c, d;  // bytes from the start of the frame
  float u, v;              // how far to the right, and down
};

Between between(const Image& image, double y, double x) {
  const double fy = std::clamp(y, 0.0, image.height - 1.0), fx = std::clamp(x, 0.0, image.width - 1.0);
  const auto top = static_cast<int>(fy), left = static_cast<int>(fx);
  const int bottom = std::min(top + 1, image.height - 1), right = std::min(left + 1, image.width - 1);
  const auto at = [&](int row, int column) {
    return static_cast<std::size_t>(row) * image.row_bytes() + static_cast<std::size_t>(column * image.channels);
  };
  return {at(top, left),
          at(top, right),
          at(bottom, left),
          at(bottom, right),
          static_cast<float>(fx - left),
          static_cast<float>(fy - top)};
}

std::uint8_t blended(const std::uint8_t* x, const Between& p) {
  const float above = x[p.a] + p.u * static_cast<float>(x[p.b] - x[p.a]);
  const float below = x[p.c] + p.u * static_cast<float>(x[p.d] - x[p.c]);
  return static_cast<std::uint8_t>(above + p.v * (below - above) + 0.5f);
}

// The vectors of optical flow turn and grow with the picture.
void turn_flow(std::uint8_t* uv, double cosine, double sine) {
  const double u = uv[0] - 127.5, v = uv[1] - 127.5;
  const auto byte = [](double x) { return static_cast<std::uint8_t>(std::clamp(x + 128, 0.0, 255.0)); };
  uv[0] = byte(cosine * u - sine * v);
  uv[1] = byte(sine * u + cosine * v);
}

// Every frame, about its centre: turned by `angle` (radians), enlarged by `factor`.
Image warped(const Image& image, const Warp& warp) {
  Image result = image;
  const double cosine = std::cos(warp.angle) / warp.factor, sine = std::sin(warp.angle) / warp.factor;
  const double middle_y = (image.height - 1) / 2.0, middle_x = (image.width - 1) / 2.0;
  std::uint8_t* to = result.rgb.data();
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x, to += image.channels) {
      const Between place = between(image, middle_y + cosine * (y - middle_y) - sine * (x - middle_x),
                                    middle_x + sine * (y - middle_y) + cosine * (x - middle_x));
      for (std::size_t at = 0; at < image.rgb.size(); at += image.frame_bytes()) {
        for (int c = 0; c < image.channels; ++c)
          to[at + static_cast<std::size_t>(c)] = blended(image.rgb.data() + at + c, place);
        if (image.channels == 2)
          turn_flow(to + at, warp.factor * std::cos(warp.angle), warp.factor * std::sin(warp.angle));
      }
    }
  return result;
}

}  // namespace

AugmentOptions parse_augment(const std::string& text) {
  AugmentOptions options;
  if (text.empty() || text == "none") return options;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    apply_word(text.substr(start, end - start), options);
    start = end + 1;
  }
  return options;
}

std::string to_text(const AugmentOptions& options) {
  std::string text;
  const auto add = [&](bool on, const std::string& word) {
    if (on) text += (text.empty() ? "" : ",") + word;
  };
  add(options.reflect_x, "reflect-x");
  add(options.shift > 0, "shift=" + to_text(options.shift));
  add(options.crop, "crop");
  add(options.jitter > 0, "jitter=" + to_text(options.jitter));
  add(options.zoom > 0, "zoom=" + to_text(options.zoom));
  add(options.rotate > 0, "rotate=" + to_text(options.rotate));
  return text.empty() ? "none" : text;
}

Geometry centred(const InputSpec& input, int height, int width) {
  const auto middle = [](i64 all, i64 part) {
    return static_cast<float>(std::nearbyint(static_cast<double>(all - part) / 2));
  };
  return {middle(height, input.height), middle(width, input.width), 0, 0, 1, 1, 0, 0};
}

std::vector<Geometry> test_views(int views, const InputSpec& input, int height, int width) {
  check(Exit::usage, views == 1 || views == 2 || views == 10, "--views {}: expected 1, 2 (mirrored) or 10 (corners)",
        views);
  std::vector<Geometry> list{centred(input, height, width)};
  const auto bottom = static_cast<float>(std::max<i64>(height - input.height, 0));
  const auto right = static_cast<float>(std::max<i64>(width - input.width, 0));
  if (views == 10)
    for (const float top : {0.0f, bottom})
      for (const float left : {0.0f, right}) list.push_back({top, left, 0, 0, 1, 1, 0, 0});
  if (views == 1) return list;
  for (std::size_t i = 0, upright = list.size(); i < upright; ++i) {
    list.push_back(list[i]);
    list.back()[2] = 1;
  }
  return list;
}

Geometry augmented(const AugmentOptions& options, const InputSpec& input, int height, int width, std::uint64_t seed,
                   i64 epoch, i64 sample) {
  Geometry g = centred(input, height, width);
  if (options.crop) {
    Sequence window = draw(for_window, seed, epoch, sample);
    g[0] = static_cast<float>(window.below(std::max<i64>(height - input.height, 0) + 1));
    g[1] = static_cast<float>(window.below(std::max<i64>(width - input.width, 0) + 1));
  }
  Sequence shift = draw(for_shift, seed, epoch, sample);
  for (std::size_t axis : {0u, 1u}) g[axis] += static_cast<float>(shift.below(2 * options.shift + 1) - options.shift);
  g[2] = options.reflect_x && draw(for_mirror, seed, epoch, sample).below(2) == 1 ? 1 : 0;
  Sequence colour = draw(for_colour, seed, epoch, sample);
  g[3] = static_cast<float>(128 * colour.uniform(-options.jitter, options.jitter));
  g[4] = static_cast<float>(1 + colour.uniform(-options.jitter, options.jitter));
  g[5] = static_cast<float>(1 + colour.uniform(-options.jitter, options.jitter));
  return g;
}

Warp drawn_warp(const AugmentOptions& options, std::uint64_t seed, i64 epoch, i64 sample) {
  Sequence warp = draw(for_warp, seed, epoch, sample);
  const double factor = 1 + warp.uniform(-options.zoom, options.zoom);
  const double degrees = warp.uniform(-options.rotate, options.rotate);
  return {factor, degrees * std::numbers::pi / 180};
}

Image augmented(const AugmentOptions& options, const Image& image, std::uint64_t seed, i64 epoch, i64 sample) {
  if (options.zoom == 0 && options.rotate == 0) return image;
  const Staged turning(LoadStage::augment);
  return warped(image, drawn_warp(options, seed, epoch, sample));
}

}  // namespace dactyl

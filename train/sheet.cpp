// Tiles pictures, and lets gnuplot write the truths and predictions below them.
#include "train/sheet.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "train/plot.h"

namespace dactyl {
namespace {

constexpr int tile = 160, caption = 44, gap = 12;  // pixels
constexpr int cell_width = tile + gap, cell_height = tile + caption + gap;
constexpr std::size_t most_classes = 100;

std::vector<Prediction> one_per_class(const std::vector<Prediction>& predictions, std::size_t classes) {
  std::vector<std::vector<const Prediction*>> of_class(classes);
  for (const Prediction& p : predictions) of_class[static_cast<std::size_t>(p.label)].push_back(&p);
  std::vector<Prediction> chosen;
  for (const auto& list : of_class)
    if (!list.empty() && chosen.size() < most_classes) chosen.push_back(*list[list.size() / 2]);
  return chosen;
}

// Of a clip the middle frame; of optical flow its two channels as red and green.
Image still(const Image& sample) {
  const Image frame = frame_of(sample, sample.frames / 2);
  if (frame.channels == 3) return frame;
  Image colours{frame.height, frame.width, {}};
  for (std::size_t i = 0; i < frame.rgb.size(); i += 2)
    colours.rgb.insert(colours.rgb.end(), {frame.rgb[i], frame.rgb[i + 1], 128});
  return colours;
}

// The largest centred square, as a tile.
Image thumbnail(const Image& image) {
  const int side = std::min(image.height, image.width);
  return resized(cropped(image, (image.height - side) / 2, (image.width - side) / 2, side, side), tile, tile,
                 Filter::antialias);
}

// Every chosen picture in its cell, on white; a picture that can no longer be read stays white.
Image tiled(const std::vector<Prediction>& chosen, const DataSource& source, int columns, int rows) {
  std::map<std::string, i64> index;
  for (i64 i = 0; i < source.size(); ++i) index.emplace(source.name(i), i);
  Image sheet{rows * cell_height + gap, columns * cell_width + gap, {}};
  sheet.rgb.assign(static_cast<std::size_t>(sheet.height) * static_cast<std::size_t>(sheet.width) * 3, 255);
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    const auto found = index.find(chosen[k].name);
    if (found == index.end()) continue;
    Image small;
    try {
      small = thumbnail(still(source.image(found->second)));
    } catch (const Error&) {
      continue;
    }
    const int top = gap + static_cast<int>(k) / columns * cell_height,
              left = gap + static_cast<int>(k) % columns * cell_width;
    for (int y = 0; y < tile; ++y)
      std::copy_n(small.rgb.begin() + y * tile * 3, tile * 3,
                  sheet.rgb.begin() + (static_cast<std::ptrdiff_t>(top + y) * sheet.width + left) * 3);
  }
  return sheet;
}

std::string label_line(double x, double y, const std::string& text, const char* colour, const char* size) {
  return "set label " + quoted_for_plot(text) + " at " + to_text(x) + "," + to_text(y) +
         " center noenhanced front tc rgb '" + colour + "' font '," + size + "'\n";
}

// Above: the truth. Below: the prediction with its probability, green where it is right.
std::string captions(const std::vector<Prediction>& chosen, const std::vector<std::string>& labels, int columns,
                     int height) {
  std::string script;
  const auto shown = [](const std::string& label) { return shortened(label, 20); };
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    const Prediction& p = chosen[k];
    const double x = gap + static_cast<int>(k) % columns * cell_width + tile / 2.0;
    const double bottom = height - (gap + static_cast<int>(k) / columns * cell_height + tile);
    const bool right = p.label == p.top[0];
    const std::string seen = shown(labels[static_cast<std::size_t>(p.top[0])]) + "  " +
                             to_text(static_cast<i64>(std::lround(100 * p.p[0]))) + " %";
    script += label_line(x, bottom - 13, "truth  " + shown(labels[static_cast<std::size_t>(p.label)]), "#333333", "11");
    script += label_line(x, bottom - 32, (right ? "✓ " : "✗ ") + seen, right ? "#1a7f37" : "#c62828", "12");
  }
  return script;
}

std::string sheet_script(const std::string& text, int width, int height) {
  const std::string w = to_text(width), h = to_text(height);
  std::string script = "# Draws predictions_tiles.png with what was recognised: gnuplot predictions.gp\n";
  script += "set encoding utf8\nunset key\nunset border\nunset tics\nset margins 0,0,0,0\n";
  script += "set xrange [0:" + w + "]\nset yrange [0:" + h + "]\n" + text;
  script += "do for [kind in 'svg png'] {\n";
  script +=
      "  if (kind eq 'svg') { set terminal svg size " + w + "," + h + " font 'sans,11' background rgb 'white' }\n";
  script += "  if (kind eq 'png') { set terminal pngcairo size " + w + "," + h + " font 'sans,11' }\n";
  script += "  set output 'predictions.' . kind\n";
  script += "  plot 'predictions_tiles.png' binary filetype=png with rgbimage\n  set output\n}\n";
  return script;
}

}  // namespace

void draw_sheet(const std::string& folder, const std::vector<Prediction>& predictions, const DataSource& source,
                const std::vector<std::string>& labels) {
  const std::vector<Prediction> chosen = one_per_class(predictions, labels.size());
  if (chosen.empty()) return;
  const auto count = static_cast<double>(chosen.size());
  const int columns = static_cast<int>(std::clamp(std::ceil(std::sqrt(1.6 * count)), 1.0, count));
  const int rows = (static_cast<int>(chosen.size()) + columns - 1) / columns;
  const Image sheet = tiled(chosen, source, columns, rows);
  write_png(folder + "/predictions_tiles.png", sheet);
  plot(folder, "predictions", sheet_script(captions(chosen, labels, columns, sheet.height), sheet.width, sheet.height));
}

}  // namespace dactyl

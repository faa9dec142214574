// Tiles pictures, and lets gnuplot write the truths and predictions below them.
#include "train/sheet.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "kernels/flow.h"
#include "train/plot.h"

namespace dactyl {
namespace {

constexpr int caption = 44, gap = 12;  // pixels
constexpr double em = 13.4;            // pixels, of a font of 10
constexpr std::size_t most_classes = 100;

// Pixels: a picture stands alone; of a clip, whose movement one frame cannot show, three squares stand in a row.
struct Cells {
  int stills, side, columns, rows;
  static constexpr int seam = 2;

  Cells(bool clips, std::size_t samples) : stills(clips ? 3 : 1), side(clips ? 120 : 160) {
    const auto count = static_cast<double>(samples);
    const double wide = 1.6 * count * cell_height() / cell_width();  // as wide as 1.6 times its height
    columns = static_cast<int>(std::clamp(std::ceil(std::sqrt(wide)), 1.0, count));
    rows = (static_cast<int>(samples) + columns - 1) / columns;
  }
  int step() const { return side + seam; }
  int tile_width() const { return stills * step() - seam; }
  int cell_width() const { return tile_width() + gap; }
  int cell_height() const { return side + caption + gap; }
  int left(std::size_t k) const { return gap + static_cast<int>(k) % columns * cell_width(); }
  int top(std::size_t k) const { return gap + static_cast<int>(k) / columns * cell_height(); }
  int width() const { return columns * cell_width() + gap; }
  int height() const { return rows * cell_height() + gap; }
};

std::vector<Prediction> one_per_class(const std::vector<Prediction>& predictions, std::size_t classes) {
  std::vector<std::vector<const Prediction*>> of_class(classes);
  for (const Prediction& p : predictions) of_class[static_cast<std::size_t>(p.label)].push_back(&p);
  std::vector<Prediction> chosen;
  for (const auto& list : of_class)
    if (!list.empty() && chosen.size() < most_classes) chosen.push_back(*list[list.size() / 2]);
  return chosen;
}

// Of a clip the middles of its thirds, as a clip.
Image stills_of(const Image& sample, int count) {
  Image stills{sample.height, sample.width, {}, count, sample.channels};
  for (int k = 0; k < count; ++k) {
    const std::uint8_t* frame = sample.frame((2 * k + 1) * sample.frames / (2 * count));
    stills.rgb.insert(stills.rgb.end(), frame, frame + sample.frame_bytes());
  }
  return stills;
}

// Flow, whose two channels are bytes around 127.5, in colours: full from the length on that one vector in twenty has,
// but not below that of 8 bytes, or the rounding of a clip without movement would shine.
Image coloured(const Image& flow) {
  std::vector<float> uv, lengths;
  for (const std::uint8_t byte : flow.rgb) uv.push_back(static_cast<float>(byte) - 127.5f);
  for (std::size_t i = 0; i < uv.size(); i += 2) lengths.push_back(std::hypot(uv[i], uv[i + 1]));
  const auto high = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() * 19 / 20);
  std::nth_element(lengths.begin(), high, lengths.end());
  const Tensor vectors = Tensor::from({flow.frames, flow.height, flow.width, 2}, uv);
  const Tensor colours = flow_picture(vectors, std::max(*high, 8.0f)).to(Device::cpu());
  const std::uint8_t* bytes = colours.data<std::uint8_t>();
  return {flow.height, flow.width, {bytes, bytes + colours.count()}, flow.frames};
}

// The largest centred square.
Image thumbnail(const Image& image, int tile) {
  const int side = std::min(image.height, image.width);
  return resized(cropped(image, (image.height - side) / 2, (image.width - side) / 2, side, side), tile, tile,
                 Filter::antialias);
}

void paste(Image& sheet, const Image& small, int top, int left) {
  for (int y = 0; y < small.height; ++y)
    std::copy_n(small.rgb.begin() + static_cast<std::ptrdiff_t>(y * small.width) * 3, small.width * 3,
                sheet.rgb.begin() + (static_cast<std::ptrdiff_t>(top + y) * sheet.width + left) * 3);
}

// Every chosen sample in its cell, on white; a sample that can no longer be read stays white.
Image tiled(const std::vector<Prediction>& chosen, const DataSource& source, const Cells& cells) {
  std::map<std::string, i64> index;
  for (i64 i = 0; i < source.size(); ++i) index.emplace(source.name(i), i);
  Image sheet{cells.height(), cells.width(), {}};
  sheet.rgb.assign(static_cast<std::size_t>(sheet.height) * sheet.row_bytes(), 255);
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    const auto found = index.find(chosen[k].name);
    if (found == index.end()) continue;
    Image stills;
    try {
      stills = stills_of(source.image(found->second), cells.stills);
    } catch (const Error&) {
      continue;
    }
    if (stills.channels == 2) stills = coloured(stills);
    for (int f = 0; f < stills.frames; ++f)
      paste(sheet, thumbnail(frame_of(stills, f), cells.side), cells.top(k), cells.left(k) + f * cells.step());
  }
  return sheet;
}

std::string label_line(double x, double y, const std::string& text, const char* colour) {
  return "set label " + quoted_for_plot(text) + " at " + to_text(x) + "," + to_text(y) +
         " center noenhanced front tc rgb '" + colour + "' font ',10'\n";
}

// Above: the truth. Below: the prediction with its probability, green where it is right.
std::string captions(const std::vector<Prediction>& chosen, const std::vector<std::string>& labels,
                     const Cells& cells) {
  std::string script;
  const double room = cells.tile_width() / em;
  const auto shown = [&](int label, const char* beside) {
    return fitted(labels[static_cast<std::size_t>(label)], room - width_in_ems(beside));
  };
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    const Prediction& p = chosen[k];
    const double x = cells.left(k) + cells.tile_width() / 2.0;
    const double bottom = cells.height() - (cells.top(k) + cells.side);
    const bool right = p.label == p.top[0];
    const std::string seen =
        shown(p.top[0], "✓   100 %") + "  " + to_text(static_cast<i64>(std::lround(100 * p.p[0]))) + " %";
    script += label_line(x, bottom - 13, "truth  " + shown(p.label, "truth  "), "#333333");
    script += label_line(x, bottom - 32, (right ? "✓ " : "✗ ") + seen, right ? "#1a7f37" : "#c62828");
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
  const Cells cells(source.frames() > 1, chosen.size());
  write_png(folder + "/predictions_tiles.png", tiled(chosen, source, cells));
  plot(folder, "predictions", sheet_script(captions(chosen, labels, cells), cells.width(), cells.height()));
}

}  // namespace dactyl

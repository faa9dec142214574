// Horizontal bars from the bottom of the ladder to its top, which is below.
#include "benchmarks/ladder/chart.h"

#include <algorithm>

#include "engine/check.h"
#include "train/data/csv.h"
#include "train/plot.h"
#include "weights/checkpoint.h"

namespace dactyl {
namespace {

constexpr int width = 1000;                     // of the picture in pixels
constexpr double widest_label = 36, em = 14.7;  // ems, and their pixels at a font of 11

std::string figures(const char* format, double a, double b) {
  char text[64];
  std::snprintf(text, sizeof text, format, a, b);
  return text;
}

std::string table(const std::vector<RungFigure>& rungs) {
  std::string csv = "row,ms,roof_percent,other,name,change\n";
  i64 row = 0;
  for (const RungFigure& r : rungs)
    csv += to_text(++row) + "," + exact_text(r.ms) + "," + exact_text(r.roof_percent) + "," + (r.other ? "1," : "0,") +
           csv_field(r.name) + "," + csv_field(r.change) + "\n";
  return csv;
}

std::string label(const RungFigure& r) { return fitted(r.name + ": " + r.change, widest_label); }

std::string rows(const std::vector<RungFigure>& rungs) {
  std::string left, right;
  double widest = 0;
  for (std::size_t k = 0; k < rungs.size(); ++k) {
    const std::string comma = k ? ", " : "", row = " " + to_text(k + 1), what = label(rungs[k]);
    widest = std::max(widest, width_in_ems(what));
    left += comma + quoted_for_tic(what) + row;
    right += comma + quoted_for_tic(figures("%.1f %%  (%.3g ms)", rungs[k].roof_percent, rungs[k].ms)) + row;
  }
  const std::string range = "range [" + to_text(rungs.size()) + "+0.6:0.4]\n";
  return "set lmargin at screen " + to_text((24 + em * widest) / width) + "\nset rmargin at screen " +
         to_text((width - 160.0) / width) + "\nset y" + range + "set y2" + range +
         "set ytics noenhanced scale 0 font ',11' (" + left + ")\nset y2tics noenhanced scale 0 font ',11' (" + right +
         ")\n";
}

std::string script(const std::string& name, const std::string& title, const std::vector<RungFigure>& rungs) {
  const std::string axis =
      "set xrange [0:100 < *]\nset xtics 20\nset tmargin 4\nset xlabel 'share of the measured roof, %'\n";
  const std::string head =
      "set label 1 " + quoted_for_plot(title) + " at screen 0.5, graph 1.1 center font ',11' noenhanced\n";
  return bars_script(name, width, 140 + 34 * rungs.size(), axis + head + rows(rungs),
                     "using ($3/2):1:($3/2):(0.36):($4 > 0 ? 0x999999 : 0x4292c6) every ::1 with boxxyerror lc rgb "
                     "variable");
}

}  // namespace

void draw_ladder(const std::string& folder, const std::string& name, const std::string& title,
                 const std::vector<RungFigure>& rungs) {
  write_atomically(folder + "/" + name + ".csv", table(rungs));
  plot(folder, name, script(name, title, rungs));
}

}  // namespace dactyl

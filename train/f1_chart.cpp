// Horizontal bars, so that names of any length stay readable.
#include "train/f1_chart.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "train/data/csv.h"
#include "train/plot.h"
#include "weights/checkpoint.h"

namespace dactyl {
namespace {

constexpr int width = 900;                      // of the picture in pixels
constexpr double widest_label = 16, em = 17.4;  // ems, and their pixels at a font of 13

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

// The label last: whatever it holds, the numbers before it are found.
std::string table(const std::vector<ClassScore>& classes) {
  std::string csv = "rank,samples,precision,recall,f1,label\n";
  i64 rank = 0;
  for (const ClassScore& c : classes)
    csv += to_text(++rank) + "," + to_text(c.samples) + "," + exact_text(c.precision) + "," + exact_text(c.recall) +
           "," + exact_text(c.f1) + "," + csv_field(c.label) + "\n";
  return csv;
}

// "F1 of the 10 most frequent of 36 classes, mean 81.4 %" and below it the samples.
std::string title(const Metrics& m, const std::vector<ClassScore>& classes) {
  const std::string n = to_text(classes.size());
  const bool all = most_frequent(m, m.per_class.size()).size() == classes.size();
  const i64 theirs = std::accumulate(classes.begin(), classes.end(), i64{0},
                                     [](i64 sum, const ClassScore& c) { return sum + c.samples; });
  const std::string which = all ? "F1 of all " + n + " classes" : "F1 of the " + n + " most frequent classes";
  return quoted_for_plot(which + ", mean " + percent(mean_f1(classes))) + " . \"\\n\" . " +
         quoted_for_plot(to_text(m.samples) + " samples" + (all ? "" : ", " + to_text(theirs) + " of them shown"));
}

const char* const drawing = R"(set datafile separator ','
set encoding utf8
unset key
set border 1 lc rgb '#888888'
set tics textcolor rgb '#333333'
set style fill solid noborder
set xrange [0:100]
set xtics 0,20,100 nomirror scale 0.5
set grid xtics lc rgb '#dddddd' lt 1
set xlabel 'F1 of the class, %'
)";

// Room for the names and the figures.
std::string margins(const std::vector<ClassScore>& classes) {
  double widest = 0;
  for (const ClassScore& c : classes) widest = std::max(widest, width_in_ems(c.label));
  const double left = 24 + em * std::min(widest, widest_label), right = width - 180;
  return "set lmargin at screen " + to_text(left / width) + "\nset rmargin at screen " + to_text(right / width) + "\n";
}

// The classes to the left of their bars, their figures to the right of the axis, where no line of the grid crosses
// them.
std::string rows(const std::vector<ClassScore>& classes) {
  std::string names, figures;
  for (std::size_t k = 0; k < classes.size(); ++k) {
    const ClassScore& c = classes[k];
    const std::string comma = k ? ", " : "", row = " " + to_text(k + 1);
    names += comma + quoted_for_tic(fitted(c.label, widest_label)) + row;
    figures += comma + quoted_for_tic(percent(c.f1) + "  (n = " + to_text(c.samples) + ")") + row;
  }
  const std::string range = "range [" + to_text(classes.size()) + "+0.6:0.4]\n";
  return "set y" + range + "set y2" + range + "set ytics noenhanced scale 0 (" + names +
         ")\nset y2tics noenhanced scale 0 font ',11' (" + figures + ")\n";
}

std::string script(const std::string& name, const Metrics& m, const std::vector<ClassScore>& classes) {
  std::string text = "# Draws " + name + ".csv: gnuplot " + name + ".gp\n";
  text += drawing;
  text += "set title " + title(m, classes) + " noenhanced\n" + margins(classes) + rows(classes);
  const std::size_t pixels = 130 + 30 * classes.size();
  const std::string height = to_text(pixels), twice = to_text(2 * pixels);
  text += "do for [kind in 'svg png'] {\n";
  text += "  if (kind eq 'svg') { set terminal svg size " + to_text(width) + "," + height +
          " font 'sans,13' background rgb 'white' }\n";
  text += "  if (kind eq 'png') { set terminal pngcairo size " + to_text(2 * width) + "," + twice +
          " font 'sans,13' fontscale 2 linewidth 2 }\n";
  text += "  set output '" + name + ".' . kind\n";
  text += "  plot '" + name + ".csv' using (50 * $5):1:(50 * $5):(0.36) every ::1 with boxxyerror lc rgb '#4292c6'\n";
  text += "  set output\n}\n";
  return text;
}

void draw(const std::string& folder, const std::string& name, const Metrics& m, std::size_t count) {
  const std::vector<ClassScore> classes = most_frequent(m, count);
  write_atomically(folder + "/" + name + ".csv", table(classes));
  plot(folder, name, script(name, m, classes));
}

}  // namespace

void draw_f1(const std::string& folder, const Metrics& metrics) {
  draw(folder, "f1_top10", metrics, 10);
  if (most_frequent(metrics, 11).size() > 10) return draw(folder, "f1_top20", metrics, 20);
  std::error_code ignored;
  for (const char* end : {".csv", ".gp", ".svg", ".png"}) std::filesystem::remove(folder + "/f1_top20" + end, ignored);
}

}  // namespace dactyl

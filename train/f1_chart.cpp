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
  const std::string axis = "set xrange [0:100]\nset xtics 0,20,100\nset xlabel 'F1 of the class, %'\n";
  return bars_script(name, width, 130 + 30 * classes.size(),
                     axis + "set title " + title(m, classes) + " noenhanced\n" + margins(classes) + rows(classes),
                     "using (50 * $5):1:(50 * $5):(0.36) every ::1 with boxxyerror lc rgb '#4292c6'");
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

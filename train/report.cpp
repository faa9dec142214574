// Tables and the confusion matrix of an evaluation.
#include "train/report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "train/data/csv.h"
#include "train/f1_chart.h"
#include "train/logits.h"
#include "train/plot.h"
#include "train/schedule.h"
#include "train/sheet.h"
#include "weights/checkpoint.h"

namespace dactyl {
namespace {

void write_classes(const std::string& path, const Metrics& m) {
  std::string csv = "label,samples,predicted,hits,precision,recall,f1\n";
  for (const ClassScore& c : m.per_class)
    csv += csv_field(c.label) + "," + to_text(c.samples) + "," + to_text(c.predicted) + "," + to_text(c.hits) + "," +
           exact_text(c.precision) + "," + exact_text(c.recall) + "," + exact_text(c.f1) + "\n";
  write_atomically(path, csv);
}

// Rows: the truth; columns: the prediction.
void write_confusion(const std::string& path, const Metrics& m) {
  std::string csv = "truth";
  for (const ClassScore& c : m.per_class) csv += "," + csv_field(c.label);
  csv += "\n";
  for (std::size_t row = 0; row < m.confusion.size(); ++row) {
    csv += csv_field(m.per_class[row].label);
    for (const i64 n : m.confusion[row]) csv += "," + to_text(n);
    csv += "\n";
  }
  write_atomically(path, csv);
}

void write_predictions(const std::string& path, const std::vector<Prediction>& predictions,
                       const std::vector<std::string>& labels) {
  std::string csv = "name,label,predicted,p,loss\n";
  for (const Prediction& p : predictions)
    csv += csv_field(p.name) + "," + csv_field(labels[static_cast<std::size_t>(p.label)]) + "," +
           csv_field(labels[static_cast<std::size_t>(p.top[0])]) + "," + exact_text(p.p[0]) + "," + exact_text(p.loss) +
           "\n";
  write_atomically(path, csv);
}

// The names of the classes along an axis, for as many as can be read.
std::string tics(const Metrics& m, const char* axis, const char* options) {
  std::string text = std::string("set ") + axis + "tics " + options + " (";
  const std::size_t every = (m.per_class.size() + 59) / 60;
  for (std::size_t c = 0; c < m.per_class.size(); c += every)
    text += (c ? ", " : "") + quoted_for_plot(m.per_class[c].label) + " " + to_text(c);
  return text + ")\n";
}

std::string confusion_script(const Metrics& m) {
  const std::size_t classes = m.per_class.size();
  const int side = static_cast<int>(std::clamp<std::size_t>(300 + 18 * classes, 480, 1500));
  std::string script = "# Draws confusion.csv, each row as shares of its samples: gnuplot confusion.gp\n";
  script += "set datafile separator ','\nset encoding utf8\nunset key\nset size square\n";
  script += "set title '" + to_text(100 * m.top1) + " % of " + to_text(m.samples) + " samples recognised'\n";
  script += "set xlabel 'recognised as'\nset ylabel 'truth'\nset yrange [" + to_text(classes) + "-0.5:-0.5]\n";
  script += "set xrange [-0.5:" + to_text(classes) + "-0.5]\n";
  script +=
      tics(m, "x", "rotate by 90 right noenhanced font ',9' scale 0") + tics(m, "y", "noenhanced font ',9' scale 0");
  script += "set palette defined (0 '#ffffff', 0.02 '#deebf7', 0.5 '#4292c6', 1 '#08306b')\n";
  script += "set cbrange [0:100]\nset cblabel 'share of the class, %'\n";
  script += "set object 1 rectangle from graph 0,0 to graph 1,1 fillcolor rgb 'white' behind\n";
  script += "do for [kind in 'svg png'] {\n";
  const std::string s = to_text(side), s2 = to_text(2 * side);
  script +=
      "  if (kind eq 'svg') { set terminal svg size " + s + "," + s + " font 'sans,12' background rgb 'white' }\n";
  script += "  if (kind eq 'png') { set terminal pngcairo size " + s2 + "," + s2 + " font 'sans,12' fontscale 2 }\n";
  script += "  set output 'confusion.' . kind\n";
  // A rectangle per cell stays sharp, but a thousand classes would be a hundred megabytes of them: these are a picture.
  script += std::string("  plot 'confusion_shares.dat' matrix with image") + (classes > 100 ? "" : " pixels") +
            "\n  set output\n}\n";
  return script;
}

void draw_confusion(const std::string& folder, const Metrics& m) {
  std::string shares;
  for (std::size_t row = 0; row < m.confusion.size(); ++row) {
    const auto samples = static_cast<double>(std::max<i64>(m.per_class[row].samples, 1));
    for (std::size_t c = 0; c < m.confusion.size(); ++c)
      shares += (c ? "," : "") + to_text(100 * static_cast<double>(m.confusion[row][c]) / samples);
    shares += "\n";
  }
  write_atomically(folder + "/confusion_shares.dat", shares);
  plot(folder, "confusion", confusion_script(m));
}

}  // namespace

void write_bad_samples(const std::string& path, const std::vector<BadSample>& bad) {
  std::string csv = "name,reason\n";
  for (const BadSample& b : bad) csv += csv_field(b.name) + "," + csv_field(b.reason) + "\n";
  write_atomically(path, csv);
}

void write_figures(const std::string& folder, const Metrics& metrics, const std::vector<Prediction>& predictions,
                   const std::vector<std::string>& labels) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  check(Exit::data, !error, "{}: cannot be made: {}", folder, error.message());
  write_atomically(folder + "/metrics.json", to_json(metrics) + "\n");
  write_classes(folder + "/per_class.csv", metrics);
  write_confusion(folder + "/confusion.csv", metrics);
  write_predictions(folder + "/predictions.csv", predictions, labels);
  write_logits(folder + "/logits.csv", predictions, labels);
  if (metrics.samples == 0) return;
  draw_confusion(folder, metrics);
  draw_f1(folder, metrics);
}

void write_report(const std::string& folder, const Metrics& metrics, const std::vector<Prediction>& predictions,
                  const DataSource& source, const std::vector<std::string>& labels, const std::vector<BadSample>& bad) {
  write_figures(folder, metrics, predictions, labels);
  write_bad_samples(folder + "/bad_samples.csv", bad);
  if (metrics.samples > 0) draw_sheet(folder, predictions, source, labels);
}

}  // namespace dactyl

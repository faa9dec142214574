// Tables and the confusion matrix of an evaluation.
#include "train/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
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

std::string one_decimal(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", number);
  return text;
}

constexpr double widest_label = 15, em = 13.4;  // ems, and their pixels at a font of 10

// Pixels of the picture: a square of cells, beside it and below it the names of the classes, to the right the scale.
struct ConfusionLayout {
  int square, names, left, bottom, width, height;
  static constexpr int top = 52, right = 100, axis_title = 34;

  explicit ConfusionLayout(const Metrics& m) {
    const std::size_t classes = m.per_class.size(), cell = classes <= 12 ? 48 : classes <= 30 ? 30 : 18;
    square = static_cast<int>(std::clamp<std::size_t>(cell * classes, 280, 1100));
    double widest = 0;
    for (const ClassScore& c : m.per_class) widest = std::max(widest, width_in_ems(c.label));
    names = static_cast<int>(std::min(widest, widest_label) * em) + 14;
    left = bottom = axis_title + names;
    width = left + square + right;
    height = top + square + bottom;
  }
  std::string x(double pixels) const { return "screen " + to_text(pixels / width); }
  std::string y(double pixels) const { return "screen " + to_text(pixels / height); }
};

// The names of the classes along an axis, for as many as can be read.
std::string tics(const Metrics& m, const char* axis, const char* options) {
  std::string text = std::string("set ") + axis + "tics " + options + " noenhanced font ',10' scale 0 (";
  const std::size_t every = (m.per_class.size() + 59) / 60;
  for (std::size_t c = 0; c < m.per_class.size(); c += every)
    text += (c ? ", " : "") + quoted_for_tic(fitted(m.per_class[c].label, widest_label)) + " " + to_text(c);
  return text + ")\n";
}

// Margins in pixels, so that the cells are squares and the axes' titles stand beside the names, however long these are.
std::string frame_of_cells(const ConfusionLayout& at) {
  const double middle = at.square / 2.0;
  std::string script = "set lmargin at " + at.x(at.left) + "\nset rmargin at " + at.x(at.left + at.square) + "\n";
  script += "set bmargin at " + at.y(at.bottom) + "\nset tmargin at " + at.y(at.bottom + at.square) + "\n";
  script += "set label 'recognised as' at " + at.x(at.left + middle) + "," + at.y(18) + " center\n";
  script += "set label 'truth' at " + at.x(18) + "," + at.y(at.bottom + middle) + " center rotate by 90\n";
  script += "set colorbox user origin " + at.x(at.left + at.square + 14) + "," + at.y(at.bottom) + " size " + at.x(14) +
            "," + at.y(at.square) + "\n";
  return script;
}

// How many samples a cell holds, where there is room to write it.
std::string counts(const Metrics& m) {
  std::string script;
  if (m.confusion.size() > 12) return script;
  for (std::size_t row = 0; row < m.confusion.size(); ++row)
    for (std::size_t c = 0; c < m.confusion.size(); ++c)
      if (const i64 n = m.confusion[row][c]; n > 0)
        script += "set label '" + to_text(n) + "' at " + to_text(c) + "," + to_text(row) + " center front tc rgb '" +
                  (2 * n > m.per_class[row].samples ? "white" : "black") + "'\n";
  return script;
}

std::string confusion_script(const Metrics& m) {
  const std::size_t classes = m.per_class.size();
  const ConfusionLayout at(m);
  std::string script = "# Draws confusion.csv, each row as shares of its samples: gnuplot confusion.gp\n";
  script += "set datafile separator ','\nset encoding utf8\nunset key\n";
  script += "set title '" + one_decimal(100 * m.top1) + " % of " + to_text(m.samples) + " samples recognised'\n";
  script += "set yrange [" + to_text(classes) + "-0.5:-0.5]\nset xrange [-0.5:" + to_text(classes) + "-0.5]\n";
  script += frame_of_cells(at) + tics(m, "x", "rotate by 90 right") + tics(m, "y", "") + counts(m);
  script += "set palette defined (0 '#ffffff', 0.02 '#deebf7', 0.5 '#4292c6', 1 '#08306b')\n";
  script += "set cbrange [0:100]\nset cblabel 'share of the class, %'\n";
  script += "set object 1 rectangle from graph 0,0 to graph 1,1 fillcolor rgb 'white' behind\n";
  script += "do for [kind in 'svg png'] {\n";
  const std::string size = to_text(at.width) + "," + to_text(at.height),
                    twice = to_text(2 * at.width) + "," + to_text(2 * at.height);
  script += "  if (kind eq 'svg') { set terminal svg size " + size + " font 'sans,12' background rgb 'white' }\n";
  script += "  if (kind eq 'png') { set terminal pngcairo size " + twice + " font 'sans,12' fontscale 2 }\n";
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

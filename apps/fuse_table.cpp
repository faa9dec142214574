// The combinations of streams as text, CSV and JSON.
#include <algorithm>
#include <iostream>

#include "apps/fuse.h"

namespace dactyl {
namespace {

std::string names_of(const Combination& c, const std::vector<LogitStream>& streams) {
  std::string text;
  for (const std::size_t s : c.streams) text += (text.empty() ? "" : " + ") + streams[s].name;
  return text;
}

std::string number(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string percent(double share) { return number("%.2f", 100 * share); }

using Lines = std::vector<std::vector<std::string>>;

// Columns as wide as their widest cell, the first one to the left, the others to the right.
void print_aligned(const Lines& lines) {
  std::vector<std::size_t> widths(lines.front().size());
  for (const auto& line : lines)
    for (std::size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], line[c].size());
  for (const auto& line : lines) {
    for (std::size_t c = 0; c < line.size(); ++c) {
      const std::string space(widths[c] - line[c].size(), ' ');
      std::cout << (c == 0 ? line[c] + space : "  " + space + line[c]);
    }
    std::cout << '\n';
  }
}

Json named(const Combination& c, const std::vector<double>& weights, const std::vector<LogitStream>& streams) {
  Json json = Json::object();
  for (std::size_t k = 0; k < weights.size(); ++k) json[streams[c.streams[k]].name] = weights[k];
  return json;
}

Json to_json(const Combination& c, const std::vector<LogitStream>& streams) {
  Json json{{"streams", Json::array()}, {"weights", named(c, c.mean_weights(), streams)}};
  for (const std::size_t s : c.streams) json["streams"].push_back(streams[s].name);
  if (c.weights.size() > 1)
    for (const std::vector<double>& w : c.weights) json["weights_by_half"].push_back(named(c, w, streams));
  const Json fitted = Json::parse(to_json(c.fitted));
  for (const auto& [key, value] : fitted.items()) json[key] = value;
  json["equal"] = Json::parse(to_json(c.equal));
  json["equal"].erase("macro_f1_interval");  // not resampled
  return json;
}

}  // namespace

void print_fusion(const Fusion& fusion, const std::vector<LogitStream>& streams, const std::vector<LogitStream>& fit) {
  const Logits& like = streams.front().logits;
  std::cout << like.samples() << " samples of " << like.classes() << " classes; weights fitted on "
            << (fit.empty() ? "the other half of them" : to_text(fit.front().logits.samples()) + " other samples")
            << "; all figures in %\n\n";
  Lines lines{
      {"streams", "accuracy", "95 % interval", "macro F1", "weighted F1", "equal: accuracy", "equal: macro F1"}};
  for (const LogitStream& s : streams) lines[0].push_back(one_line("weight " + s.name));
  for (const Combination& c : fusion.combinations) {
    const Metrics& m = c.fitted;
    lines.push_back({one_line(names_of(c, streams)), percent(m.top1),
                     percent(m.top1_low) + " to " + percent(m.top1_high), percent(m.macro_f1), percent(m.weighted_f1),
                     percent(c.equal.top1), percent(c.equal.macro_f1)});
    lines.back().resize(lines[0].size());
    const std::vector<double> weights = c.mean_weights();
    for (std::size_t k = 0; k < weights.size(); ++k) lines.back()[7 + c.streams[k]] = percent(weights[k]);
  }
  print_aligned(lines);
  if (streams.size() < 2) return;
  const Gain& g = fusion.gain;
  std::cout << "\nall streams less the best single one, " << one_line(streams[fusion.best_single].name) << ": "
            << number("%+.2f", 100 * g.top1) << " points of accuracy, 95 % interval " << number("%+.2f", 100 * g.low)
            << " to " << number("%+.2f", 100 * g.high) << "; " << g.better << " samples right that it has wrong, "
            << g.worse << " the other way\n";
}

std::string fusion_csv(const Fusion& fusion, const std::vector<LogitStream>& streams) {
  std::string csv =
      "streams,samples,accuracy,accuracy_low,accuracy_high,macro_f1,macro_f1_low,macro_f1_high,weighted_f1,";
  csv += "loss,equal_accuracy,equal_macro_f1,equal_weighted_f1,equal_loss";
  for (const LogitStream& s : streams) csv += "," + csv_field("weight " + s.name);
  csv += "\n";
  for (const Combination& c : fusion.combinations) {
    const Metrics &m = c.fitted, &e = c.equal;
    csv += csv_field(names_of(c, streams)) + "," + to_text(m.samples);
    for (const double v : {m.top1, m.top1_low, m.top1_high, m.macro_f1, m.macro_f1_low, m.macro_f1_high, m.weighted_f1,
                           m.loss, e.top1, e.macro_f1, e.weighted_f1, e.loss})
      csv += "," + exact_text(v);
    std::vector<std::string> cells(streams.size());
    const std::vector<double> weights = c.mean_weights();
    for (std::size_t k = 0; k < weights.size(); ++k) cells[c.streams[k]] = exact_text(weights[k]);
    for (const std::string& cell : cells) csv += "," + cell;
    csv += "\n";
  }
  return csv;
}

Json fusion_json(const Fusion& fusion, const std::vector<LogitStream>& streams, const std::vector<LogitStream>& fit,
                 const std::vector<Missing>& left_out, std::uint64_t seed) {
  Json json{{"samples", streams.front().logits.samples()},
            {"classes", streams.front().logits.classes()},
            {"streams", Json::array()},
            {"fitted_on", fit.empty() ? "halves" : "fit"},
            {"fit_samples", fit.empty() ? Json(nullptr) : Json(fit.front().logits.samples())},
            {"seed", seed},
            {"left_out", Json::array()},
            {"combinations", Json::array()}};
  for (const LogitStream& s : streams) json["streams"].push_back(s.name);
  for (const Missing& m : left_out)
    json["left_out"].push_back({{"stream", m.stream}, {"samples", m.samples}, {"example", m.example}});
  for (const Combination& c : fusion.combinations) json["combinations"].push_back(to_json(c, streams));
  const Gain& g = fusion.gain;
  json["best_single"] = streams[fusion.best_single].name;
  json["gain"] = {{"top1", g.top1}, {"interval", {g.low, g.high}}, {"better", g.better}, {"worse", g.worse}};
  return json;
}

}  // namespace dactyl

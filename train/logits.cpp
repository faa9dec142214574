// Scores to a table and back.
#include "train/logits.h"

#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "train/data/csv.h"
#include "weights/checkpoint.h"
#include "weights/text.h"

namespace dactyl {
namespace {

float score(const std::string& text, const std::string& path, int line) {
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(Exit::data, error == std::errc() && end == text.data() + text.size() && std::isfinite(value),
        "{}:{}: {} is no score; a finite number is expected", path, line, shown(text));
  return value;
}

// Takes the rows of a table one by one.
class Reader {
 public:
  explicit Reader(const std::string& path) { logits_.path = path; }

  void take(int line, const Row& row) {
    if (line == 1) return header(row);
    check(Exit::data, seen_.insert(row[0]).second, "{}:{}: sample {} comes twice", logits_.path, line, shown(row[0]));
    const auto label = index_.find(row[1]);
    check(Exit::data, label != index_.end(), "{}:{}: label {} has no column", logits_.path, line, shown(row[1]));
    logits_.names.push_back(row[0]);
    logits_.truth.push_back(label->second);
    for (std::size_t c = 2; c < row.size(); ++c) logits_.values.push_back(score(row[c], logits_.path, line));
  }
  Logits result() && { return std::move(logits_); }

 private:
  void header(const Row& row) {
    check(Exit::data, row.size() > 2 && row[0] == "name" && row[1] == "label",
          "{}: is no table of scores: its header is not name,label and the classes; dactyl eval writes logits.csv",
          logits_.path);
    logits_.labels.assign(row.begin() + 2, row.end());
    for (const std::string& label : logits_.labels)
      check(Exit::data, index_.emplace(label, static_cast<int>(index_.size())).second,
            "{}: two columns are called {}; a label must mean one class", logits_.path, shown(label));
  }

  Logits logits_;
  std::map<std::string, int> index_;
  std::set<std::string> seen_;
};

}  // namespace

void write_logits(const std::string& path, const std::vector<Prediction>& predictions,
                  const std::vector<std::string>& labels) {
  std::string csv = "name,label";
  for (const std::string& label : labels) csv += "," + csv_field(label);
  csv += "\n";
  for (const Prediction& p : predictions) {
    check(p.scores.size() == labels.size(), "{}: {} has {} scores for {} classes", path, p.name, p.scores.size(),
          labels.size());
    csv += csv_field(p.name) + "," + csv_field(labels[static_cast<std::size_t>(p.label)]);
    for (const float s : p.scores) csv += "," + exact_text(s);
    csv += "\n";
  }
  write_atomically(path, csv);
}

Logits read_logits(const std::string& path) {
  Reader reader(path);
  read_csv(path, [&](int line, const Row& row) { reader.take(line, row); });
  return std::move(reader).result();
}

}  // namespace dactyl

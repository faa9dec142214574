// Who trains and who tests: by share, by a group in the name, or as written down.
#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "engine/random.h"
#include "train/data/source.h"
#include "weights/checkpoint.h"
#include "weights/text.h"

namespace dactyl {
namespace {

class Subset : public DataSource {
 public:
  Subset(std::shared_ptr<const DataSource> source, std::vector<i64> indices, std::vector<std::string> labels)
      : source_(std::move(source)), indices_(std::move(indices)), labels_(std::move(labels)) {
    if (labels_.empty()) labels_ = source_->labels();
    label_ = renumbered_labels(*source_, indices_, labels_);
  }
  i64 size() const override { return static_cast<i64>(indices_.size()); }
  int label(i64 i) const override { return label_.at(static_cast<std::size_t>(i)); }
  std::string name(i64 i) const override { return source_->name(at(i)); }
  Image image(i64 i) const override { return source_->image(at(i)); }
  Image drawn(i64 i, i64 epoch) const override { return source_->drawn(at(i), epoch); }
  std::string file(i64 i) const override { return source_->file(at(i)); }
  bool varies() const override { return source_->varies(); }
  int channels() const override { return source_->channels(); }
  std::string flow() const override { return source_->flow(); }
  int frames() const override { return source_->frames(); }
  const std::vector<std::string>& labels() const override { return labels_; }

 private:
  i64 at(i64 i) const { return indices_.at(static_cast<std::size_t>(i)); }
  std::shared_ptr<const DataSource> source_;
  std::vector<i64> indices_;
  std::vector<std::string> labels_;
  std::vector<int> label_;
};

std::vector<std::string> short_names(const Labelled& source) {
  std::vector<std::string> names;
  for (i64 i = 0; i < source.size(); ++i) names.push_back(source.name(i));
  return without_common_folder(std::move(names));
}

std::regex compiled(const std::string& pattern) {
  try {
    std::regex regex(pattern);
    check(Exit::usage, regex.mark_count() > 0, "split by \"{}\": the pattern needs a group, such as hand(\\d)",
          pattern);
    return regex;
  } catch (const std::regex_error& error) {
    fail(Exit::usage, "split by \"{}\": {}", {pattern, error.what()});
  }
}

void check_sides(const std::string& how, const Split& split) {
  check(Exit::data, !split.train.empty() && !split.test.empty(), "{}: {} training and {} test samples; both are needed",
        how, split.train.size(), split.test.size());
}

nlohmann::json names_of(const std::vector<std::string>& names, const std::vector<i64>& indices) {
  auto list = nlohmann::json::array();
  for (const i64 i : indices) list.push_back(names.at(static_cast<std::size_t>(i)));
  return list;
}

std::vector<i64> indices_of(const std::string& path, const nlohmann::json& json, const char* side,
                            const std::map<std::string, i64>& index, std::set<std::string>& seen,
                            std::vector<std::string>& missing) {
  check(Exit::data, json.contains(side) && json[side].is_array(), "{}: no list \"{}\"", path, side);
  std::vector<i64> indices;
  for (const auto& entry : json[side]) {
    check(Exit::data, entry.is_string(), "{}: a name in \"{}\" is no text", path, side);
    const auto name = entry.get<std::string>();
    check(Exit::data, seen.insert(name).second, "{}: {} is listed twice", path, name);
    if (const auto found = index.find(name); found != index.end())
      indices.push_back(found->second);
    else
      missing.push_back(name);
  }
  std::sort(indices.begin(), indices.end());
  return indices;
}

}  // namespace

std::vector<std::string> without_common_folder(std::vector<std::string> names) {
  if (names.empty()) return names;
  std::string_view common = names.front();
  for (const std::string& name : names) {
    const auto end = std::mismatch(common.begin(), common.end(), name.begin(), name.end()).first;
    common = common.substr(0, static_cast<std::size_t>(end - common.begin()));
  }
  const std::size_t cut = common.rfind('/') == common.npos ? 0 : common.rfind('/') + 1;
  for (std::string& name : names) name.erase(0, cut);
  return names;
}

std::unique_ptr<DataSource> subset(std::shared_ptr<const DataSource> source, std::vector<i64> indices,
                                   std::vector<std::string> labels) {
  return std::make_unique<Subset>(std::move(source), std::move(indices), std::move(labels));
}

std::unique_ptr<DataSource> only_classes(std::shared_ptr<const DataSource> source, std::vector<std::string> labels) {
  std::vector<i64> indices = samples_of_classes(*source, labels);
  return subset(std::move(source), std::move(indices), std::move(labels));
}

Split split_by_share(const Labelled& source, double share, std::uint64_t seed) {
  check(Exit::usage, share > 0 && share < 1, "split: a share of {} is not between 0 and 1", share);
  std::vector<std::vector<i64>> classes(source.labels().size());
  for (i64 i = 0; i < source.size(); ++i) classes[static_cast<std::size_t>(source.label(i))].push_back(i);
  Split split;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    auto& samples = classes[c];
    const auto n = static_cast<i64>(samples.size());
    Sequence(seed, static_cast<std::uint32_t>(c), 0x5917u).shuffle(samples.begin(), samples.end());
    const i64 train = n < 2 ? n : std::clamp<i64>(std::llround(share * static_cast<double>(n)), 1, n - 1);
    split.train.insert(split.train.end(), samples.begin(), samples.begin() + train);
    split.test.insert(split.test.end(), samples.begin() + train, samples.end());
  }
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.test.begin(), split.test.end());
  check_sides("split", split);
  return split;
}

Split split_by_group(const Labelled& source, const std::string& pattern, const std::vector<std::string>& test_groups) {
  const std::regex regex = compiled(pattern);
  const std::vector<std::string> names = short_names(source);
  std::set<std::string> unseen(test_groups.begin(), test_groups.end());
  Split split;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::smatch match;
    check(Exit::data, std::regex_search(names[i], match, regex), "split by \"{}\": {} does not match", pattern,
          names[i]);
    const std::string group = match[1].str();
    unseen.erase(group);
    const bool test = std::find(test_groups.begin(), test_groups.end(), group) != test_groups.end();
    (test ? split.test : split.train).push_back(static_cast<i64>(i));
  }
  check(Exit::data, unseen.empty(), "split by \"{}\": no sample in test group \"{}\"", pattern,
        unseen.empty() ? "" : *unseen.begin());
  check_sides("split by \"" + pattern + "\"", split);
  return split;
}

void write_split(const std::string& path, const Labelled& source, const Split& split) {
  const std::vector<std::string> names = short_names(source);
  for (const std::string& name : names)
    check(Exit::data, is_utf8(name), "{}: cannot list {}: the file's name is not UTF-8; rename it", path, shown(name));
  const nlohmann::json json = {{"train", names_of(names, split.train)}, {"test", names_of(names, split.test)}};
  write_atomically(path, json.dump(1) + "\n");
}

Split read_split(const std::string& path, const Labelled& source, bool complete) {
  const auto json = nlohmann::json::parse(text_file(path, Exit::data), nullptr, false);
  check(Exit::data, json.is_object(), "{}: is not the JSON of a split", path);
  std::map<std::string, i64> index;
  for (const std::string& name : short_names(source)) index.emplace(name, static_cast<i64>(index.size()));
  check(Exit::data, static_cast<i64>(index.size()) == source.size(), "{}: two samples have the same name", path);
  std::set<std::string> seen;
  Split split;
  std::vector<std::string> missing;
  split.train = indices_of(path, json, "train", index, seen, missing);
  split.test = indices_of(path, json, "test", index, seen, missing);
  check(Exit::data, !complete || missing.empty(),
        "{}: {} of its {} samples are gone from the data, the first: {}; put them back to go on, or start a new run on "
        "what is there with another --out",
        path, missing.size(), seen.size(), missing.empty() ? "" : missing.front());
  for (const auto& [side, indices] : {std::pair("train", &split.train), std::pair("test", &split.test)})
    check(Exit::data, !indices->empty(), "{}: none of the {} names in \"{}\" is in the data", path, json[side].size(),
          side);
  return split;
}

}  // namespace dactyl

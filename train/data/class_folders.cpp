// Folders of classes, and the order of labels.
#include "train/data/class_folders.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <numeric>
#include <set>

#include "train/data/labelled.h"

namespace dactyl {

namespace fs = std::filesystem;

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return {};
  return value;
}

std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (!it->path().filename().string().starts_with('.')) found.push_back(it->path());
  check(Exit::data, !error, "{}: cannot be listed: {}", folder.string(), error.message());
  std::sort(found.begin(), found.end());
  return found;
}

bool has_extension(const fs::path& path, std::initializer_list<const char*> lower_case) {
  std::string e = path.extension().string();
  std::transform(e.begin(), e.end(), e.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::any_of(lower_case.begin(), lower_case.end(), [&](const char* known) { return e == known; });
}
bool has_picture_extension(const fs::path& path) { return has_extension(path, {".jpg", ".jpeg", ".png"}); }
bool has_video_extension(const fs::path& path) {
  return has_extension(path, {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".3gp"});
}

std::vector<fs::path> samples_in(const fs::path& folder, const IsSample& is_sample) {
  std::vector<fs::path> found = entries(folder);
  std::erase_if(found, [&](const fs::path& p) { return !is_sample(p); });
  return found;
}

std::vector<fs::path> folders_in(const fs::path& folder, const IsSample& is_sample) {
  std::vector<fs::path> found = entries(folder);
  std::erase_if(found, [&](const fs::path& p) {
    std::error_code ignored;  // what cannot be examined is no folder; a sample among them fails when it is read
    return is_sample(p) || !fs::is_directory(p, ignored);
  });
  return found;
}

std::vector<Named> samples_by_class(const std::string& root, const IsSample& is_sample, const char* kind,
                                    bool allow_empty) {
  std::vector<fs::path> classes = folders_in(root, is_sample);
  const auto is_bare = [&](const fs::path& p) { return samples_in(p, is_sample).empty(); };
  if (std::all_of(classes.begin(), classes.end(), is_bare)) {
    std::vector<fs::path> deeper;
    for (const fs::path& group : classes)
      for (const fs::path& folder : folders_in(group, is_sample)) deeper.push_back(folder);
    if (!deeper.empty()) classes = deeper;
  }
  std::vector<Named> found;
  for (const fs::path& folder : classes) {
    const std::vector<fs::path> samples = samples_in(folder, is_sample);
    check(Exit::data, !samples.empty() || allow_empty, "{}: a class without {}; fill or remove the folder",
          folder.string(), kind);
    for (const fs::path& sample : samples) found.push_back({sample.string(), folder.filename().string()});
  }
  return found;
}

std::vector<std::string> label_order(const std::vector<Named>& found, const std::vector<std::string>& known) {
  if (!known.empty()) return known;
  std::set<std::string> names;
  for (const Named& n : found) names.insert(n.label);
  std::vector<std::string> labels(names.begin(), names.end());
  if (std::all_of(labels.begin(), labels.end(), [](const std::string& l) { return whole_number(l).has_value(); }))
    std::stable_sort(labels.begin(), labels.end(),
                     [](const std::string& a, const std::string& b) { return *whole_number(a) < *whole_number(b); });
  return labels;
}

std::vector<int> label_indices(const std::vector<Named>& found, const std::vector<std::string>& labels) {
  std::map<std::string, int> index;
  for (std::size_t i = 0; i < labels.size(); ++i) index.emplace(labels[i], static_cast<int>(i));
  std::vector<int> indices;
  for (const Named& n : found) {
    const auto label = index.find(n.label);
    check(Exit::data, label != index.end(), "{}: label \"{}\" is not one of the model's {} labels", n.path, n.label,
          labels.size());
    indices.push_back(label->second);
  }
  return indices;
}

std::vector<i64> Labelled::class_counts() const {
  std::vector<i64> counts(labels().size());
  for (i64 i = 0; i < size(); ++i) ++counts.at(static_cast<std::size_t>(label(i)));
  return counts;
}

std::vector<std::string> frequent_labels(const Labelled& source, i64 min_per_class, i64 top_classes) {
  const std::vector<i64> counts = source.class_counts();
  std::vector<std::size_t> order(counts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
  std::erase_if(order, [&](std::size_t c) { return counts[c] < min_per_class; });
  check(Exit::data, !order.empty(), "no class has {} samples, the largest of {} has {}; lower --min-per-class", min_per_class, counts.size(),
        counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end()));
  if (top_classes > 0 && static_cast<i64>(order.size()) > top_classes)
    order.resize(static_cast<std::size_t>(top_classes));
  std::sort(order.begin(), order.end());
  std::vector<std::string> labels;
  for (const std::size_t c : order) labels.push_back(source.labels()[c]);
  return labels;
}

std::vector<i64> samples_of_classes(const Labelled& source, const std::vector<std::string>& labels) {
  const std::set<std::string> wanted(labels.begin(), labels.end());
  std::vector<i64> samples;
  for (i64 i = 0; i < source.size(); ++i)
    if (wanted.contains(source.labels()[static_cast<std::size_t>(source.label(i))])) samples.push_back(i);
  check(Exit::data, !samples.empty(), "no sample belongs to the {} classes asked for", labels.size());
  return samples;
}

std::vector<int> renumbered_labels(const Labelled& source, const std::vector<i64>& samples,
                                   const std::vector<std::string>& labels) {
  std::map<std::string, int> index;
  for (std::size_t c = 0; c < labels.size(); ++c) index.emplace(labels[c], static_cast<int>(c));
  std::vector<int> renumbered;
  for (const i64 i : samples) {
    check(i >= 0 && i < source.size(), "subset: sample {} of {}", i, source.size());
    const auto label = index.find(source.labels()[static_cast<std::size_t>(source.label(i))]);
    check(label != index.end(), "subset: {} has a label that is left out", source.name(i));
    renumbered.push_back(label->second);
  }
  return renumbered;
}

}  // namespace dactyl

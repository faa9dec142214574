// Labelled pictures: from a folder of classes, a CSV file, or a flat folder of numbered files.
#include "train/data/source.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "train/data/csv.h"
#include "weights/text.h"

namespace dactyl {
namespace {

namespace fs = std::filesystem;

// A picture and the name of its class.
struct Named {
  std::string path, label;
};

bool has_picture_extension(const fs::path& path) {
  std::string e = path.extension().string();
  std::transform(e.begin(), e.end(), e.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return e == ".jpg" || e == ".jpeg" || e == ".png";
}

// What lies in a folder, hidden entries left out, in order of name.
std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (!it->path().filename().string().starts_with('.')) found.push_back(it->path());
  check(Exit::data, !error, "{}: cannot be listed: {}", folder.string(), error.message());
  std::sort(found.begin(), found.end());
  return found;
}

bool is_class_folder(const fs::path& path) {
  std::error_code ignored;  // what cannot be examined is no folder; a picture among them fails when it is read
  return fs::is_directory(path, ignored) && !has_picture_extension(path);
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> found = entries(folder);
  std::erase_if(found, [](const fs::path& p) { return !is_class_folder(p); });
  return found;
}

std::vector<fs::path> pictures_in(const fs::path& folder) {
  std::vector<fs::path> found = entries(folder);
  std::erase_if(found, [](const fs::path& p) { return !has_picture_extension(p); });
  return found;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return {};
  return value;
}

// Labels in the order of their indices: by number if all are numbers, else by name.
std::vector<std::string> sorted_labels(const std::set<std::string>& names) {
  std::vector<std::string> labels(names.begin(), names.end());
  if (std::all_of(labels.begin(), labels.end(), [](const std::string& l) { return number(l).has_value(); }))
    std::stable_sort(labels.begin(), labels.end(),
                     [](const std::string& a, const std::string& b) { return *number(a) < *number(b); });
  return labels;
}

std::unique_ptr<DataSource> from_named(const std::string& origin, const std::vector<Named>& found,
                                       const std::vector<std::string>& known) {
  check(Exit::data, !found.empty(),
        "{}: no picture found; expected sub-folders named like the classes with .jpg, .jpeg or .png files", origin);
  std::set<std::string> names;
  for (const Named& n : found) {
    check(Exit::data, is_utf8(n.label), "{}: its label {} is not UTF-8; rename the class", n.path, shown(n.label));
    names.insert(n.label);
  }
  const std::vector<std::string> labels = known.empty() ? sorted_labels(names) : known;
  std::map<std::string, int> index;
  for (std::size_t i = 0; i < labels.size(); ++i) index.emplace(labels[i], static_cast<int>(i));
  std::vector<Item> items;
  for (const Named& n : found) {
    const auto label = index.find(n.label);
    check(Exit::data, label != index.end(), "{}: label \"{}\" is not one of the model's {} labels", n.path, n.label,
          labels.size());
    items.push_back({n.path, label->second});
  }
  return std::make_unique<ImageFiles>(labels, std::move(items));
}

// Classes are the sub-folders; where those hold folders instead of pictures (one per signer, say), the ones below.
std::unique_ptr<DataSource> from_folders(const std::string& root, const std::vector<std::string>& known) {
  std::vector<fs::path> classes = folders_in(root);
  const auto is_bare = [](const fs::path& p) { return pictures_in(p).empty(); };
  if (std::all_of(classes.begin(), classes.end(), is_bare)) {
    std::vector<fs::path> deeper;
    for (const fs::path& group : classes)
      for (const fs::path& folder : folders_in(group)) deeper.push_back(folder);
    if (!deeper.empty()) classes = deeper;
  }
  std::vector<Named> found;
  for (const fs::path& folder : classes) {
    const std::vector<fs::path> pictures = pictures_in(folder);
    check(Exit::data, !pictures.empty() || !known.empty(), "{}: a class without a picture; fill or remove the folder",
          folder.string());
    for (const fs::path& picture : pictures) found.push_back({picture.string(), folder.filename().string()});
  }
  return from_named(root, found, known);
}

std::unique_ptr<DataSource> from_numbered(const std::string& root, const std::vector<fs::path>& pictures,
                                          std::vector<std::string> labels) {
  std::vector<Item> items;
  int most = 0;
  for (const fs::path& picture : pictures) {
    const std::string name = picture.filename().string();
    const auto label = number(name.substr(0, name.find_first_not_of("0123456789")));
    check(Exit::data, label.has_value(),
          "{}: expected sub-folders named like the classes, or files whose names begin with the class number",
          picture.string());
    check(Exit::data, labels.empty() || *label < static_cast<int>(labels.size()), "{}: class {} of {} labels",
          picture.string(), *label, labels.size());
    check(Exit::data, *label < 1'000'000, "{}: class {} is above the limit of 999999", picture.string(), *label);
    most = std::max(most, *label);
    items.push_back({picture.string(), *label});
  }
  check(Exit::data, !items.empty(), "{}: no picture found", root);
  const bool numbers_only = labels.empty();
  for (int i = 0; numbers_only && i <= most; ++i) labels.push_back(std::to_string(i));
  return std::make_unique<ImageFiles>(std::move(labels), std::move(items));
}

std::unique_ptr<DataSource> from_csv(const std::string& path, const std::vector<std::string>& known) {
  const Table table = read_csv(path);
  const std::size_t path_column = table.column("path"), label_column = table.column("label");
  std::vector<Named> found;
  for (const auto& row : table.rows)
    found.push_back({(fs::path(path).parent_path() / row[path_column]).string(), row[label_column]});
  return from_named(path, found, known);
}

}  // namespace

ImageFiles::ImageFiles(std::vector<std::string> labels, std::vector<Item> items)
    : labels_(std::move(labels)), items_(std::move(items)) {
  std::sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) { return a.path < b.path; });
  for (const Item& item : items_)
    check(item.label >= 0 && item.label < static_cast<int>(labels_.size()), "{}: class {} of {} labels", item.path,
          item.label, labels_.size());
}

i64 ImageFiles::size() const { return static_cast<i64>(items_.size()); }
int ImageFiles::label(i64 i) const { return items_.at(static_cast<std::size_t>(i)).label; }
std::string ImageFiles::name(i64 i) const { return items_.at(static_cast<std::size_t>(i)).path; }
Image ImageFiles::image(i64 i) const { return read_image(items_.at(static_cast<std::size_t>(i)).path); }
const std::vector<std::string>& ImageFiles::labels() const { return labels_; }

std::vector<i64> DataSource::class_counts() const {
  std::vector<i64> counts(labels().size());
  for (i64 i = 0; i < size(); ++i) ++counts.at(static_cast<std::size_t>(label(i)));
  return counts;
}

std::unique_ptr<DataSource> open_source(const std::string& path, const std::vector<std::string>& known) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  check(Exit::data, fs::exists(status), "{}: no such folder or CSV file", path);
  if (!fs::is_directory(status)) return from_csv(path, known);
  if (const auto pictures = pictures_in(path); !pictures.empty() && folders_in(path).empty())
    return from_numbered(path, pictures, known);
  return from_folders(path, known);
}

}  // namespace dactyl

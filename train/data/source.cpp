// Labelled pictures: from a folder of classes, a CSV file, or a flat folder of numbered files.
#include "train/data/source.h"

#include <algorithm>

#include "train/data/class_folders.h"
#include "train/data/csv.h"
#include "weights/text.h"

namespace dactyl {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<DataSource> from_named(const std::string& origin, const std::vector<Named>& found,
                                       const std::vector<std::string>& known) {
  check(Exit::data, !found.empty(),
        "{}: no picture found; expected sub-folders named like the classes with .jpg, .jpeg or .png files, or with "
        "videos",
        origin);
  for (const Named& n : found)
    check(Exit::data, is_utf8(n.label), "{}: its label {} is not UTF-8; rename the class", n.path, shown(n.label));
  std::vector<std::string> labels = label_order(found, known);
  const std::vector<int> indices = label_indices(found, labels);
  std::vector<Item> items;
  for (std::size_t i = 0; i < found.size(); ++i) items.push_back({found[i].path, indices[i]});
  return std::make_unique<ImageFiles>(std::move(labels), std::move(items));
}

std::unique_ptr<DataSource> from_numbered(const std::string& root, const std::vector<fs::path>& pictures,
                                          std::vector<std::string> labels) {
  std::vector<Item> items;
  int most = 0;
  for (const fs::path& picture : pictures) {
    const std::string name = picture.filename().string();
    const auto label = whole_number(name.substr(0, name.find_first_not_of("0123456789")));
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

std::unique_ptr<DataSource> open_source(const std::string& path, const std::vector<std::string>& known) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  check(Exit::data, fs::exists(status), "{}: no such folder, CSV file or pack", path);
  if (!fs::is_directory(status)) return from_csv(path, known);
  if (const auto pictures = samples_in(path, has_picture_extension);
      !pictures.empty() && folders_in(path, has_picture_extension).empty())
    return from_numbered(path, pictures, known);
  return from_named(path, samples_by_class(path, has_picture_extension, "a picture", !known.empty()), known);
}

}  // namespace dactyl

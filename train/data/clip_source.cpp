// Opening folders and tables of clips, and sources made from other sources.
#include "train/data/clip_source.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "train/data/class_folders.h"
#include "train/data/clip_folder.h"
#include "train/data/csv.h"
#include "train/data/pack.h"

namespace dactyl {
namespace {

namespace fs = std::filesystem;

bool is_frame_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored) && !samples_in(path, has_picture_extension).empty();
}

std::unique_ptr<ClipSource> from_named(const std::string& origin, const std::vector<Named>& found,
                                       std::vector<ClipItem> items, const std::vector<std::string>& known, double fps) {
  check(Exit::data, !found.empty(),
        "{}: no clip found; expected sub-folders named like the classes with videos (.mp4, .mov, .mkv, .webm, .avi) or "
        "folders of pictures",
        origin);
  std::vector<std::string> labels = label_order(found, known);
  const std::vector<int> indices = label_indices(found, labels);
  for (std::size_t i = 0; i < found.size(); ++i) items[i].label = indices[i];
  return std::make_unique<ClipFiles>(std::move(labels), std::move(items), fps);
}

double seconds(const Table& table, std::size_t row, std::size_t column, double otherwise) {
  const std::string& text = table.rows[row][column];
  if (text.empty()) return otherwise;
  double value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(Exit::data, error == std::errc() && end == text.data() + text.size() && value >= 0 && value < 1e9,
        "{}: sample {}: \"{}\" in column \"{}\" is no number of seconds", table.path, row + 1, text,
        table.header[column]);
  return value;
}

std::unique_ptr<ClipSource> from_csv(const std::string& path, const std::vector<std::string>& known, double fps) {
  const Table table = read_csv(path);
  const std::size_t path_column = table.column("path"), label_column = table.column("label");
  const auto has = [&](const char* name) {
    return std::find(table.header.begin(), table.header.end(), name) != table.header.end();
  };
  std::vector<Named> found;
  std::vector<ClipItem> items;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    found.push_back(
        {(fs::path(path).parent_path() / table.rows[r][path_column]).string(), table.rows[r][label_column]});
    ClipItem item{found.back().path, 0};
    if (has("start")) item.span.start = seconds(table, r, table.column("start"), item.span.start);
    if (has("end")) item.span.end = seconds(table, r, table.column("end"), item.span.end);
    check(Exit::data, item.span.start < item.span.end, "{}: sample {}: ends at {} s, before it starts at {} s", path,
          r + 1, item.span.end, item.span.start);
    items.push_back(item);
  }
  return from_named(path, found, std::move(items), known, fps);
}

}  // namespace

std::unique_ptr<ClipSource> open_clips(const std::string& path, const std::vector<std::string>& known, double fps,
                                       bool frame_folders) {
  check(Exit::usage, fps > 0 && fps <= 1000, "{}: {} frames per second; up to 1000 are possible", path, fps);
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  check(Exit::data, fs::exists(status), "{}: no such folder, CSV file or pack", path);
  if (is_pack(path)) return open_pack(path, known);
  if (!fs::is_directory(status)) return from_csv(path, known, fps);
  std::vector<Named> found;
  if (!frame_folders) found = samples_by_class(path, has_video_extension, "a video", true);
  if (found.empty()) found = samples_by_class(path, is_frame_folder, "a clip", true);
  std::vector<ClipItem> items;
  for (const Named& n : found) items.push_back({n.path, 0});
  return from_named(path, found, std::move(items), known, fps);
}

std::unique_ptr<ClipSource> video_files(std::vector<std::string> labels, std::vector<std::string> paths) {
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  std::vector<ClipItem> items;
  for (const std::string& path : paths) items.push_back({path, 0});
  return std::make_unique<ClipFiles>(std::move(labels), std::move(items), 25);
}

bool holds_videos(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error))
    return samples_by_class(path, has_video_extension, "a video", true).size() >
           samples_by_class(path, has_picture_extension, "a picture", true).size();
  if (!fs::is_regular_file(path, error)) return false;
  if (is_pack(path)) return true;
  const Table table = read_csv(path);
  if (std::find(table.header.begin(), table.header.end(), "path") == table.header.end() || table.rows.empty())
    return false;
  return has_video_extension(table.rows[0][table.column("path")]) ||
         std::find(table.header.begin(), table.header.end(), "start") != table.header.end();
}

Image ClipSource::clip(i64 i, const Times& times) const {
  return std::move(clips(i, [&](const VideoInfo&) { return std::vector<Times>{times}; }).front());
}

Image ClipSource::all_frames(i64 i) const {
  return std::move(clips(i, [](const VideoInfo& info) { return std::vector<Times>{info.times}; }).front());
}

}  // namespace dactyl

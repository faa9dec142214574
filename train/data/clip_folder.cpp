// Clips from videos, parts of videos, and folders of pictures.
#include "train/data/clip_folder.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "train/data/class_folders.h"
#include "train/data/csv.h"
#include "train/data/load_stage.h"

namespace dactyl {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> pictures_of(const std::string& folder) {
  std::vector<std::string> paths;
  for (const fs::path& picture : samples_in(folder, has_picture_extension)) paths.push_back(picture.string());
  check(Exit::data, !paths.empty(), "{}: holds no picture (.jpg, .jpeg or .png) to be a frame", folder);
  return paths;
}

VideoInfo frames_info(const std::vector<std::string>& pictures, double fps) {
  const Image first = read_image(pictures.front());
  VideoInfo info;
  info.frames = static_cast<i64>(pictures.size());
  for (i64 i = 0; i < info.frames; ++i) info.times.push_back(static_cast<double>(i) / fps);
  info.duration = static_cast<double>(info.frames) / fps;
  info.fps = fps;
  info.height = first.height;
  info.width = first.width;
  info.container = "folder";
  info.codec = "pictures";
  return info;
}

std::vector<Image> read_frames(const std::vector<std::string>& pictures, const VideoInfo& info,
                              const FrameLists& lists) {
  std::vector<Image> clips;
  for (const auto& list : lists) {
    Image clip{info.height, info.width, {}, static_cast<int>(list.size())};
    clip.rgb.reserve(list.size() * clip.frame_bytes());
    for (std::size_t f = 0; f < list.size(); ++f) {
      if (f > 0 && list[f] == list[f - 1]) {
        const auto before = clip.rgb.size() - clip.frame_bytes();
        clip.rgb.insert(clip.rgb.end(), clip.rgb.data() + before, clip.rgb.data() + before + clip.frame_bytes());
        continue;
      }
      const std::string& path = pictures[static_cast<std::size_t>(list[f])];
      const Image image = read_image(path);
      check(Exit::data, image.height == info.height && image.width == info.width,
            "{}: {} x {} among frames of {} x {}; a clip's frames have one size", path, image.height, image.width,
            info.height, info.width);
      clip.rgb.insert(clip.rgb.end(), image.rgb.begin(), image.rgb.end());
    }
    clips.push_back(std::move(clip));
  }
  return clips;
}

// A part of a video: its frames' indices there, and what it looks like as a video of its own.
struct Part {
  i64 first = 0;
  VideoInfo info;
};

// Frames that appear in [start, end), or the nearest one if there is none; the microseconds forgive rounded tables.
Part cut(const VideoInfo& whole, const ClipItem& item) {
  if (item.span.start <= 0 && std::isinf(item.span.end)) return {0, whole};
  check(Exit::data, item.span.start < whole.duration, "{}: a part from {} s of a video of {} s", item.path,
        item.span.start, whole.duration);
  Part part{0, whole};
  const auto from = [&](double t) {
    return std::lower_bound(whole.times.begin(), whole.times.end(), t - 1e-6) - whole.times.begin();
  };
  i64 first = from(item.span.start), end = from(item.span.end);
  if (first >= end) first = nearest_frame(whole.times, item.span.start), end = first + 1;
  part.first = first;
  part.info.times.assign(whole.times.begin() + first, whole.times.begin() + end);
  const double origin = part.info.times.front();
  for (double& t : part.info.times) t -= origin;
  part.info.frames = end - first;
  part.info.duration = (end < whole.frames ? whole.times[static_cast<std::size_t>(end)] : whole.duration) - origin;
  part.info.fps = static_cast<double>(part.info.frames) / part.info.duration;
  return part;
}

FrameLists nearest(const Part& part, const std::vector<Times>& lists) {
  FrameLists chosen(lists.size());
  for (std::size_t c = 0; c < lists.size(); ++c)
    for (const double t : lists[c]) chosen[c].push_back(part.first + nearest_frame(part.info.times, t));
  return chosen;
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored) && !has_video_extension(path);
}

}  // namespace

ClipFiles::ClipFiles(std::vector<std::string> labels, std::vector<ClipItem> items, double fps)
    : labels_(std::move(labels)), items_(std::move(items)), fps_(fps) {
  const auto key = [](const ClipItem& i) { return std::tie(i.path, i.span.start, i.span.end, i.label); };
  std::sort(items_.begin(), items_.end(), [&](const ClipItem& a, const ClipItem& b) { return key(a) < key(b); });
  for (const ClipItem& i : items_)
    check(Exit::data, i.label >= 0 && i.label < static_cast<int>(labels_.size()), "{}: class {} of {} labels", i.path,
          i.label, labels_.size());
}

std::string ClipFiles::name(i64 i) const {
  const ClipItem& it = item(i);
  if (it.span.start <= 0 && std::isinf(it.span.end)) return it.path;
  return it.path + "@" + exact_text(it.span.start) + "-" + (std::isinf(it.span.end) ? "" : exact_text(it.span.end));
}

VideoInfo ClipFiles::info(i64 i) const {
  const ClipItem& it = item(i);
  return cut(is_folder(it.path) ? frames_info(pictures_of(it.path), fps_) : probe_video(it.path), it).info;
}

std::vector<Image> ClipFiles::clips(i64 i, const ChooseTimes& choose) const {
  const ClipItem& it = item(i);
  const auto chosen = [&](const VideoInfo& whole) {
    const Part part = cut(whole, it);
    return nearest(part, choose(part.info));
  };
  const Staged decoding(LoadStage::decode);  // a video is read as it is decoded
  if (!is_folder(it.path)) return read_chosen(it.path, chosen);
  const std::vector<std::string> pictures = pictures_of(it.path);
  const VideoInfo info = frames_info(pictures, fps_);
  return read_frames(pictures, info, chosen(info));
}

void ClipFiles::check_sample(i64 i) const {
  const ClipItem& it = item(i);
  if (is_folder(it.path)) {
    const std::vector<std::string> pictures = pictures_of(it.path);
    const VideoInfo info = frames_info(pictures, fps_);
    for (i64 f = 0; f < info.frames; ++f) read_frames(pictures, info, {{f}});
    cut(info, it);
  } else {
    cut(check_video(it.path), it);
  }
}

std::vector<std::string> ClipFiles::files(i64 i) const {
  return is_folder(item(i).path) ? pictures_of(item(i).path) : std::vector{item(i).path};
}

}  // namespace dactyl

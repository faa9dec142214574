// The pictures and videos that are meant by files and folders on the command line, and folders to write into.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "apps/cli.h"

namespace dactyl {
namespace {

namespace fs = std::filesystem;

// Everything called like a picture or a video below a folder, also what turns out to be none. A folder that cannot be
// listed stands for what is in it: it fails when it is read, and the others are still predicted.
void add_samples(const fs::path& folder, std::vector<std::string>& files) {
  std::error_code error, ignored;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!it->is_symlink(ignored) && it->is_directory(ignored))
      add_samples(it->path(), files);
    else if (has_picture_extension(it->path()) || has_video_extension(it->path()))
      files.push_back(it->path().string());
  }
  if (error) files.push_back(folder.string());
}

}  // namespace

std::vector<std::string> sample_files(const std::vector<std::string>& given) {
  std::vector<std::string> files;
  for (const std::string& path : given) {
    std::error_code ignored;  // what cannot be examined is a file, and fails when it is read
    if (!fs::is_directory(path, ignored)) {
      files.push_back(path);
      continue;
    }
    const auto first = static_cast<std::ptrdiff_t>(files.size());
    add_samples(path, files);
    std::sort(files.begin() + first, files.end());
  }
  check(Exit::data, !files.empty(), "no .jpg, .jpeg or .png and no video (.mp4 and its kin) below {}", given.front());
  return files;
}

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  check(Exit::data, !error, "{}: cannot be made: {}; choose another --out", path, error.message());
  const bool good = ::access(path.c_str(), W_OK | X_OK) == 0;
  check(Exit::data, good, "{}: cannot be written to: {}; choose another --out", path, good ? "" : std::strerror(errno));
  check(Exit::data, fs::is_directory(path, error), "{}: is no folder; choose another --out", path);
}

}  // namespace dactyl

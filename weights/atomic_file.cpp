// Temporary file, fsync, rename, fsync of the folder.
#include "weights/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "weights/checkpoint.h"

namespace dactyl {
namespace {

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Bytes an ordinary user may still write there; none if the system does not say.
std::optional<std::uint64_t> free_bytes(const std::string& folder) {
  struct statvfs status {};
  if (::statvfs(folder.c_str(), &status) != 0) return std::nullopt;
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path, std::uint64_t bytes_needed)
    : path_(path), part_(path + ".part"), folder_(folder_of(path)), needed_(bytes_needed) {
  struct stat status {};
  check(Exit::data, ::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode),
        "{}: exists and is not an ordinary file; name another one", path);
  ::unlink(part_.c_str());  // left by a killed process
  const auto free = free_bytes(folder_);
  check(Exit::data, !free || needed_ <= *free, "{}: needs {} bytes, {} has {} free; make room or choose another folder",
        path, std::to_string(needed_), folder_, std::to_string(free.value_or(0)));
  descriptor_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (descriptor_ < 0) refuse("creating", errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(part_.c_str());
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  constexpr std::size_t limit = std::size_t{1} << 30;  // one call writes at most 2 GiB
  const auto* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t n = ::write(descriptor_, at, std::min(bytes, limit));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) refuse("writing", n < 0 ? errno : ENOSPC);
    at += n;
    bytes -= static_cast<std::size_t>(n);
    written_ += static_cast<std::uint64_t>(n);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) refuse("syncing", errno);
  const int descriptor = descriptor_;
  descriptor_ = -1;
  // From here on the destructor has nothing to undo, so failures remove the temporary file themselves.
  if (::close(descriptor) != 0 || ::rename(part_.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    ::unlink(part_.c_str());
    refuse("renaming", error);
  }
  sync_folder();
}

// Without this a power failure may lose the new name. File systems that cannot sync a folder say EINVAL.
void AtomicFile::sync_folder() const {
  const int descriptor = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) refuse("opening the folder of", errno);
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (error != 0 && error != EINVAL) refuse("syncing the folder of", error);
}

void AtomicFile::refuse(const char* doing, int error) const {
  const auto free = free_bytes(folder_);
  fail(Exit::data, "{}: {} it failed after {} bytes: {}; it needs {} bytes{}",
       {path_, doing, std::to_string(written_), std::strerror(error), std::to_string(needed_),
        free ? ", " + folder_ + " has " + std::to_string(*free) + " free" : ""});
}

void write_atomically(const std::string& path, const std::string& content) {
  AtomicFile file(path, content.size());
  file.write(content.data(), content.size());
  file.commit();
}

}  // namespace dactyl

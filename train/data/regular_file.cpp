// Opening and reading a sample's file.
#include "train/data/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace dactyl {

RegularFile::RegularFile(const std::string& path, const char* kind, i64 byte_limit)
    : descriptor_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
  check(Exit::data, descriptor_ >= 0, "cannot be opened: {}", std::strerror(errno));
  try {
    struct stat facts {};
    check(Exit::data, ::fstat(descriptor_, &facts) == 0, "cannot be examined: {}", std::strerror(errno));
    check(Exit::data, !S_ISDIR(facts.st_mode), "is a directory, not {}", kind);
    check(Exit::data, S_ISREG(facts.st_mode), "is not a regular file");
    check(Exit::data, facts.st_size > 0, "is empty");
    check(Exit::data, facts.st_size <= byte_limit, "has {} bytes, the limit is {}", i64{facts.st_size}, byte_limit);
    size_ = facts.st_size;
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

RegularFile::~RegularFile() { ::close(descriptor_); }

i64 RegularFile::read_some(i64 offset, std::uint8_t* to, i64 bytes) const {
  ssize_t count;
  do count = ::pread(descriptor_, to, static_cast<std::size_t>(bytes), offset);
  while (count < 0 && errno == EINTR);
  check(Exit::data, count >= 0, "cannot be read past byte {}: {}", offset, count < 0 ? std::strerror(errno) : "");
  return count;
}

void RegularFile::read(i64 offset, std::uint8_t* to, i64 bytes) const {
  for (i64 done = 0; done < bytes;) {
    const i64 count = read_some(offset + done, to + done, bytes - done);
    check(Exit::data, count > 0, "cannot be read past byte {}: it shrank", offset + done);
    done += count;
  }
}

std::vector<std::uint8_t> RegularFile::read_all() const {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size_));
  read(0, bytes.data(), size_);
  return bytes;
}

}  // namespace dactyl

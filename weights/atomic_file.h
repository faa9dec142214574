// A file that appears whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace dactyl {

// Writes to `path` + ".part"; commit() syncs it, renames it over `path` and syncs the folder, so at every moment `path`
// is the old file or the whole new one. Without commit the temporary file is removed. A killed process leaves at most
// one such file, which the next attempt replaces. Errors are Exit::data; they name the path, the bytes needed and free.
class AtomicFile {
 public:
  AtomicFile(const std::string& path, std::uint64_t bytes_needed);  // refuses if the disk has not that much space
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t bytes);
  void commit();

 private:
  [[noreturn]] void refuse(const char* doing, int error) const;
  void sync_folder() const;

  std::string path_, part_, folder_;
  std::uint64_t needed_, written_ = 0;
  int descriptor_ = -1;
};

}  // namespace dactyl

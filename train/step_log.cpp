// Appending rows, and cutting back to a step.
#include "train/step_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "weights/checkpoint.h"

namespace dactyl {
namespace {

std::string kept(const std::string& path, const std::string& header, i64 last_step) {
  std::ifstream file(path, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  std::string text = header + "\n";
  for (std::size_t start = all.find('\n'); start != all.npos && start + 1 < all.size();) {
    const std::size_t end = all.find('\n', ++start);
    if (end == all.npos) break;
    if (std::strtoll(all.c_str() + start, nullptr, 10) <= last_step) text += all.substr(start, end - start + 1);
    start = end;
  }
  return text;
}

}  // namespace

StepLog::StepLog(const std::string& path, const std::string& header, i64 last_step) : path_(path) {
  write_atomically(path, kept(path, header, last_step));
  file_ = open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  check(Exit::data, file_ >= 0, "{}: cannot be written: {}", path, std::strerror(errno));
}

StepLog::~StepLog() { close(file_); }

bool StepLog::put() {
  while (!waiting_.empty()) {
    const ssize_t n = write(file_, waiting_.data(), waiting_.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    waiting_.erase(0, static_cast<std::size_t>(n));
  }
  return true;
}

void StepLog::add(const std::string& row) {
  waiting_ += row + "\n";
  put();
}

void StepLog::sync() {
  const bool good = put() && fsync(file_) == 0;
  const std::string reason = good ? "" : std::strerror(errno);
  check(Exit::data, good, "{}: cannot be written: {}; make room on the disk", path_, reason);
}

}  // namespace dactyl

// Appending rows, and cutting back to a step.
#include "train/step_log.h"

#include <unistd.h>

#include <cstdlib>
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
  file_.reset(std::fopen(path.c_str(), "a"));
  check(Exit::data, file_ != nullptr, "{}: cannot be written", path);
}

void StepLog::add(const std::string& row) {
  const bool good = std::fprintf(file_.get(), "%s\n", row.c_str()) > 0 && std::fflush(file_.get()) == 0;
  check(Exit::data, good, "{}: cannot be written; is the disk full?", path_);
}

void StepLog::sync() { check(Exit::data, fsync(fileno(file_.get())) == 0, "{}: cannot be synced to the disk", path_); }

}  // namespace dactyl

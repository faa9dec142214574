// Making, locking and describing a run folder.
#include "train/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

namespace dactyl {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string now() {
  char text[32];
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &parts);
  return text;
}

void write_json(const std::string& path, const Json& json) {
  write_atomically(path, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

// A word as a shell would need it.
std::string shell_word(const std::string& word) {
  if (!word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                              "-_./=@:,+%") == word.npos)
    return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

RunFolder::RunFolder(const std::string& path, bool resume) : path_(path) {
  check(Exit::usage, !path.empty(), "train: --out is missing: the folder for what the run leaves behind");
  std::error_code error;
  fs::create_directories(path, error);
  check(Exit::data, !error, "{}: cannot be made: {}", path, error.message());
  lock_ = open((path + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  check(Exit::data, lock_ >= 0, "{}: cannot be written", path);
  const bool free = flock(lock_, LOCK_EX | LOCK_NB) == 0;
  if (!free) close(lock_);
  check(Exit::usage, free, "{}: another training uses this folder; wait for it or choose another --out", path);
  const std::string kept = has_state() ? "" : result();
  if (kept.empty() && (resume || !has_state())) return;
  close(lock_);
  check(
      Exit::data, kept.empty(),
      "{}: holds {} of a run, but last.state, to go on from, is missing; put it back, or start anew with another --out",
      path, kept);
  fail(Exit::usage, "{}: holds a run already; --resume {} continues it, or choose another --out", {path, path});
}

std::string RunFolder::result() const {
  for (const char* name : {"best.safetensors", "last.safetensors"})
    if (fs::exists(*this / name)) return name;
  const std::string rows = content(*this / "train.csv");
  return std::count(rows.begin(), rows.end(), '\n') > 1 ? "train.csv" : "";
}

void RunFolder::require_space(i64 bytes) const {
  std::error_code error;
  const fs::space_info space = fs::space(path_, error);
  if (error || space.available >= static_cast<std::uintmax_t>(bytes)) return;  // a disk that does not say may have it
  const auto mebibytes = [](std::uintmax_t n) { return to_text(static_cast<i64>(n >> 20)) + " MiB"; };
  fail(Exit::data,
       "{}: the run needs {} of disk for its state and models, {} are free; make room or choose another --out",
       {path_, mebibytes(static_cast<std::uintmax_t>(bytes) + (1 << 20) - 1), mebibytes(space.available)});
}

bool RunFolder::has_state() const { return fs::exists(path_ + "/last.state"); }

RunFolder::~RunFolder() { close(lock_); }  // which unlocks

void RunFolder::write_command() const {
  const std::string raw = content("/proc/self/cmdline");
  std::string line;
  for (std::size_t start = 0; start < raw.size();) {
    const std::size_t end = std::min(raw.find('\0', start), raw.size());
    line += (line.empty() ? "" : " ") + shell_word(raw.substr(start, end - start));
    start = end + 1;
  }
  write_atomically(*this / "command.txt", content(*this / "command.txt") + line + "\n");
}

void RunFolder::write_environment() const {
  Json gpus = Json::array(), found = Json::object();
  for (int i = 0; i < gpu_count(); ++i) gpus.push_back(gpu_text(i));
  for (const auto& [name, version] : libraries()) found[name] = version;
  utsname system{};
  uname(&system);
  write_json(*this / "env.json", {{"dactyl", DACTYL_VERSION},
                                  {"started", now()},
                                  {"system", std::string(system.sysname) + " " + system.release + " " + system.machine},
                                  {"cores", std::thread::hardware_concurrency()},
                                  {"device", to_text(Context::current().device())},
                                  {"gpus", gpus},
                                  {"libraries", found},
                                  {"compiler", __VERSION__}});
}

void RunFolder::write_labels(const std::vector<std::string>& labels) const {
  Json json = Json::object();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    check(Exit::data, is_utf8(labels[i]), "{}/labels.json: cannot hold the label {}, which is not UTF-8", path_,
          shown(labels[i]));
    json[labels[i]] = i;
  }
  write_json(*this / "labels.json", json);
}

std::vector<std::string> RunFolder::read_labels() const {
  const std::string path = *this / "labels.json";
  const Json json = Json::parse(content(path), nullptr, false);
  check(Exit::data, json.is_object() && !json.empty(), "{}: is damaged; label -> index was expected", path);
  std::vector<std::string> labels(json.size());
  for (const auto& [label, index] : json.items()) {
    check(Exit::data, index.is_number_unsigned() && index.get<std::size_t>() < labels.size(),
          "{}: the index of {} is not one of 0 to {}", path, label, labels.size() - 1);
    labels[index.get<std::size_t>()] = label;
  }
  return labels;
}

void RunFolder::write_class_weights(const std::vector<std::string>& labels, const std::vector<double>& weights) const {
  Json json = Json::object();
  for (std::size_t i = 0; i < labels.size(); ++i) json[labels[i]] = weights[i];
  write_json(*this / "class_weights.json", json);
}

}  // namespace dactyl

// Plans as a file: its text, its place, and several processes at it.
#include "kernels/plan_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/check.h"

namespace dactyl {
namespace {

constexpr const char* head = "dactyl plans 1";

void say(const std::string& text) { std::fprintf(stderr, "dactyl: %s\n", text.c_str()); }

// FNV-1a, 64 bits, as 16 digits.
std::string sum_of(std::string_view text) {
  std::uint64_t sum = 0xcbf29ce484222325ULL;
  for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(sum));
  return digits;
}

bool read_line(const std::string& line, Choices& to) {
  const std::size_t first = line.find('\t'), second = line.find('\t', first + 1);
  if (first == line.npos || second == line.npos) return false;
  to[line.substr(second + 1)] = {line.substr(0, first), std::atof(line.c_str() + first + 1) * 1e-6};
  return true;
}

// Held while a file is read, added to and replaced, so that no process loses what another has just added. Without a
// lock (some network disks have none) the work is done all the same: what is lost is searched again.
class Lock {
 public:
  explicit Lock(const std::string& path) : file_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (file_ >= 0) flock(file_, LOCK_EX);
  }
  ~Lock() {
    if (file_ >= 0) close(file_);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int file_;
};

std::string text_of(const std::string& path) {  // empty if it cannot be read
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

bool replace(const std::string& path, const std::string& text) {
  const std::string part = path + "." + std::to_string(getpid()) + "." + std::to_string(gettid()) + ".part";
  std::FILE* file = std::fopen(part.c_str(), "w");
  if (!file) return false;
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool closed = std::fclose(file) == 0;
  if (written && closed && std::rename(part.c_str(), path.c_str()) == 0) return true;
  std::remove(part.c_str());
  return false;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

std::string plan_text(const std::string& machine, const Choices& choices) {
  std::string text = std::string(head) + "\n" + machine + "\n";
  for (const auto& [problem, choice] : choices) {
    char time[32];
    std::snprintf(time, sizeof time, "%.2f", choice.seconds * 1e6);
    text += choice.way + "\t" + time + "\t" + problem + "\n";
  }
  return text + "sum " + sum_of(text) + "\n";
}

std::optional<Choices> read_plans(const std::string& text, const std::string& machine) {
  const std::size_t end = text.rfind("sum ");
  if (end == text.npos || text.substr(end) != "sum " + sum_of(text.substr(0, end)) + "\n") return std::nullopt;
  std::istringstream lines(text.substr(0, end));
  std::string line;
  if (!std::getline(lines, line) || line != head) return std::nullopt;
  if (!std::getline(lines, line) || (!machine.empty() && line != machine)) return std::nullopt;
  Choices choices;
  while (std::getline(lines, line))
    if (!read_line(line, choices)) return std::nullopt;
  return choices;
}

std::string plan_folder() {
  const std::string own = variable("DACTYL_CACHE"), shared = variable("XDG_CACHE_HOME"), home = variable("HOME");
  if (own == "off") return "";
  if (!own.empty()) return own;
  if (!shared.empty()) return shared + "/dactyl";
  return home.empty() ? "" : home + "/.cache/dactyl";
}

std::string plan_file_name(const std::string& machine) {
  std::string name;
  for (const char c : machine)
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '.')
      name += c;
    else if (!name.empty() && name.back() != '-')
      name += '-';
  return name + ".plans";
}

PlanCache::PlanCache(const std::string& folder, std::string machine)
    : folder_(folder),
      path_(folder.empty() ? "" : folder + "/" + plan_file_name(machine)),
      machine_(std::move(machine)) {
  std::error_code none;
  if (path_.empty() || !std::filesystem::exists(path_, none)) return;
  if (auto found = stored())
    choices_ = std::move(*found);
  else
    say(path_ + ": damaged or not a file of plans for this machine; it will be replaced");
}

std::optional<Choices> PlanCache::stored() const { return read_plans(text_of(path_), machine_); }

std::optional<Choice> PlanCache::find(const std::string& problem) {
  const std::lock_guard guard(mutex_);
  const auto found = choices_.find(problem);
  return found == choices_.end() ? std::nullopt : std::optional(found->second);
}

std::string PlanCache::compiled_path(const std::string& problem) const {
  return folder_ + "/" + plan_file_name(machine_) + ".compiled/" + sum_of(machine_ + "\n" + problem);
}

// The first line is the sum of all that follows: the problem's line, then the text.
std::string PlanCache::compiled(const std::string& problem) const {
  if (folder_.empty()) return "";
  const std::string all = text_of(compiled_path(problem)), before = problem + "\n";
  const std::size_t end = all.find('\n');
  if (end == all.npos || all.substr(0, end) != sum_of(all.substr(end + 1))) return "";
  return all.compare(end + 1, before.size(), before) == 0 ? all.substr(end + 1 + before.size()) : "";
}

void PlanCache::keep_compiled(const std::string& problem, const std::string& text) const {
  if (folder_.empty()) return;
  const std::filesystem::path path = compiled_path(problem);
  std::error_code error;
  if (text.empty()) {
    std::filesystem::remove(path, error);
    return;
  }
  std::filesystem::create_directories(path.parent_path(), error);
  const std::string all = problem + "\n" + text;
  replace(path, sum_of(all) + "\n" + all);  // if that fails, add() says so
}

void PlanCache::merge(const Choices& more) { choices_.insert(more.begin(), more.end()); }

void PlanCache::add(const std::string& problem, const Choice& choice) {
  const std::lock_guard guard(mutex_);
  choices_[problem] = choice;
  if (!path_.empty()) store();
}

void PlanCache::store() {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  const Lock lock(folder_ + "/.lock");
  if (const auto others = stored()) merge(*others);
  if (replace(path_, plan_text(machine_, choices_))) return;
  say(path_ + ": cannot be written; plans are searched again next time (DACTYL_CACHE names another folder)");
  path_.clear();
}

}  // namespace dactyl

#include "kernels/plans.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "kernels/plan_cache.h"

namespace dactyl {
namespace {

constexpr double silence = 2, pause = 10;  // seconds of searching that need no word, and between two words

struct Book {
  std::mutex mutex;
  PlanCounts counts;
  PlanListener listener;
  WayListener way_listener;
  double told = 0;  // seconds spent searching at the last word
};
Book& book() {
  static Book one;
  return one;
}

void tell(const PlanCounts& counts, bool first) {
  const std::string folder = plan_folder();
  if (first)
    std::fprintf(stderr, "dactyl: searching the fastest plans for convolutions of new shapes; %s\n",
                 folder.empty() ? "they are not kept" : ("they are kept in " + folder).c_str());
  else
    std::fprintf(stderr, "dactyl: searching plans: %s convolutions so far, %.0f s\n", to_text(counts.searched).c_str(),
                 counts.seconds);
}

}  // namespace

PlanCounts plan_counts() {
  const std::lock_guard guard(book().mutex);
  return book().counts;
}

void listen_to_plans(PlanListener listener) {
  const std::lock_guard guard(book().mutex);
  book().listener = std::move(listener);
}

void listen_to_ways(WayListener listener) {
  const std::lock_guard guard(book().mutex);
  book().way_listener = std::move(listener);
}

void timed(const std::string& problem, const std::string& way, double seconds) {
  const std::lock_guard guard(book().mutex);
  if (book().way_listener) book().way_listener(problem, way, seconds);
}

void settled(const std::string& problem, bool searched, const std::string& way, double seconds) {
  const std::lock_guard guard(book().mutex);
  PlanCounts& counts = book().counts;
  ++(searched ? counts.searched : counts.remembered);
  counts.without += way == "none";
  counts.seconds += seconds;
  if (book().listener) return book().listener(problem, searched, way);
  double& told = book().told;
  if (!searched || counts.seconds < (told > 0 ? told + pause : silence)) return;
  tell(counts, told == 0);
  told = counts.seconds;
}

std::vector<PlanFile> plan_files() {
  std::vector<PlanFile> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(plan_folder(), error)) {
    if (entry.path().extension() != ".plans" || !entry.is_regular_file(error)) continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const auto choices = read_plans(text.str(), "");
    if (!choices) continue;
    std::istringstream lines(text.str());
    std::string head, machine;
    std::getline(lines, head) && std::getline(lines, machine);
    files.push_back({entry.path().string(), machine, static_cast<i64>(choices->size())});
  }
  std::sort(files.begin(), files.end(), [](const PlanFile& a, const PlanFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace dactyl

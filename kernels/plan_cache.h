// The fastest way found to compute each convolution, kept in a file between runs. Internal to the kernels.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "kernels/plans.h"

namespace dactyl {

// How a problem is computed ("engine 47, 12=3 19=1"; "none": nothing gives the right numbers) and how long that takes.
struct Choice {
  std::string way;
  double seconds = 0;
  bool operator==(const Choice&) const = default;
};
using Choices = std::map<std::string, Choice>;  // by the problem, as text

// One line per choice, between a head that says what machine they hold for and a sum over all of it:
//
//   dactyl plans 1
//   NVIDIA H100 80GB HBM3, 132 SMs, CUDA driver 13000, cuDNN 91900, cuBLASLt 130000
//   engine 47, 12=3 19=1 <tab> 199.10 <tab> forward of bf16 x (…) …        (microseconds)
//   sum 8c5f0a64b1c92e37
//
std::string plan_text(const std::string& machine, const Choices& choices);
// Nothing if the text is damaged, cut short, of another version or (unless it is empty) of another machine.
std::optional<Choices> read_plans(const std::string& text, const std::string& machine);

std::string plan_file_name(const std::string& machine);  // "NVIDIA-H100-80GB-HBM3-132-SMs-….plans"

// May be used by several threads; several processes may keep one file.
class PlanCache {
 public:
  // Reads the file. One that cannot be used is said once on stderr, and replaced by the next add(). An empty folder:
  // nothing is kept.
  PlanCache(const std::string& folder, std::string machine);

  std::optional<Choice> find(const std::string& problem);
  // Remembers it and writes the file anew, with what others have added to it meanwhile. Where that is impossible
  // (a full disk, a folder that may not be written), says so once and goes on without a file.
  void add(const std::string& problem, const Choice& choice);

  // What was compiled for a problem, in a file of its own in a folder beside: too large for a readable one, and only
  // there to save time. Empty if there is nothing of use. An empty text removes what was kept.
  std::string compiled(const std::string& problem) const;
  void keep_compiled(const std::string& problem, const std::string& text) const;

  const std::string& path() const { return path_; }

 private:
  std::optional<Choices> stored() const;  // what the file holds now; nothing if it is of no use
  void store();
  void merge(const Choices& more);
  std::string compiled_path(const std::string& problem) const;

  std::mutex mutex_;
  std::string folder_, path_, machine_;
  Choices choices_;
};

}  // namespace dactyl

// Which processor: the CPU or the n-th GPU.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/check.h"

namespace dactyl {

struct Device {
  int index = -1;  // -1: the CPU; otherwise the GPU's number

  static Device cpu() { return {}; }
  static Device cuda(int index = 0) { return {index}; }
  bool is_cuda() const { return index >= 0; }
  bool operator==(const Device&) const = default;
};

inline std::string to_text(Device d) { return d.is_cuda() ? "cuda:" + std::to_string(d.index) : "cpu"; }

// How many GPUs can be used: 0 in a build without CUDA and on a machine without a driver. Never throws.
int gpu_count();
// What a GPU is, for people: "NVIDIA H200, 139 GiB, driver 13.0".
std::string gpu_text(int index);
// What computes in this build, with the version found at run time: ("cuDNN", "9.13.0"), ("oneDNN", "2.6.3"), …
std::vector<std::pair<std::string, std::string>> libraries();
// "auto" takes a GPU if there is one; "cpu", "cuda", "cuda:1" as written. Throws a usage error otherwise.
Device device_named(const std::string& name);

}  // namespace dactyl

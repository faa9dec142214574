// Counting and naming GPUs.
#include "engine/device.h"

#include "engine/cuda.h"

#ifdef DACTYL_ONEDNN
#include <dnnl.h>
#endif
#ifdef __CUDACC__
#include <cublasLt.h>
#include <cudnn.h>
#endif

namespace dactyl {
namespace {

// Versions written as one number: cuDNN 9.19.0 is 91900 (factors 10000 and 100), CUDA 13.0.0 is 13000 (1000 and 10).
[[maybe_unused]] std::string version_text(std::size_t n, std::size_t major, std::size_t minor) {
  return std::to_string(n / major) + "." + std::to_string(n % major / minor) + "." + std::to_string(n % minor);
}

}  // namespace

int gpu_count() {
#ifdef __CUDACC__
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  cudaGetLastError();  // no driver: forget the error, the CPU remains
#endif
  return 0;
}

std::string gpu_text([[maybe_unused]] int index) {
#ifdef __CUDACC__
  cudaDeviceProp properties{};
  int driver = 0;
  check(cudaGetDeviceProperties(&properties, index), "asking for a GPU's name");
  check(cudaDriverGetVersion(&driver), "asking for the driver's version");
  return std::string(properties.name) + ", " + std::to_string(properties.totalGlobalMem >> 30) + " GiB, CUDA driver " +
         std::to_string(driver / 1000) + "." + std::to_string(driver % 1000 / 10);
#else
  return "";
#endif
}

std::vector<std::pair<std::string, std::string>> libraries() {
  std::vector<std::pair<std::string, std::string>> list;
#ifdef DACTYL_ONEDNN
  const dnnl_version_t& v = *dnnl_version();
  list.emplace_back("oneDNN", std::to_string(v.major) + "." + std::to_string(v.minor) + "." + std::to_string(v.patch));
#endif
#ifdef __CUDACC__
  int runtime = 0;
  check(cudaRuntimeGetVersion(&runtime), "asking for the CUDA runtime's version");
  list.emplace_back("CUDA runtime", version_text(static_cast<std::size_t>(runtime), 1000, 10));
  list.emplace_back("cuBLASLt", version_text(cublasLtGetVersion(), 10000, 100));
  list.emplace_back("cuDNN", version_text(cudnnGetVersion(), 10000, 100));
#endif
  return list;
}

Device device_named(const std::string& name) {
  const int count = gpu_count();
  if (name == "auto") return count ? Device::cuda(0) : Device::cpu();
  if (name == "cpu") return Device::cpu();
  const bool numbered = name.starts_with("cuda:") && name.size() > 5 && name.size() < 8 &&
                        name.find_first_not_of("0123456789", 5) == name.npos;
  check(Exit::usage, name == "cuda" || numbered, "unknown device '{}'; known are auto, cpu, cuda, cuda:N", name);
  const int index = numbered ? std::stoi(name.substr(5)) : 0;
  check(Exit::usage, index < count, "device {} is not there: {} GPUs can be used here; --device cpu always works", name,
        count);
  return Device::cuda(index);
}

}  // namespace dactyl

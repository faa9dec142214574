#include "kernels/fetch_ahead.h"

#include "engine/cuda.h"
#include "engine/each.h"

namespace dactyl {
#ifdef __CUDACC__
namespace {

constexpr i64 line = 128;  // bytes of the L2 cache that are fetched together

struct FetchLine {
  const unsigned char* from;
  HD void operator()([[maybe_unused]] i64 i) const {
#ifdef __CUDA_ARCH__
    asm volatile("prefetch.global.L2 [%0];\n" ::"l"(from + i * line));
#endif
  }
};

i64 half_of_l2() {
  int device = 0, bytes = 0;
  check(cudaGetDevice(&device), "asking for the GPU");
  check(cudaDeviceGetAttribute(&bytes, cudaDevAttrL2CacheSize, device), "asking for the size of the L2 cache");
  return bytes / 2;
}

}  // namespace
#endif

void fetch_ahead(const Tensor& w) {
  check(w.is_dense(), "fetch_ahead: w {} is a slice of a wider tensor", w.shape());
#ifdef __CUDACC__
  if (!w.device().is_cuda()) return;
  const i64 bytes = std::min(w.count() * size_of(w.dtype()), half_of_l2());
  each(w.device(), (bytes + line - 1) / line, FetchLine{reinterpret_cast<const unsigned char*>(w.raw())});
#endif
}

}  // namespace dactyl

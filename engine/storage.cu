// The caching pool on both kinds of device.
#include "engine/storage.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "engine/cuda.h"

namespace dactyl {
namespace {

constexpr std::size_t alignment = 256;

// Sizes are rounded so that slightly different requests share blocks: to 512 bytes, above 1 MiB to an eighth of the
// power of two below.
std::size_t rounded(std::size_t bytes) {
  std::size_t unit = 512;
  while (unit * 16 < bytes && bytes > (1u << 20)) unit *= 2;
  return std::max<std::size_t>(unit, (bytes + unit - 1) / unit * unit);
}

// Large blocks of the host come in large pages where the system has them: 512 times fewer faults at the first touch,
// and matrices whose rows lie far apart stay within what the processor's table of pages holds.
void* allocate_host(std::size_t bytes) {
  constexpr std::size_t page = std::size_t{2} << 20;
  const std::size_t unit = bytes < 2 * page ? alignment : page;
  void* block = std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit);
#ifdef __linux__
  if (block && unit == page) madvise(block, bytes, MADV_HUGEPAGE);  // advice: where it is not taken nothing is lost
#endif
  return block;
}

void* allocate(Device device, std::size_t bytes) {
#ifdef __CUDACC__
  if (device.is_cuda()) {
    void* block = nullptr;
    const cudaError_t result = cudaMalloc(&block, bytes);
    if (result == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      return nullptr;
    }
    check(result, "allocating GPU memory");
    return block;
  }
#endif
  check(!device.is_cuda(), "storage: this build has no GPU code");
  return allocate_host(bytes);
}

void release(Device device, void* block) noexcept {
#ifdef __CUDACC__
  if (device.is_cuda()) {
    cudaFree(block);
    return;
  }
#endif
  (void)device;
  std::free(block);
}

constexpr std::size_t guard_bytes = 512;
constexpr unsigned char guard_value = 0xFF;  // four of them are a NaN in f32, two in bf16 and f16
std::atomic<bool> guarding{false};
std::atomic<i64> damaged_blocks{0};

void fill_bytes([[maybe_unused]] Device device, void* block, std::size_t bytes) {
#ifdef __CUDACC__
  if (device.is_cuda()) {
    check(cudaMemset(block, guard_value, bytes), "filling guarded memory");
    return check(cudaDeviceSynchronize(), "filling guarded memory");  // the compute stream does not wait for cudaMemset
  }
#endif
  std::memset(block, guard_value, bytes);
}

std::atomic<std::uint64_t> replays{0};

std::uint64_t next_stamp() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

Pool::~Pool() { trim(); }

void Pool::guard(bool on) { guarding = on; }
i64 Pool::damaged() { return damaged_blocks; }

void* Pool::take_guarded(std::size_t bytes) {
  void* block = allocate(device_, bytes + guard_bytes);
  check(Exit::memory, block != nullptr, "out of memory on {}: {} guarded bytes wanted", device_, bytes);
  fill_bytes(device_, block, bytes + guard_bytes);
  const std::lock_guard lock(mutex_);
  guarded_.insert(block);
  return block;
}

bool Pool::give_guarded(void* block, std::size_t bytes) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (guarded_.erase(block) == 0) return false;
  }
  unsigned char zone[guard_bytes] = {};
  const auto* end = static_cast<unsigned char*>(block) + bytes;
#ifdef __CUDACC__
  if (device_.is_cuda()) {
    cudaDeviceSynchronize();
    cudaMemcpy(zone, end, guard_bytes, cudaMemcpyDeviceToHost);
  }
#endif
  if (!device_.is_cuda()) std::memcpy(zone, end, guard_bytes);
  if (!std::all_of(zone, zone + guard_bytes, [](unsigned char b) { return b == guard_value; })) ++damaged_blocks;
  release(device_, block);
  return true;
}

void* Pool::take(std::size_t bytes) {
  if (guarding) return take_guarded(bytes);
  const std::size_t size = rounded(bytes);
  const std::lock_guard lock(mutex_);
  auto& blocks = free_[size];
  void* block = nullptr;
  if (!blocks.empty()) {
    block = blocks.back();
    blocks.pop_back();
  } else {
    block = allocate(device_, size);
    if (!block) {
      trim_locked();
      block = allocate(device_, size);
    }
    check(Exit::memory, block != nullptr,
          "out of memory on {}: {} MiB wanted, {} MiB in use by this program; use a smaller --batch or --input",
          device_, (size >> 20) + 1, in_use_ >> 20);
    held_ += static_cast<i64>(size);
  }
  in_use_ += static_cast<i64>(size);
  peak_ = std::max(peak_, in_use_);
  return block;
}

void Pool::give(void* block, std::size_t bytes) noexcept {
  if (give_guarded(block, bytes)) return;
  const std::size_t size = rounded(bytes);
  const std::lock_guard lock(mutex_);
  (holding_ ? back_ : free_)[size].push_back(block);
  in_use_ -= static_cast<i64>(size);
}

void Pool::hold(bool on) noexcept {
  const std::lock_guard lock(mutex_);
  holding_ = on;
  if (on) return;
  for (auto& [size, blocks] : back_) {
    free_[size].insert(free_[size].end(), blocks.begin(), blocks.end());
    blocks.clear();
  }
}

void Pool::trim() noexcept {
  const std::lock_guard lock(mutex_);
  trim_locked();
}

void Pool::trim_locked() noexcept {
  for (auto& [size, blocks] : free_) {
    for (void* block : blocks) release(device_, block);
    held_ -= static_cast<i64>(size * blocks.size());
    blocks.clear();
  }
}

std::shared_ptr<Pool> Pool::host() {
  static const std::shared_ptr<Pool> pool = std::make_shared<Pool>(Device::cpu());
  return pool;
}

Storage::Storage(std::size_t bytes, std::shared_ptr<Pool> pool)
    : pool_(std::move(pool)), bytes_(bytes), data_(static_cast<std::byte*>(pool_->take(bytes))), stamp_(next_stamp()) {}

Storage::~Storage() { pool_->give(data_, bytes_); }

void Storage::touch() { stamp_ = next_stamp(); }

std::uint64_t Storage::stamp() const { return (replays << 40) + stamp_; }

void touch_everything() { ++replays; }

std::shared_ptr<std::byte> pinned_bytes(std::size_t bytes) {
#ifdef __CUDACC__
  if (gpu_count() > 0) {
    void* block = nullptr;
    check(cudaHostAlloc(&block, bytes, cudaHostAllocDefault), "allocating page-locked memory");
    return {static_cast<std::byte*>(block), [](std::byte* b) { cudaFreeHost(b); }};
  }
#endif
  auto* block = static_cast<std::byte*>(std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment));
  check(Exit::memory, block != nullptr, "out of memory: {} MiB wanted for a batch", bytes >> 20);
  return {block, [](std::byte* b) { std::free(b); }};
}

}  // namespace dactyl

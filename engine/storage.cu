// The caching pool on both kinds of device.
#include "engine/storage.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "engine/cuda.h"
#include "engine/sanitizer.h"

namespace dactyl {
namespace {

constexpr std::size_t alignment = 256;

std::size_t rounded(std::size_t bytes) {
  constexpr std::size_t unit = 512;
  return std::max(unit, (bytes + unit - 1) / unit * unit);
}

// Memory of its own, for guarded blocks.
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
  return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
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
  std::optional<std::size_t> first = holes_.take(size);
  if (!first) {
    const std::size_t end = arena_.size();
    check(Exit::memory, arena_.grow(size - holes_.before(end)),
          "out of memory on {}: {} MiB wanted, {} MiB in use by this program; use a smaller --batch or --input",
          device_, (size >> 20) + 1, in_use_ >> 20);
    holes_.give(end, arena_.size() - end);
    first = holes_.take(size);
  }
  in_use_ += static_cast<i64>(size);
  peak_ = std::max(peak_, in_use_);
  std::byte* block = arena_.begin() + *first;
  if (!device_.is_cuda()) somebodys(block, bytes);
  return block;
}

void Pool::give(void* block, std::size_t bytes) noexcept {
  if (give_guarded(block, bytes)) return;
  const std::size_t size = rounded(bytes);
  const std::lock_guard lock(mutex_);
  const auto first = static_cast<std::size_t>(static_cast<std::byte*>(block) - arena_.begin());
  if (!device_.is_cuda()) nobodys(block, size);
  if (holding_)
    back_.emplace_back(first, size);
  else
    give_back(first, size);
}

void Pool::give_back(std::size_t first, std::size_t size) noexcept {
  holes_.give(first, size);
  in_use_ -= static_cast<i64>(size);
}

void Pool::hold(bool on) noexcept {
  const std::lock_guard lock(mutex_);
  holding_ = on;
  if (on) return;
  for (const auto& [first, size] : back_) give_back(first, size);
  back_.clear();
}

void Pool::trim() noexcept {
  const std::lock_guard lock(mutex_);
  const std::size_t end = arena_.size();
  holes_.cut(end, arena_.shrink(holes_.before(end)));
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

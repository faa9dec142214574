// Addresses and memory apart from each other: mmap on the host, the driver's virtual memory on a GPU.
#include "engine/arena.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "engine/driver.h"
#include "engine/sanitizer.h"

namespace dactyl {
namespace {

constexpr std::size_t large_page = std::size_t{2} << 20;  // of the host and, so far, of every GPU

// What a device may do with its addresses. A refusal for lack of memory is `false`, all else throws.
struct Host {
  // All the memory there is, unless the process may not have as many addresses (ulimit -v): then half of what is left
  // of them, since threads and libraries need some too.
  static std::size_t most() {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t all = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * page;
    rlimit limit{};
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return all;
    std::size_t used = 0;
    std::ifstream("/proc/self/statm") >> used;
    used = std::min<std::size_t>(used * page, limit.rlim_cur);
    return std::min<std::size_t>(all, (limit.rlim_cur - used) / 2);
  }
  // Begins at a large page: what mmap gave before it and behind it goes back. Null if there are not so many.
  static std::byte* set_aside(std::size_t bytes) {
    void* given = mmap(nullptr, bytes + large_page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (given == MAP_FAILED) return nullptr;
    const auto before = (large_page - reinterpret_cast<std::uintptr_t>(given) % large_page) % large_page;
    auto* first = static_cast<std::byte*>(given) + before;
    if (before > 0) munmap(given, before);
    munmap(first + bytes, large_page - before);
    return first;
  }
  // In large pages where the system has them: 512 times fewer faults at the first touch, and matrices whose rows lie
  // far apart stay within what the processor's table of pages holds.
  static bool put(std::byte* at, std::size_t bytes) {
    if (mprotect(at, bytes, PROT_READ | PROT_WRITE) != 0) return false;
    madvise(at, bytes, MADV_HUGEPAGE);  // advice: where it is not taken nothing is lost
    nobodys(at, bytes);
    return true;
  }
  static void take_away(std::byte* at, std::size_t bytes) {
    somebodys(at, bytes);  // whoever maps these addresses next
    madvise(at, bytes, MADV_DONTNEED);
    mprotect(at, bytes, PROT_NONE);
  }
  static void free(std::byte* first, std::size_t bytes) { munmap(first, bytes); }
};

#ifdef __CUDACC__
struct Gpu {
  explicit Gpu(Device device) {
    memory.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    memory.location = {CU_MEM_LOCATION_TYPE_DEVICE, device.index};
  }
  std::size_t most() const {
    std::size_t free = 0, all = 0, page = 0;
    check(cudaMemGetInfo(&free, &all), "asking for a GPU's memory");
    static const auto granularity =
        function_of_driver<decltype(cuMemGetAllocationGranularity)>("cuMemGetAllocationGranularity");
    check_driver(granularity(&page, &memory, CU_MEM_ALLOC_GRANULARITY_MINIMUM), "asking for a GPU's pages");
    check(large_page % page == 0, "storage: this GPU has pages of {} bytes, {} are supported", page, large_page);
    return all;
  }
  std::byte* set_aside(std::size_t bytes) const {
    static const auto reserve = function_of_driver<decltype(cuMemAddressReserve)>("cuMemAddressReserve");
    unmap();
    give_up();
    CUdeviceptr first = 0;
    check_driver(reserve(&first, bytes, large_page, 0, 0), "setting a GPU's addresses aside");
    return reinterpret_cast<std::byte*>(first);
  }
  // The mapping keeps the memory once its handle is released.
  bool put(std::byte* at, std::size_t bytes) const {
    static const auto create = function_of_driver<decltype(cuMemCreate)>("cuMemCreate");
    static const auto map = function_of_driver<decltype(cuMemMap)>("cuMemMap");
    static const auto release = function_of_driver<decltype(cuMemRelease)>("cuMemRelease");
    static const auto allow = function_of_driver<decltype(cuMemSetAccess)>("cuMemSetAccess");
    CUmemGenericAllocationHandle handle{};
    const CUresult made = create(&handle, bytes, &memory, 0);
    if (made == CUDA_ERROR_OUT_OF_MEMORY) return false;
    check_driver(made, "allocating GPU memory");
    const auto first = reinterpret_cast<CUdeviceptr>(at);
    const CUresult mapped = map(first, bytes, 0, handle, 0);
    release(handle);
    if (mapped == CUDA_ERROR_OUT_OF_MEMORY) return false;
    check_driver(mapped, "mapping GPU memory");
    const CUmemAccessDesc access{memory.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
    const CUresult allowed = allow(first, bytes, &access, 1);
    if (allowed != CUDA_SUCCESS) unmap()(first, bytes);  // nobody would know of the piece
    if (allowed == CUDA_ERROR_OUT_OF_MEMORY) return false;
    check_driver(allowed, "mapping GPU memory");
    return true;
  }
  void take_away(std::byte* at, std::size_t bytes) const {
    int current = 0;
    cudaGetDevice(&current);
    cudaSetDevice(memory.location.id);
    cudaDeviceSynchronize();
    cudaSetDevice(current);
    unmap()(reinterpret_cast<CUdeviceptr>(at), bytes);
  }
  void free(std::byte* first, std::size_t bytes) const { give_up()(reinterpret_cast<CUdeviceptr>(first), bytes); }

  // Looked up before anything is taken: what takes away must not fail.
  static decltype(cuMemUnmap)* unmap() {
    static const auto found = function_of_driver<decltype(cuMemUnmap)>("cuMemUnmap");
    return found;
  }
  static decltype(cuMemAddressFree)* give_up() {
    static const auto found = function_of_driver<decltype(cuMemAddressFree)>("cuMemAddressFree");
    return found;
  }
  CUmemAllocationProp memory{};
};
#endif

template <class F>
auto on(Device device, const F& f) {
#ifdef __CUDACC__
  if (device.is_cuda()) return f(Gpu(device));
#endif
  check(!device.is_cuda(), "storage: this build has no GPU code");
  return f(Host());
}

std::size_t whole_pages(std::size_t bytes) { return (bytes + large_page - 1) / large_page * large_page; }

}  // namespace

void Arena::set_aside() {
  on(device_, [&](const auto& system) {
    std::size_t most = whole_pages(system.most());
    while (!(begin_ = system.set_aside(most)) && most > large_page) most = whole_pages(most / 2);
    check(Exit::memory, begin_ != nullptr, "out of memory on {}: no addresses are left; ask for more by ulimit -v",
          device_);
    addresses_ = most;
  });
}

bool Arena::grow(std::size_t bytes) {
  if (!begin_) set_aside();
  const std::size_t piece = whole_pages(bytes);
  if (piece > addresses_ - size_) return false;
  if (!on(device_, [&](const auto& system) { return system.put(begin_ + size_, piece); })) return false;
  pieces_.push_back(piece);
  size_ += piece;
  return true;
}

std::size_t Arena::shrink(std::size_t bytes) noexcept {
  std::size_t gone = 0;
  while (!pieces_.empty() && pieces_.back() <= bytes - gone) {
    gone += pieces_.back();
    size_ -= pieces_.back();
    on(device_, [&](const auto& system) { system.take_away(begin_ + size_, pieces_.back()); });
    pieces_.pop_back();
  }
  return gone;
}

Arena::~Arena() {
  shrink(size_);
  if (begin_) on(device_, [&](const auto& system) { system.free(begin_, addresses_); });
}

}  // namespace dactyl

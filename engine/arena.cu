// Addresses and memory apart from each other: mmap on the host, the driver's virtual memory on a GPU.
#include "engine/arena.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "engine/cuda.h"
#include "engine/sanitizer.h"
#ifdef __CUDACC__
#include <cuda.h>
#endif

namespace dactyl {
namespace {

constexpr std::size_t large_page = std::size_t{2} << 20;  // of the host and, so far, of every GPU

// What a device may do with its addresses. A refusal for lack of memory is `false`, all else throws.
struct Host {
  // All the memory there is, unless the process may not have as many addresses: others need some too.
  static std::size_t most() {
    rlimit limit{};
    const auto all =
        static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const bool limited = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    return limited ? std::min<std::size_t>(all, limit.rlim_cur / 2) : all;
  }
  // Begins at a large page: what mmap gave before it and behind it goes back.
  static std::byte* set_aside(std::size_t bytes) {
    void* given = mmap(nullptr, bytes + large_page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    check(Exit::memory, given != MAP_FAILED, "out of memory on cpu: no {} MiB of addresses are left", bytes >> 20);
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
// The driver and the runtime number their errors alike.
void check_driver(CUresult result, const char* what) { check(static_cast<cudaError_t>(result), what); }

// The driver's functions are looked up at run time: the program also starts where there is no driver.
template <class F>
F* function_of_driver(const char* name) {
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result{};
  check(cudaGetDriverEntryPointByVersion(name, &found, 12000, cudaEnableDefault, &result), name);
  check(result == cudaDriverEntryPointSuccess && found, "{}: this driver has none", name);
  return reinterpret_cast<F*>(found);
}

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
    check_driver(mapped, "mapping GPU memory");
    const CUmemAccessDesc access{memory.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
    check_driver(allow(first, bytes, &access, 1), "mapping GPU memory");
    return true;
  }
  void take_away(std::byte* at, std::size_t bytes) const {
    static const auto unmap = function_of_driver<decltype(cuMemUnmap)>("cuMemUnmap");
    cudaDeviceSynchronize();
    unmap(reinterpret_cast<CUdeviceptr>(at), bytes);
  }
  void free(std::byte* first, std::size_t bytes) const {
    static const auto give_up = function_of_driver<decltype(cuMemAddressFree)>("cuMemAddressFree");
    give_up(reinterpret_cast<CUdeviceptr>(first), bytes);
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
    const std::size_t most = whole_pages(system.most());
    begin_ = system.set_aside(most);
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

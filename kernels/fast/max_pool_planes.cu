// Launches pools by planes in shared memory (max_pool_planes.h) on a GPU.
#include "kernels/fast/max_pool_planes.h"

#include "kernels/fast/max_pool.h"
#include "kernels/fast/max_pool_window.h"

#ifdef __CUDACC__
#include "engine/cuda.h"

namespace dactyl::fast {
namespace {

// A thread of a block on a GPU.
struct GpuLane {
  Pack<Word>* memory;
  unsigned address;  // of the memory, as shared memory is numbered

  __device__ explicit GpuLane(Pack<Word>* shared)
      : memory(shared), address(static_cast<unsigned>(__cvta_generic_to_shared(shared))) {}
  __device__ Pack<Word> read(int pack) const { return memory[pack]; }
  __device__ void write(int pack, const Pack<Word>& words) const { memory[pack] = words; }
  __device__ void copy16(int to, const void* from) const {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;\n" ::"r"(address + static_cast<unsigned>(to) * 16), "l"(from)
                 : "memory");
#else
    memory[to] = *static_cast<const Pack<Word>*>(from);
#endif
  }
  __device__ static void end_group() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;\n" ::: "memory");
#endif
  }
  __device__ static void wait_but_one() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group 1;\n" ::: "memory");
#endif
  }
  __device__ static void barrier() { __syncthreads(); }
};

// 8 · 7 · 8 threads are 14 warps; two blocks of a processor leave 72 registers to each thread.
template <class Task>
__global__ void __launch_bounds__(448, 2) by_planes(const Task task) {
  extern __shared__ Pack<Word> memory[];
  GpuLane lane(memory);
  task(lane, blockIdx.x, static_cast<int>(threadIdx.x));
}

// Of the largest tile. Every launch allows as much: another thread may be about to launch with more than this one.
constexpr int most_bytes = PoolGrid::slots * (2 * PoolGrid::most_rows + 2) * 10 * PoolGrid::packs * 16;

template <class Task>
void launch(const Task& task, i64 bytes, const char* what) {
  check(cudaFuncSetAttribute(by_planes<Task>, cudaFuncAttributeMaxDynamicSharedMemorySize, most_bytes), what);
  by_planes<<<static_cast<unsigned>(task.grid.blocks), static_cast<unsigned>(task.grid.threads()),
              static_cast<std::size_t>(bytes), Context::current().compute().handle()>>>(task);
  check_launch(what);
}

bool fits(const Geometry& g, const Tensor& from) {
  return from.device().is_cuda() && is(g, {3, 3, 3}, {1, 1, 1}) && from.pitch() * size_of(from.dtype()) < 1ll << 31;
}

template <class T, int wide>
void forward(const PoolGrid& grid, const Sides<T>& at, const T* x, T* y, std::uint8_t* taps) {
  const char* what = "max_pool: by planes";
  if (taps)
    launch(PlanesForward<T, wide, true>{grid, at, x, y, taps}, grid.bytes(16), what);
  else
    launch(PlanesForward<T, wide, false>{grid, at, x, y, taps}, grid.bytes(16), what);
}

}  // namespace

bool max_pool_forward_by_planes(const Geometry& g, const Tensor& xs, const Tensor& ys, std::uint8_t* taps) {
  if (!fits(g, xs)) return false;
  with_narrow(xs.dtype(), [&]<class T>(T) {
    const Sides<T> at(g, xs.pitch(), ys.pitch());
    const PoolGrid grid(g.batch, at.in, at.out, at.low, g.channels / Pack<T>::size);
    if (grid.wide == 8)
      forward<T, 8>(grid, at, xs.data<T>(), ys.data<T>(), taps);
    else
      forward<T, 7>(grid, at, xs.data<T>(), ys.data<T>(), taps);
  });
  return true;
}

}  // namespace dactyl::fast
#else
namespace dactyl::fast {

bool max_pool_forward_by_planes(const Geometry&, const Tensor&, const Tensor&, std::uint8_t*) { return false; }

}  // namespace dactyl::fast
#endif

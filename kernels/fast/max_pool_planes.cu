// Launches pools by planes in shared memory (max_pool_planes.h) on a GPU.
#include "kernels/fast/max_pool_planes_backward.h"
#include "kernels/fast/max_pool_planes_forward.h"
#include "kernels/fast/max_pool_scatter.h"

#include "kernels/fast/max_pool.h"
#include "kernels/fast/max_pool_window.h"

#ifdef __CUDACC__
#include "engine/cuda.h"

namespace dactyl::fast {
namespace {

// A thread of a block on a GPU.
struct GpuLane {
  unsigned char* memory;
  unsigned address;  // the same, as shared memory is numbered

  __device__ explicit GpuLane(void* shared)
      : memory(static_cast<unsigned char*>(shared)), address(static_cast<unsigned>(__cvta_generic_to_shared(shared))) {}
  // Number i of the memory seen as an array of V.
  template <class V>
  __device__ V read(int i) const {
    return reinterpret_cast<const V*>(memory)[i];
  }
  template <class V>
  __device__ void write(int i, const V& v) const {
    reinterpret_cast<V*>(memory)[i] = v;
  }
  template <class V>
  __device__ void copy(int i, const void* from) const {
#if __CUDA_ARCH__ >= 800
    const unsigned to = address + static_cast<unsigned>(i) * sizeof(V);
    if constexpr (sizeof(V) == 16)
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16;\n" ::"r"(to), "l"(from) : "memory");
    else
      asm volatile("cp.async.ca.shared.global [%0], [%1], %2;\n" ::"r"(to), "l"(from), "n"(sizeof(V)) : "memory");
#else
    write(i, *static_cast<const V*>(from));
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
__global__ void __launch_bounds__(448, 2) by_planes(Task task) {
  extern __shared__ uint4 memory[];
  const GpuLane lane(memory);
  task(lane, blockIdx.x, static_cast<int>(threadIdx.x));
}

// A lane of a warp whose threads have shared memory of their own.
struct GpuWarpLane {
  unsigned char* memory;

  template <class V>
  __device__ V read(int byte) const {
    return *reinterpret_cast<const V*>(memory + byte);
  }
  template <class V>
  __device__ void write(int byte, const V& v) const {
    *reinterpret_cast<V*>(memory + byte) = v;
  }
  template <class V>
  __device__ V load(std::uintptr_t address) const {
    return __ldg(reinterpret_cast<const V*>(address));
  }
  template <class V>
  __device__ void store(std::uintptr_t address, V v) const {
    __stwb(reinterpret_cast<V*>(address), v);
  }
  template <class Of>
  __device__ int pick(int mine, const Of&, unsigned i) const {
    return __shfl_sync(~0u, mine, static_cast<int>(i));  // by the lowest five bits: 255, which is no tap, is 31
  }
};

template <class T>
__global__ void __launch_bounds__(32 * ScatterGrid::most_warps, 1) by_scattering(ScatterBackward<T> task) {
  extern __shared__ uint4 memory[];
  task(GpuWarpLane{reinterpret_cast<unsigned char*>(memory)}, blockIdx.x, static_cast<int>(threadIdx.x));
}

// Lets the kernel have so much shared memory; false where the GPU has less. Always what the largest launch needs:
// another thread may be about to launch with more than this one.
template <class Kernel>
bool allow(Kernel* kernel, i64 bytes, const char* what) {
  int device = 0, most = 0;
  check(cudaGetDevice(&device), what);
  check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device), what);
  if (bytes > most) return false;
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)), what);
  return true;
}

template <class Task>
bool launch(void (*kernel)(Task), const Task& task, i64 bytes, i64 most_bytes, const char* what) {
  if (!allow(kernel, most_bytes, what)) return false;
  kernel<<<static_cast<unsigned>(task.grid.blocks()), static_cast<unsigned>(task.grid.threads()),
           static_cast<std::size_t>(bytes), Context::current().compute().handle()>>>(task);
  check_launch(what);
  return true;
}

template <class Task>
bool launch_by_planes(const Task& task, const char* what) {
  constexpr int per_pack = Task::bytes_per_pack;
  return launch(by_planes<Task>, task, task.grid.bytes(per_pack), PoolGrid::most_bytes(per_pack), what);
}

bool fits(const Geometry& g, const Tensor& x, const Tensor& y) {
  return x.device().is_cuda() && is(g, {3, 3, 3}, {1, 1, 1}) &&
         std::max(x.pitch(), y.pitch()) * size_of(x.dtype()) < 1ll << 31;
}

// body(the width of tiles, as a constant)
template <class Body>
void with_width(const PoolGrid& grid, const Body& body) {
  if (grid.wide == 8) return body(std::integral_constant<int, 8>{});
  body(std::integral_constant<int, 7>{});
}

}  // namespace

bool max_pool_forward_by_planes(const Geometry& g, const Tensor& x, const Tensor& y, std::uint8_t* taps) {
  bool done = false;
  if (!fits(g, x, y)) return done;
  with_narrow(x.dtype(), [&]<class T>(T) {
    const Sides<T> at(g, x.pitch(), y.pitch());
    const PoolGrid grid = PoolGrid::forward(g, Pack<T>::size);
    with_width(grid, [&]<int wide>(std::integral_constant<int, wide>) {
      const char* what = "max_pool: by planes";
      done = taps ? launch_by_planes(PlanesForward<T, wide, true>{grid, at, x.data<T>(), y.data<T>(), taps}, what)
                  : launch_by_planes(PlanesForward<T, wide, false>{grid, at, x.data<T>(), y.data<T>(), taps}, what);
    });
  });
  return done;
}

bool max_pool_backward_by_planes(const Geometry& g, const Tensor& dy, const std::uint8_t* taps, const Tensor& dx) {
  bool done = false;
  if (!fits(g, dx, dy)) return done;
  with_narrow(dy.dtype(), [&]<class T>(T) {
    const Sides<T> at(g, dx.pitch(), dy.pitch());
    const PoolGrid grid = PoolGrid::backward(g, Pack<T>::size);
    with_width(grid, [&]<int wide>(std::integral_constant<int, wide>) {
      done = launch_by_planes(PlanesBackward<T, wide>{grid, at, dy.data<T>(), taps, dx.data<T>()},
                              "max_pool: gradient by planes");
    });
  });
  return done;
}

bool max_pool_backward_by_scattering(const Geometry& g, const Tensor& dy, const std::uint8_t* taps, const Tensor& dx) {
  bool done = false;
  if (!fits(g, dx, dy)) return done;
  with_narrow(dy.dtype(), [&]<class T>(T) {
    const Sides<T> at(g, dx.pitch(), dy.pitch());
    const ScatterGrid grid(g);
    const ScatterBackward<T> task{grid, at, dy.data<T>(), taps, dx.data<T>()};
    done = launch(by_scattering<T>, task, grid.bytes(), i64{ScatterGrid::most_warps} * ScatterGrid::warp_bytes,
                  "max_pool: gradient by scattering");
  });
  return done;
}

}  // namespace dactyl::fast
#else
namespace dactyl::fast {

bool max_pool_forward_by_planes(const Geometry&, const Tensor&, const Tensor&, std::uint8_t*) { return false; }
bool max_pool_backward_by_planes(const Geometry&, const Tensor&, const std::uint8_t*, const Tensor&) { return false; }
bool max_pool_backward_by_scattering(const Geometry&, const Tensor&, const std::uint8_t*, const Tensor&) {
  return false;
}

}  // namespace dactyl::fast
#endif

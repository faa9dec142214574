// Blocks of threads with memory that they share, on either device: on a GPU as CUDA has them, on the CPU as fibers,
// each running from barrier to barrier. So a rung that needs a GPU's blocks can be read, run and checked without a GPU.
#pragma once

#include "benchmarks/ladder/fibers.h"
#include "engine/each.h"

#ifdef __CUDACC__
#include "engine/cuda.h"
#endif

namespace dactyl::ladder {

// What a body knows of the thread that runs it; CUDA's names on the right.
struct Thread {
  int block;     // blockIdx.x
  int index;     // threadIdx.x
  Fibers* team;  // on the CPU

  HD int warp() const { return index / 32; }
  HD int lane() const { return index % 32; }
  HD void sync() const {  // __syncthreads(): all threads of the block get here before one goes on
#ifdef __CUDA_ARCH__
    __syncthreads();
#else
    team->wait(index);
#endif
  }
};

#ifdef __CUDACC__
template <class Body>
__global__ void __launch_bounds__(Body::threads, Body::resident) blocks_kernel(Body body) {
  extern __shared__ uint4 memory[];  // 16 bytes each: packs may lie in it
  body(Thread{static_cast<int>(blockIdx.x), static_cast<int>(threadIdx.x), nullptr},
       *reinterpret_cast<typename Body::Shared*>(memory));
}
#endif

// body(thread, shared) by Body::threads threads in each of `count` blocks. Body::Shared is what they share, without
// content at the start; Body::resident blocks should fit on a multiprocessor at once.
template <class Body>
void blocks(Device device, i64 count, const Body& body) {
  if (count <= 0) return;
  using Shared = typename Body::Shared;
#ifdef __CUDACC__
  if (device.is_cuda()) {
    constexpr int bytes = sizeof(Shared);
    if (bytes > 48 * 1024)  // more must be asked for
      check(cudaFuncSetAttribute(blocks_kernel<Body>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
            "shared memory");
    CUstream_st* stream = Context::current().compute().handle();
    blocks_kernel<<<static_cast<unsigned>(count), Body::threads, bytes, stream>>>(body);
    check_launch("blocks");
    return;
  }
#endif
  check(!device.is_cuda(), "blocks: this build has no GPU code");
  for (i64 block = 0; block < count; ++block)
    run_fibers(Body::threads, sizeof(Shared), [&](int index, Fibers& team, std::byte* memory) {
      body(Thread{static_cast<int>(block), index, &team}, *reinterpret_cast<Shared*>(memory));
    });
}

}  // namespace dactyl::ladder

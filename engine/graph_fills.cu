// Replacing nodes of a graph.
#include "engine/graph_fills.h"

#ifdef __CUDACC__
#include <algorithm>
#include <vector>

#include "engine/cuda.h"

namespace dactyl {
namespace {

constexpr std::size_t most_bytes = 1 << 20;
constexpr int threads = 256, most_blocks = 132;

// The lowest `size` bytes of value, `count` times.
__global__ void fill_kernel(unsigned char* to, unsigned value, unsigned size, std::size_t count) {
  const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count * size; i += step)
    to[i] = static_cast<unsigned char>(value >> 8 * (i % size));
}

using Nodes = std::vector<cudaGraphNode_t>;

Nodes nodes_of(cudaGraph_t graph) {
  std::size_t count = 0;
  check(cudaGraphGetNodes(graph, nullptr, &count), "reading a graph");
  Nodes nodes(count);
  check(cudaGraphGetNodes(graph, nodes.data(), &count), "reading a graph");
  return nodes;
}

#if CUDART_VERSION >= 13000
cudaError_t dependencies(cudaGraphNode_t node, cudaGraphNode_t* to, std::size_t* n) {
  return cudaGraphNodeGetDependencies(node, to, nullptr, n);
}
cudaError_t dependents(cudaGraphNode_t node, cudaGraphNode_t* to, std::size_t* n) {
  return cudaGraphNodeGetDependentNodes(node, to, nullptr, n);
}
cudaError_t add_edges(cudaGraph_t graph, const Nodes& from, const Nodes& to) {
  return cudaGraphAddDependencies(graph, from.data(), to.data(), nullptr, to.size());
}
#else
cudaError_t dependencies(cudaGraphNode_t node, cudaGraphNode_t* to, std::size_t* n) {
  return cudaGraphNodeGetDependencies(node, to, n);
}
cudaError_t dependents(cudaGraphNode_t node, cudaGraphNode_t* to, std::size_t* n) {
  return cudaGraphNodeGetDependentNodes(node, to, n);
}
cudaError_t add_edges(cudaGraph_t graph, const Nodes& from, const Nodes& to) {
  return cudaGraphAddDependencies(graph, from.data(), to.data(), to.size());
}
#endif

template <class Read>
Nodes neighbours(cudaGraphNode_t node, const Read& read) {
  std::size_t count = 0;
  check(read(node, nullptr, &count), "reading a graph");
  Nodes nodes(count);
  if (count > 0) check(read(node, nodes.data(), &count), "reading a graph");
  return nodes;
}

void replace(cudaGraph_t graph, cudaGraphNode_t fill, const cudaMemsetParams& p) {
  auto* to = static_cast<unsigned char*>(p.dst);
  unsigned value = p.value, size = p.elementSize;
  std::size_t count = p.width;
  void* arguments[] = {&to, &value, &size, &count};
  const std::size_t blocks = (count * size + threads - 1) / threads;
  cudaKernelNodeParams kernel{};
  kernel.func = reinterpret_cast<void*>(fill_kernel);
  kernel.gridDim = dim3(static_cast<unsigned>(std::clamp<std::size_t>(blocks, 1, most_blocks)));
  kernel.blockDim = dim3(threads);
  kernel.kernelParams = arguments;
  const Nodes before = neighbours(fill, dependencies), after = neighbours(fill, dependents);
  cudaGraphNode_t node = nullptr;
  check(cudaGraphAddKernelNode(&node, graph, before.data(), before.size(), &kernel), "adding to a graph");
  if (!after.empty()) check(add_edges(graph, Nodes(after.size(), node), after), "adding to a graph");
  check(cudaGraphDestroyNode(fill), "taking from a graph");
}

}  // namespace

void fill_by_kernels(cudaGraph_t graph) {
  for (const cudaGraphNode_t node : nodes_of(graph)) {
    cudaGraphNodeType type{};
    check(cudaGraphNodeGetType(node, &type), "reading a graph");
    if (type != cudaGraphNodeTypeMemset) continue;
    cudaMemsetParams p{};
    check(cudaGraphMemsetNodeGetParams(node, &p), "reading a graph");
    if (p.height <= 1 && p.width * p.elementSize <= most_bytes) replace(graph, node, p);
  }
}

}  // namespace dactyl
#endif

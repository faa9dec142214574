// Ready-to-run plans for a convolution's graph. For .cu files of the GPU build only.
#pragma once

#ifdef __CUDACC__
#include <optional>

#include "kernels/cudnn_graph.h"

namespace dactyl {

// Notes that bar an engine from computing this problem: its numbers would differ from what was asked for.
std::vector<cudnnBackendNumericalNote_t> barred_notes(const ConvProblem& problem);

// An engine with its settings, as the heuristics propose it.
struct EngineConfig {
  BackendDescriptor config;
  std::string name;                        // "engine 47, 12=3 19=1": for comparison, for people and for files
  std::vector<BackendDescriptor> parts{};  // what it was made from, if by us: kept while it is
};

// Most promising first: the quick heuristic and the thorough one in turn, then what merely works. Without duplicates
// and without engines whose notes are barred.
std::vector<EngineConfig> engine_configs(const ConvProblem& problem, const ConvGraph& graph);

// The configuration of that name for this graph; none if the name is no configuration or cuDNN refuses it.
std::optional<EngineConfig> engine_config_named(const std::string& name, const ConvGraph& graph);

struct Plan {
  BackendDescriptor plan, config;
  std::vector<BackendDescriptor> parts;
  std::size_t workspace = 0;  // bytes
  std::string name;
};
// None if the engine does not support the graph after all; otherwise the configuration moves into the plan.
std::optional<Plan> build_plan(EngineConfig& config, cudnnHandle_t handle);

// A plan of an engine that is compiled at run time as cuDNN's text, which holds what was compiled; empty for others.
// And back: none if cuDNN refuses it. Only for the graph, GPU and cuDNN it was written with.
std::string plan_json(const Plan& plan);
std::optional<Plan> plan_from_json(const std::string& json, const std::string& name, cudnnHandle_t handle);

// Queues the plan on the handle's stream. False if cuDNN refuses.
bool run_plan(const Plan& plan, cudnnHandle_t handle, const ConvProblem& problem, const ConvData& data,
              void* workspace);

}  // namespace dactyl
#endif

// What cuDNN offers for a graph, filtered by the numbers we accept, and how it is run.
#include "kernels/cudnn_plan.h"

#include "kernels/engine_name.h"

#ifdef __CUDACC__

#include <algorithm>
#include <set>

namespace dactyl {
namespace {

constexpr i64 most_configs = 64, most_knobs = 64;

std::string name_of(const BackendDescriptor& config, const BackendDescriptor& engine) {
  EngineName name{engine.value<i64>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, -1), {}};
  for (const BackendDescriptor& knob :
       config.parts(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, most_knobs)) {
    const auto type = knob.value<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_KNOB_TYPE_COUNTS);
    name.knobs.emplace_back(static_cast<int>(type), knob.value<i64>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, -1));
  }
  return to_text(name);
}

// What one heuristic proposes; nothing if it knows no answer.
std::vector<EngineConfig> ask(cudnnBackendHeurMode_t mode, const ConvProblem& problem, const ConvGraph& graph) {
  BackendDescriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph.graph).set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  std::vector<EngineConfig> found;
  if (!heuristic.try_finalize()) return found;
  const auto barred = barred_notes(problem);
  for (BackendDescriptor& config :
       heuristic.parts(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, most_configs)) {
    const auto engines = config.parts(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1);
    if (engines.empty()) continue;
    const auto notes = engines[0].values<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                                                      CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
    const bool accepted = std::none_of(notes.begin(), notes.end(), [&](auto note) {
      return std::find(barred.begin(), barred.end(), note) != barred.end();
    });
    std::string name = name_of(config, engines[0]);
    if (accepted) found.push_back({std::move(config), std::move(name)});
  }
  return found;
}

std::optional<Plan> finished(BackendDescriptor plan, EngineConfig config) {
  if (!plan.try_finalize()) return std::nullopt;
  const i64 workspace = plan.value<i64>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, -1);
  if (workspace < 0) return std::nullopt;
  return Plan{std::move(plan), std::move(config.config), std::move(config.parts), static_cast<std::size_t>(workspace),
              std::move(config.name)};
}

}  // namespace

std::vector<cudnnBackendNumericalNote_t> barred_notes(const ConvProblem& problem) {
  std::vector<cudnnBackendNumericalNote_t> barred{CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION};
  if (problem.deterministic) barred.push_back(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC);
  if (problem.dtype == DType::f32)
    for (const auto note : {CUDNN_NUMERICAL_NOTE_WINOGRAD, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4,
                            CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13})
      barred.push_back(note);  // sums of large and small numbers: fewer digits
  if (problem.dtype == DType::f32 && problem.math == Math::fp32)
    for (const auto note : {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS})
      barred.push_back(note);  // tf32: 11 bits of each factor
  return barred;
}

std::vector<EngineConfig> engine_configs(const ConvProblem& problem, const ConvGraph& graph) {
  std::vector<EngineConfig> quick = ask(CUDNN_HEUR_MODE_A, problem, graph);
  std::vector<EngineConfig> thorough = ask(CUDNN_HEUR_MODE_B, problem, graph);
  std::vector<EngineConfig> merged;
  std::set<std::string> seen;
  const auto take = [&](EngineConfig& c) {
    if (seen.insert(c.name).second) merged.push_back(std::move(c));
  };
  for (std::size_t i = 0; i < std::max(quick.size(), thorough.size()); ++i) {
    if (i < thorough.size()) take(thorough[i]);
    if (i < quick.size()) take(quick[i]);
  }
  for (EngineConfig& c : ask(CUDNN_HEUR_MODE_FALLBACK, problem, graph)) take(c);
  return merged;
}

std::optional<EngineConfig> engine_config_named(const std::string& name, const ConvGraph& graph) {
  const std::optional<EngineName> read = read_engine_name(name);
  if (!read) return std::nullopt;
  EngineConfig made{BackendDescriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR), name};
  BackendDescriptor& engine = made.parts.emplace_back(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  try {
    engine.set(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph.graph).set(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, read->engine);
    engine.finalize("an engine");
    made.config.set(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
    std::vector<cudnnBackendDescriptor_t> choices;
    for (const auto& [type, value] : read->knobs) {
      BackendDescriptor knob(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
      knob.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, static_cast<cudnnBackendKnobType_t>(type));
      knob.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, value).finalize("a knob's setting");
      choices.push_back(knob.get());
      made.parts.push_back(std::move(knob));
    }
    if (!choices.empty()) made.config.set(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, choices);
    made.config.finalize("an engine's configuration");
  } catch (const Error&) {
    return std::nullopt;  // another cuDNN's engine after all: the caller searches again
  }
  return made;
}

std::string plan_json(const Plan& plan) {
  constexpr auto name = CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION;
  i64 size = 0, got = 0;
  if (cudnnBackendGetAttribute(plan.plan.get(), name, CUDNN_TYPE_CHAR, 0, &size, nullptr) != CUDNN_STATUS_SUCCESS)
    return "";
  if (size <= 0) return "";
  std::string json(static_cast<std::size_t>(size), '\0');
  const auto status = cudnnBackendGetAttribute(plan.plan.get(), name, CUDNN_TYPE_CHAR, size, &got, json.data());
  return status == CUDNN_STATUS_SUCCESS ? json.substr(0, static_cast<std::size_t>(std::min(got, size))) : "";
}

std::optional<Plan> plan_from_json(const std::string& json, const std::string& name, cudnnHandle_t handle) {
  BackendDescriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  try {
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle);
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, std::span<const char>(json));
  } catch (const Error&) {
    return std::nullopt;
  }
  return finished(std::move(plan), EngineConfig{BackendDescriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR), name});
}

std::optional<Plan> build_plan(EngineConfig& config, cudnnHandle_t handle) {
  BackendDescriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config.config).set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle);
  return finished(std::move(plan), std::move(config));
}

bool run_plan(const Plan& plan, cudnnHandle_t handle, const ConvProblem& problem, const ConvData& data,
              void* workspace) {
  std::vector<i64> uids{uid_x, uid_w, uid_y};
  std::vector<void*> addresses{data.x, data.w, data.y};
  if (problem.bias) {
    uids.push_back(uid_bias);
    addresses.push_back(data.bias);
  }
  BackendDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, uids).set_addresses(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, addresses);
  pack.set_addresses(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, {workspace}).finalize("the addresses of a convolution");
  return cudnnBackendExecute(handle, plan.plan.get(), pack.get()) == CUDNN_STATUS_SUCCESS;
}

}  // namespace dactyl
#endif

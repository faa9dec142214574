// The state of a run to a checkpoint and back.
#include "train/training_state.h"

#include <nlohmann/json.hpp>

#include "engine/context.h"

namespace dactyl {
namespace {

using Json = nlohmann::json;
constexpr const char* note = "dactyl.training_state";

// Numbers travel as text that reads back to the same bits.
Json to_json(const TrainingState& s) {
  Json bad = Json::array();
  for (const BadSample& b : s.bad) bad.push_back({b.name, b.reason});
  return {{"step", s.step},           {"stage", s.stage}, {"validated", s.validated},
          {"best_step", s.best_step}, {"best", s.best},   {"without_gain", s.without_gain},
          {"stopped", s.stopped},     {"bad", bad}};
}

TrainingState from_json(const Json& j) {
  TrainingState s{.step = j.at("step"),
                  .stage = j.at("stage"),
                  .validated = j.at("validated"),
                  .best_step = j.at("best_step"),
                  .best = j.at("best"),
                  .without_gain = j.at("without_gain"),
                  .stopped = j.at("stopped")};
  for (const Json& b : j.at("bad")) s.bad.push_back({b.at(0), b.at(1)});
  return s;
}

}  // namespace

void write_state(const std::string& path, const TrainingState& state, const Parameters& parameters,
                 Optimizer* optimizer, const Passport& passport) {
  Checkpoint file;
  file.path = path;
  file.notes = passport.to_notes();
  for (const Parameter& p : parameters.all()) file.tensors["net/" + p.name] = p.value.detached();
  if (optimizer)
    for (const auto& [name, tensor] : optimizer->state()) file.tensors["optimizer/" + name] = tensor;
  file.notes[note] = to_json(state).dump(-1, ' ', false, Json::error_handler_t::replace);
  file.write(path);
}

SavedState::SavedState(const std::string& path) : file_(Checkpoint::read(path)) {
  const auto found = file_.notes.find(note);
  check(Exit::model_file, found != file_.notes.end(), "{}: holds no state of a training", path);
  try {
    state_ = from_json(Json::parse(found->second));
  } catch (const Json::exception& e) {
    fail(Exit::model_file, "{}: its state of the training cannot be read: {}", {path, e.what()});
  }
}

void SavedState::copy(const std::string& name, Tensor to) const {
  const auto found = file_.tensors.find(name);
  check(Exit::model_file, found != file_.tensors.end(), "{}: {} is missing", file_.path, name);
  const Tensor& from = found->second;
  check(Exit::model_file, from.shape() == to.shape() && from.dtype() == to.dtype(),
        "{}: {} is {} {}, the run has {} {}", file_.path, name, from.dtype(), from.shape(), to.dtype(), to.shape());
  to.copy_from(from);
}

void SavedState::pour(Parameters& parameters) const {
  for (Parameter& p : parameters.all()) copy("net/" + p.name, p.value);
  Context::current().compute().synchronize();
}

void SavedState::pour(Optimizer& optimizer) const {
  for (const auto& [name, tensor] : optimizer.state()) copy("optimizer/" + name, tensor);
  Context::current().compute().synchronize();
}

}  // namespace dactyl

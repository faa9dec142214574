// From options to a run: data, split, model, folder, and the first lines that say what will happen.
#include "train/trainer.h"

#include <filesystem>

#include "train/data/nvjpeg_decoder.h"
#include "train/run_data.h"
#include "train/run_subject.h"
#include "train/settings.h"
#include "train/signals.h"
#include "train/training.h"

namespace dactyl {
namespace {

std::string absolute(const std::string& path) {
  return path.empty() ? path : std::filesystem::absolute(path).lexically_normal().string();
}

// As config.toml keeps them: good from any working folder.
TrainOptions resolved(TrainOptions o) {
  for (std::string* path : {&o.data, &o.weights, &o.splits, &o.no_mirror, &o.out}) *path = absolute(*path);
  return o;
}

// Bytes of weights with gradients and optimiser state, and of the activations one batch leaves. A frozen net keeps
// less.
i64 expected_memory(const Model& model, i64 batch, DType dtype) {
  const Tensor one = Tensor::zeros(model.input.shape(1), dtype);
  i64 activations = 0;
  Pass pass;
  pass.tap = [&](const std::string&, const Tensor& y) { activations += y.bytes(); };
  model.forward(one, pass);
  return model.parameters->count() * 4 * 3 + 2 * activations * batch;
}

std::string mebibytes(i64 bytes) { return to_text(bytes / (1 << 20)) + " MiB"; }

void say_start(const Log& log, const TrainOptions& o, const Subject& s, const std::string& report) {
  const Device device = Context::current().device();
  const DType dtype = o.precision == "bf16" ? DType::bf16 : DType::f32;
  const i64 batch = std::min(o.batch, s.train.size());
  log.say("device " + to_text(device) + (device.is_cuda() ? " (" + gpu_text(device.index) + ")" : "") + ", precision " +
          o.precision + ", batch " + to_text(batch) + ", expected memory up to " +
          mebibytes(expected_memory(s.model, batch, dtype)));
  log.say(to_text(s.train.size()) + " training and " + to_text(s.validation.size()) + " validation samples of " +
          to_text(s.train.labels().size()) + " classes from " + o.data);
  const std::string frames = s.model.input.frames ? to_text(s.model.input.frames) + " frames of " : "";
  if (!s.model.input.flow.empty()) log.say("optical flow as " + s.model.input.encoding + ": " + s.model.input.flow);
  log.say(s.model.name + ", input " + frames + to_text(s.model.input.height) + "x" + to_text(s.model.input.width) +
          ", " + to_text(s.model.parameters->count()) + " parameters" +
          (o.weights.empty() ? ", from scratch" : " from " + o.weights));
  if (!report.empty()) log.say(report);
}

// Bytes that saving needs: the weights and what the optimiser keeps of them in last.state, the weights alone in two
// more files. A file is written whole before it replaces the former one, so the largest is there twice for a moment.
i64 expected_disk(const Model& model, const TrainOptions& o, bool fresh) {
  const i64 weights = model.parameters->count() * 4, state = weights * (o.optimizer.kind == "sgd" ? 2 : 3);
  return fresh ? 2 * state + 2 * weights : state;
}

// A run goes on with its own net; what else config.toml may name by now.
void require_model(const std::string& path, const SavedState& saved, const std::string& wanted) {
  const std::string model = saved.passport().model;
  check(Exit::model_file, model == wanted, "{}: is the state of a {}, config.toml says {}; put the run's own file back",
        path, model, wanted);
}

// Everything a resumed run reads back. config.toml is last: it marks the rest as complete.
void write_beginning(const RunFolder& folder, const TrainOptions& o, const DataSource& source, const Split& split) {
  folder.write_labels(source.labels());
  write_split(folder / "splits.json", source, split);
  write_config(folder / "config.toml", o);
}

}  // namespace

TrainResult train(const TrainOptions& wanted, bool resume) {
  const Signals signals;  // from here on: opening data and weights takes long enough to be interrupted
  const TrainOptions options = resolved(wanted);
  check_options(options);
  Use use(device_named(options.device));
  if (options.precision == "tf32") use.context().math = Math::tf32;
  use.context().recompute = options.recompute;
  require_decoder(options.decode, use.context().device());
  const RunFolder folder(options.out, resume);
  const Log log(folder / "log.txt");
  const bool fresh = !folder.has_state();
  std::optional<SavedState> saved;
  if (!fresh) {
    saved.emplace(folder / "last.state");
    require_model(folder / "last.state", *saved, options.model);
  }

  const RunParts parts = divided(open_data(options, folder, fresh, log), options, fresh ? "" : folder / "splits.json");
  LoadedModel loaded = model_for(options, *parts.source, saved ? &*saved : nullptr);
  folder.require_space(expected_disk(loaded.model, options, fresh));
  if (fresh) write_beginning(folder, options, *parts.source, parts.split);
  folder.write_command();
  folder.write_environment();
  loaded.model.to(Context::current().device());
  const Subject subject = subject_of(loaded.model, parts, options);
  say_start(log, options, subject, fresh && !options.weights.empty() ? loaded.report.text() : "");
  if (saved) log.say("resuming at step " + to_text(saved->state().step));
  return Training(subject, options, folder, log, std::move(saved)).run();
}

}  // namespace dactyl

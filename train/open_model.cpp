// From a name and a file to a net that is ready to use.
#include "train/open_model.h"

#include <algorithm>
#include <filesystem>

#include "kernels/flow.h"
#include "train/data/flow_recipe.h"
#include "train/input_text.h"
#include "train/trainer.h"

namespace dactyl {
namespace {

namespace fs = std::filesystem;

// A run folder stands for its best model, or while there is none yet for its last. What cannot be examined is taken for
// a file: opening it says why.
std::string file_of(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return path;
  for (const char* name : {"best.safetensors", "last.safetensors"})
    if (fs::exists(fs::path(path) / name, ignored)) return (fs::path(path) / name).string();
  fail(Exit::model_file, "{}: a folder without best.safetensors or last.safetensors; is it a run of dactyl train?",
       {path});
}

// Another size of input keeps the share of the prepared picture that it sees.
void resize_input(InputSpec& input, i64 native) {
  if (input.height == native || native == 0) return;
  input.resize_to = std::max({input.height, input.width, (input.resize_to * input.height + native / 2) / native});
}

void apply_passport(InputSpec& input, const Passport& passport) {
  const auto red_first = [&](std::vector<float> v) {
    if (passport.channel_order == "bgr") std::reverse(v.begin(), v.end());
    return v;
  };
  if (!passport.mean.empty()) {
    check(Exit::model_file, static_cast<i64>(passport.mean.size()) == input.channels,
          "means for {} channels; the model takes {}", passport.mean.size(), input.channels);
    input.mean = red_first(passport.mean);
    input.scale = red_first(passport.scale);
  }
  if (!passport.flow.empty()) {
    const i64 channels = channels_of(flow_encoding(passport.encoding));
    check(Exit::model_file, channels == input.channels, "flow as {} has {} channels; the model takes {}",
          passport.encoding, channels, input.channels);
  }
  input.flow = passport.flow;
  input.encoding = passport.encoding;
  if (passport.resize.empty()) return;
  InputSpec native = input;
  native.height = passport.height > 0 ? passport.height : input.height;
  native.width = passport.width > 0 ? passport.width : input.width;
  set_resize(native, passport.resize);
  input.resize = native.resize;
  input.filter = native.filter;
  input.resize_to = native.resize_to;
  resize_input(input, native.height);
}

// What a passport asks for and cannot have is the file's fault, not the caller's.
template <class F>
auto blaming(const std::string& path, F f) {
  try {
    return f();
  } catch (const Error& error) {
    const bool told = error.exit() == Exit::usage || error.exit() == Exit::model_file;
    throw told ? Error(Exit::model_file, path + ": its passport: " + error.what()) : error;
  }
}

LoadedModel untrained(const std::string& name, const ModelOptions& options) {
  LoadedModel made{make_model(name, options), {}, {}};
  resize_input(made.model.input, known_passport(name).height);
  return made;
}

std::vector<std::string> with_separators(const std::vector<std::string>& prefixes) {
  std::vector<std::string> exact;
  for (const std::string& p : prefixes) exact.insert(exact.end(), {p + ".", p + "/"});
  return exact;
}

}  // namespace

Passport passport_of(const Model& model, std::vector<std::string> labels, const std::string& origin) {
  return {.model = model.name,
          .mean = model.input.mean,
          .scale = model.input.scale,
          .height = static_cast<long>(model.input.height),
          .width = static_cast<long>(model.input.width),
          .resize = resize_text(model.input),
          .labels = std::move(labels),
          .origin = origin,
          .frames = static_cast<long>(model.input.frames),
          .flow = model.input.flow,
          .encoding = model.input.encoding};
}

namespace {

// A net of clips also takes its length and channels from the file, unless told otherwise.
void take_clips(const Passport& passport, ModelOptions& options) {
  if (passport.frames == 0) return;
  if (options.frames == 0) options.frames = passport.frames;
  if (options.channels == 0) options.channels = static_cast<i64>(passport.mean.size());
}

}  // namespace

Model described(const Passport& passport, ModelOptions options) {
  options.classes = static_cast<i64>(passport.labels.size());
  options.height = passport.height;
  options.width = passport.width;
  take_clips(passport, options);
  Model model = make_model(passport.model, options);
  apply_passport(model.input, passport);
  return model;
}

LoadedModel open_model(const std::string& name, const std::string& weights, const ModelOptions& options) {
  if (weights.empty()) return untrained(name, options);
  const Checkpoint file = Checkpoint::read(file_of(weights));
  const Passport passport = Passport::from_notes(file.notes, file.path);
  const i64 classes = passport.labels.empty() ? options.classes : static_cast<i64>(passport.labels.size());
  LoadedModel loaded = pour(name, file, classes, options, false);
  check(Exit::model_file, loaded.model.input.channels == 3 || !passport.flow.empty(),
        "{}: takes {} channels and does not say of what flow; dactyl train --flow makes of it a net that does",
        file.path, loaded.model.input.channels);
  return loaded;
}

Passport passport_in(const std::string& weights) {
  const Checkpoint file = Checkpoint::read(file_of(weights));
  return Passport::from_notes(file.notes, file.path);
}

LoadedModel open_for_training(const std::string& name, const std::string& weights,
                              const std::vector<std::string>& labels, ModelOptions options) {
  options.classes = static_cast<i64>(labels.size());
  if (weights.empty()) return untrained(name, options);
  const Checkpoint file = Checkpoint::read(file_of(weights));
  const bool same_task = Passport::from_notes(file.notes, file.path).labels == labels;
  return pour(name, file, options.classes, options, !same_task);
}

LoadedModel pour(const std::string& name, const Checkpoint& file, i64 classes, ModelOptions options, bool new_head) {
  LoadedModel loaded;
  loaded.passport = Passport::from_notes(file.notes, file.path);
  const Passport& passport = loaded.passport;
  check(Exit::model_file, !name.empty() || !passport.empty(), "{}: says of no model; name it with --model", file.path);
  check(Exit::model_file, name.empty() || passport.empty() || passport.model == name,
        "{}: holds weights of {}, not of {}; give --model {} or another file", file.path, shown(passport.model), name,
        shown(passport.model));
  options.classes = classes;
  const bool by_passport = options.height == 0 && !passport.empty();
  if (by_passport) options.height = passport.height, options.width = passport.width;
  take_clips(passport, options);
  const std::string net = name.empty() ? passport.model : name;
  const auto make = [&] { return make_model(net, options); };
  loaded.model = by_passport ? blaming(file.path, make) : make();
  LoadOptions how{.skip = with_separators(new_head ? loaded.model.heads : std::vector<std::string>{}),
                  .optional = with_separators(loaded.model.auxiliary),
                  .strict = true};
  loaded.report = load(*loaded.model.parameters, file, net, how);
  if (passport.empty()) loaded.passport = known_passport(net);
  blaming(file.path, [&] {
    apply_passport(loaded.model.input, loaded.passport);
    return true;
  });
  return loaded;
}

}  // namespace dactyl

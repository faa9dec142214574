// Every option of a training run, once.
#include "train/settings.h"

#include <unistd.h>

#include <charconv>
#include <cmath>
#include <filesystem>

namespace dactyl {
namespace {

using Texts = std::vector<std::string>;

template <class T>
T number_from(const std::string& name, const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(Exit::usage, error == std::errc() && end == text.data() + text.size(), "--{} '{}': expected a {}number", name,
        text, std::is_integral_v<T> ? "whole " : "");
  return value;
}

bool flag_from(const std::string& name, const std::string& text) {
  const bool on = text == "on" || text == "true", off = text == "off" || text == "false";
  check(Exit::usage, on || off, "--{} '{}': expected on or off", name, text);
  return on;
}

// A setting for any member, given a pointer to it or a function that returns it.
template <class Way>
Setting setting(const std::string& name, Way way, const std::string& help, bool may_change = false) {
  const auto at = [way](TrainOptions & o) -> auto& { return std::invoke(way, o); };
  using T = std::remove_reference_t<decltype(at(std::declval<TrainOptions&>()))>;
  Setting s{name, help, Setting::Kind::text, {}, {}, may_change};
  const auto read = [at](const TrainOptions& o) -> const T& { return at(const_cast<TrainOptions&>(o)); };
  if constexpr (std::is_same_v<T, std::string>) {
    s.get = [read](const TrainOptions& o) { return Texts{read(o)}; };
    s.set = [at](TrainOptions& o, const Texts& v) { at(o) = v.back(); };
  } else if constexpr (std::is_same_v<T, bool>) {
    s.get = [read](const TrainOptions& o) { return Texts{read(o) ? "on" : "off"}; };
    s.set = [at, name](TrainOptions& o, const Texts& v) { at(o) = flag_from(name, v.back()); };
  } else if constexpr (std::is_same_v<T, Texts>) {
    s.kind = Setting::Kind::list;
    s.get = read;
    s.set = [at](TrainOptions& o, const Texts& v) { at(o) = v; };
  } else {
    s.kind = Setting::Kind::number;
    s.get = [read](const TrainOptions& o) {
      if constexpr (std::is_floating_point_v<T>)
        return Texts{exact_text(read(o))};
      else
        return Texts{std::to_string(read(o))};
    };
    s.set = [at, name](TrainOptions& o, const Texts& v) { at(o) = number_from<T>(name, v.back()); };
  }
  return s;
}

Setting stage_setting() {
  return {"stage",
          "what learns, how long, how fast; may be given several times: head:3ep@1e-4, all:200it@1e-5, "
          "until=inception_5a:2ep@1e-3 (from that layer to the output)",
          Setting::Kind::list,
          [](const TrainOptions& o) {
            Texts texts;
            for (const Stage& stage : o.stages) texts.push_back(to_text(stage));
            return texts;
          },
          [](TrainOptions& o, const Texts& v) {
            o.stages.clear();
            for (const std::string& text : v) o.stages.push_back(parse_stage(text));
          }};
}

Setting augment_setting() {
  return {"aug", "random changes of the pictures: none, or of reflect-x,shift=30,crop,jitter=0.3,zoom=0.2,rotate=10",
          Setting::Kind::text, [](const TrainOptions& o) { return Texts{to_text(o.augment)}; },
          [](TrainOptions& o, const Texts& v) { o.augment = parse_augment(v.back()); }};
}

// clang-format off
std::vector<Setting> all_settings() {
  return {
      setting("model", &TrainOptions::model, "the net, as listed by dactyl models"),
      setting("weights", &TrainOptions::weights, "pretrained .caffemodel or .safetensors, or a run folder; none: from scratch"),
      setting("data", &TrainOptions::data, "folder of classes with pictures or videos, CSV with path,label[,start,end] (seconds), pack, or store of dactyl flow"),
      setting("min-per-class", [](TrainOptions& o) -> auto& { return o.classes.min_per_class; }, "leaves out classes with fewer samples"),
      setting("top-classes", [](TrainOptions& o) -> auto& { return o.classes.top_classes; }, "of the classes only the most frequent ones; 0: all"),
      setting("split", &TrainOptions::split, "share of each class to train with, the rest validates"),
      setting("split-by", &TrainOptions::split_by, "regular expression with one group, searched in the path"),
      setting("test-groups", &TrainOptions::test_groups, "the group's values that validate"),
      setting("splits", &TrainOptions::splits, "splits.json with the names of both parts"),
      stage_setting(),
      setting("batch", &TrainOptions::batch, "pictures per step"),
      setting("head-lr-mult", &TrainOptions::head_lr_mult, "factor of the head's learning rate, in every stage"),
      setting("freeze", &TrainOptions::freeze, "until=LAYER: the layers before it never learn"),
      setting("opt", [](TrainOptions& o) -> auto& { return o.optimizer.kind; }, "sgd, adam or adamw"),
      setting("momentum", [](TrainOptions& o) -> auto& { return o.optimizer.momentum; }, "of sgd"),
      setting("decay", [](TrainOptions& o) -> auto& { return o.optimizer.decay; }, "weight decay; biases and normalisations are spared"),
      setting("nesterov", [](TrainOptions& o) -> auto& { return o.optimizer.nesterov; }, "on or off"),
      setting("sched", [](TrainOptions& o) -> auto& { return o.schedule.kind; }, "the rate within a stage: const, step, cosine, poly"),
      setting("warmup", &TrainOptions::warmup, "over which the rate rises, per stage: 100it or 0.5ep"),
      setting("clips", &TrainOptions::clips, "which frames of a video train: segments=20 (one at random of each twentieth), window=64, uniform=20; with @25 at that rate"),
      setting("test-clips", &TrainOptions::test_clips, "which frames of a video validate: uniform=20, centre=64@25"),
      setting("frame-folders", &TrainOptions::frame_folders, "on: every folder of pictures is a clip, the pictures its frames"),
      setting("flow", &TrainOptions::flow, "optical flow in place of colours: none, cached (computed once, or data is a store of dactyl flow), on-the-fly"),
      setting("flow-algo", &TrainOptions::flow_algo, "default: that of a store, else tvl1 (as OpenCV's CUDA version); others: tvl1-cpu (as its CPU version), farneback, farneback-sample (as its sample program)"),
      setting("flow-encoding", &TrainOptions::flow_encoding, "uv (2 channels), uv0 or hsv (3 channels)"),
      setting("flow-side", &TrainOptions::flow_side, "short side of the frames that flow is computed on, in pixels; 0: that of a store, else 256"),
      augment_setting(),
      setting("no-mirror", &TrainOptions::no_mirror, "file with the labels, one per line, whose pictures are never mirrored"),
      setting("class-weights", &TrainOptions::class_weights, "none, maxratio (largest count / count) or inverse"),
      setting("smoothing", &TrainOptions::smoothing, "label smoothing, 0 to 1"),
      setting("dropout", &TrainOptions::dropout, "of the last classifier's input, 0 to below 1; -1: the net's own"),
      setting("bn", &TrainOptions::bn, "normalisation's statistics while learning: train or frozen"),
      setting("val-every", &TrainOptions::val_every, "how often to validate: 50it or 1ep"),
      setting("save-every", &TrainOptions::save_every, "how often to save the state: 100it or 1ep", true),
      setting("patience", &TrainOptions::patience, "validations without improvement before stopping; 0: never"),
      setting("metric", &TrainOptions::metric, "what the best model is best at: acc or f1"),
      setting("input", &TrainOptions::input, "side of the network's input; 0: the net's own"),
      setting("resize", &TrainOptions::resize, "how pictures are made that size: warp or short, side, filter, e.g. warp224-antialias; "
                                                "none: as the weights were trained"),
      setting("cache-views", &TrainOptions::cache_views, "head stages learn from features of so many augmented views, computed once; 0: never, -1: one where nothing is augmented"),
      setting("device", &TrainOptions::device, "auto, cpu, cuda or cuda:N", true),
      setting("precision", &TrainOptions::precision, "fp32, tf32 or bf16"),
      setting("graph", &TrainOptions::graph, "on: the GPU replays a captured step", true),
      setting("recompute", &TrainOptions::recompute, "on: less memory, a little slower: normalised numbers are computed again on the way back", true),
      setting("threads", &TrainOptions::threads, "threads that read pictures, 0 to 256; 0: one per core, at most 16", true),
      setting("decode", &TrainOptions::decode, "JPEG photos to train with: auto, cpu, or gpu (by nvJPEG; other roundings; kept pictures are decoded every time); auto is cpu until gpu was measured faster"),
      setting("picture-memory", &TrainOptions::picture_memory, "MiB of pictures kept as the net wants them, so that they are decoded once; 0: none", true),
      setting("bad-limit", &TrainOptions::bad_limit, "share of a class, 0 to 1, that may be unreadable before the run stops", true),
      setting("seed", &TrainOptions::seed, "of the split, new weights, order, augmentation and dropout"),
      setting("out", &TrainOptions::out, "run folder"),
  };
}
// clang-format on

void check_word(const char* option, const std::string& word, const std::vector<std::string>& known) {
  std::string list;
  for (const std::string& k : known) {
    if (k == word) return;
    list += (list.empty() ? "" : ", ") + k;
  }
  fail(Exit::usage, "--{} '{}': expected one of {}", {option, word, list});
}

// Not a number lies in no range.
template <class T>
void check_range(const char* option, T value, T low, T high) {
  check(Exit::usage, value >= low && value <= high, "--{} {}: expected {} to {}", option, value, low, high);
}

constexpr double most_factor = 1000;  // of rates and what multiplies them: beyond it numbers only overflow

void check_learning(const TrainOptions& o) {
  for (const Stage& stage : o.stages)
    check(Exit::usage, stage.rate >= 0 && stage.rate <= most_factor, "--stage {}: expected a rate of 0 to {}",
          to_text(stage), most_factor);
  check_range("head-lr-mult", o.head_lr_mult, 0.0, most_factor);
  check_range("decay", o.optimizer.decay, 0.0, most_factor);
  check(Exit::usage, o.optimizer.momentum >= 0 && o.optimizer.momentum < 1, "--momentum {}: expected 0 up to below 1",
        o.optimizer.momentum);
  check(Exit::usage, o.smoothing >= 0 && o.smoothing < 1, "--smoothing {}: expected 0 up to below 1", o.smoothing);
  check(Exit::usage, o.dropout == -1 || (o.dropout >= 0 && o.dropout < 1),
        "--dropout {}: expected 0 up to below 1, or -1 for the net's own", o.dropout);
  check(Exit::usage, o.freeze.empty() || o.freeze.starts_with("until="), "--freeze '{}': expected until=LAYER",
        o.freeze);
  check_word("opt", o.optimizer.kind, {"sgd", "adam", "adamw"});
  check_word("sched", o.schedule.kind, {"const", "step", "cosine", "poly"});
  check_word("flow", o.flow, {"none", "cached", "on-the-fly"});
  if (!o.flow_algo.empty())
    check_word("flow-algo", o.flow_algo, {"tvl1", "tvl1-cpu", "farneback", "farneback-sample"});
  check_word("flow-encoding", o.flow_encoding, {"uv", "uv0", "hsv"});
  check(Exit::usage, o.flow_side == 0 || (o.flow_side >= 16 && o.flow_side <= 4096),
        "--flow-side {}: expected 16 to 4096, or 0 for a store's own", o.flow_side);
  check_word("class-weights", o.class_weights, {"none", "maxratio", "inverse"});
  check_word("bn", o.bn, {"train", "frozen"});
}

void check_reading(const TrainOptions& o) {
  check(Exit::usage, o.split > 0 && o.split < 1, "--split {}: expected a share between 0 and 1, e.g. 0.8", o.split);
  check(Exit::usage, o.split_by.empty() == o.test_groups.empty(), "--split-by and --test-groups belong together");
  check(Exit::usage, o.classes.min_per_class >= 1, "--min-per-class {}: expected 1 or more", o.classes.min_per_class);
  check(Exit::usage, o.classes.top_classes >= 0, "--top-classes {}: expected 0 or more", o.classes.top_classes);
  check_range("threads", o.threads, 0, most_threads);
  check_word("decode", o.decode, {"auto", "cpu", "gpu"});
  check_range<i64>("picture-memory", o.picture_memory, 0, i64{1} << 24);
  check_range("bad-limit", o.bad_limit, 0.0, 1.0);
  std::error_code ignored;
  const bool readable = !std::filesystem::is_directory(o.no_mirror, ignored) && access(o.no_mirror.c_str(), R_OK) == 0;
  check(Exit::data, o.no_mirror.empty() || readable,
        "--no-mirror {}: cannot be read; expected a file with one label per line", o.no_mirror);
}

}  // namespace

const std::vector<Setting>& train_settings() {
  static const std::vector<Setting> settings = all_settings();
  return settings;
}

void check_options(const TrainOptions& o) {
  check(Exit::usage, !o.data.empty(), "train: --data is missing: a folder of classes, or a CSV with path,label");
  check(Exit::usage, !o.stages.empty(), "train: --stage is missing, e.g. --stage head:3ep@1e-3 --stage all:2ep@1e-4");
  check(Exit::usage, o.seed <= INT64_MAX, "--seed: expected at most {}", i64{INT64_MAX});
  check_range("batch", o.batch, i64{1}, i64{65536});
  check(Exit::usage, o.patience >= 0, "--patience {}: expected 0 or more", o.patience);
  check_range("cache-views", o.cache_views, -1, 1000);
  check(Exit::usage, o.input == 0 || (o.input >= 32 && o.input <= 4096), "--input {}: expected 32 to 4096", o.input);
  check_word("metric", o.metric, {"acc", "f1"});
  check_word("precision", o.precision, {"fp32", "tf32", "bf16"});
  for (const std::string& every : {o.val_every, o.save_every, o.warmup}) steps_of(every, 1000);
  check_learning(o);
  check_reading(o);
}

}  // namespace dactyl

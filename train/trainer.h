// Staged fine-tuning: the step, the epoch, the evaluation, the resume.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nets/nets.h"
#include "train/data/clip_samples.h"
#include "train/data/loader.h"
#include "train/data_wait.h"
#include "train/metrics.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "weights/weights.h"

namespace dactyl {

// Everything `dactyl train` can be told. Written resolved to config.toml in the run folder, read back by resume.
struct TrainOptions {
  std::string model = "googlenet", weights, data, splits, out;
  std::string split_by;  // regular expression with one group
  std::vector<std::string> test_groups;
  double split = 0.8;
  ClassChoice classes;  // which take part
  std::vector<Stage> stages;
  double head_lr_mult = 1;
  std::string freeze;  // "until=LAYER": layers before it never learn
  OptimizerOptions optimizer;
  Schedule schedule{.kind = "cosine"};  // a constant rate leaves small batches noisy to the end
  std::string warmup = "0it";
  i64 batch = 32;
  std::string val_every = "1ep";          // 50it or 1ep
  std::string save_every = "1ep";         // also 100it; last.safetensors and last.state
  std::string clips = "segments=20";      // of videos: which frames train; parse_sampling's words
  std::string test_clips = "uniform=20";  // and which validate
  bool frame_folders = false;             // folders of pictures are clips, their pictures the frames
  std::string flow = "none";  // none: colours; cached: optical flow from a store, made beside the run if data is none;
                              // on-the-fly: computed as clips are read
  std::string flow_algo, flow_encoding = "uv";  // FlowRecipe's and FlowEncoding's words; "": a store's own, else tvl1
  int flow_side = 0;                            // of the frames it is computed on; 0: a store's own, else 256
  AugmentOptions augment;
  std::string no_mirror;                             // file of labels whose pictures are never mirrored
  std::string class_weights = "none", bn = "train";  // bn: train, frozen
  double smoothing = 0, dropout = -1;                // −1: the net's own
  i64 patience = 0;                                  // validations without improvement before stopping; 0: never
  std::string metric = "acc";                        // acc, f1: what "best" means
  i64 input = 0;                                     // side of the network's input; 0: the net's own
  std::string resize;                                // "warp224-antialias" …; "": as the weights were trained
  int cache_views = -1;  // frozen backbone: features of this many augmented views computed once;
                         // 0: never, −1: one view where nothing is augmented
  std::string device = "auto", precision = "fp32";  // fp32, tf32, bf16
  bool graph = true, recompute = false;
  int threads = 0;
  std::string decode = "auto";  // of JPEG photos that train: auto, cpu, gpu (nvJPEG)
  i64 picture_memory = 2048;  // MiB of prepared pictures kept, which are decoded once; of files, where the GPU decodes
  double bad_limit = 0.01;
  std::uint64_t seed = 1;
};

struct TrainResult {
  Metrics best;  // on the validation samples
  i64 steps = 0;
  DataWait data;           // of the last stage that read samples
  std::string data_text;   // what was said of it: one line, or empty
  Decoded decoded;         // where the GPU decodes: pictures, of all stages
  Exit exit = Exit::good;  // interrupted, terminated: state is saved
};

// Runs all stages, leaving the run folder of the product page behind. `resume`: continue the run in options.out.
TrainResult train(const TrainOptions& options, bool resume);

TrainOptions read_config(const std::string& toml_path);
void write_config(const std::string& toml_path, const TrainOptions&);

struct EvaluateOptions {
  i64 batch = 32;
  int views = 1;    // of each picture, their probabilities averaged: see test_views
  int threads = 0;  // that read pictures; 0: one per core
  DType dtype = DType::f32;
  std::vector<BadSample>* bad = nullptr;  // receives what could not be read
  std::function<void(i64 done, i64 all)> progress;
};
// Predictions of a model over a source on the current device, in order; bad samples are left out. With several views
// a logit is the logarithm of the mean probability.
std::vector<Prediction> evaluate(const Model& model, const DataSource& source, const EvaluateOptions& options);

// A model ready for use from a run folder's checkpoint or a foreign weight file: net built, weights poured, input as
// the passport says. `labels` from the passport; `weights` may be a run folder (best.safetensors), or empty (random).
struct LoadedModel {
  Model model;
  Passport passport;
  LoadReport report;
};
LoadedModel open_model(const std::string& name, const std::string& weights, const ModelOptions& = {});

}  // namespace dactyl

// dactyl predict: files to labels.
#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <map>

#include "apps/cli.h"

namespace dactyl {
namespace {

struct PredictOptions {
  ModelChoice choice;
  Place place;
  std::vector<std::string> files;
  std::string clips;
  std::size_t topk = 5;
  i64 batch = 8;
  int views = 1;
  bool json = false;
};

Json to_json(const Prediction& p, const std::vector<std::string>& labels, std::size_t topk) {
  Json top = Json::array();
  for (std::size_t k = 0; k < std::min(topk, p.top.size()); ++k)
    top.push_back({{"index", p.top[k]},
                   {"label", labels[static_cast<std::size_t>(p.top[k])]},
                   {"p", p.p[k]},
                   {"logit", p.logit[k]}});
  return {{"file", p.name}, {"top", top}};
}

void print_table(const Json& result) {
  std::cout << one_line(result["file"].get<std::string>()) << '\n';
  for (const Json& entry : result["top"])
    std::cout << std::fixed << std::setprecision(1) << std::setw(7) << 100 * entry["p"].get<double>() << " %  "
              << one_line(entry["label"].get<std::string>()) << '\n';
}

// Of a video: what --clips says, else what the run was tested on if the net takes as many frames, else evenly spread
// ones. Of a net of pictures, the middle one.
FrameChoice clips_of(const PredictOptions& o, const InputSpec& input) {
  const int frames = static_cast<int>(std::max<i64>(input.frames, 1));
  ClipSampling sampling{.kind = Sampling::uniform, .frames = frames};
  const std::string config = o.choice.run + "/config.toml";
  if (!o.clips.empty()) {
    sampling = parse_sampling(o.clips);
    check(Exit::usage, sampling.frames == frames, "--clips {}: the net takes {} of a video's frames", o.clips, frames);
  } else if (std::filesystem::exists(config)) {
    const ClipSampling own = parse_sampling(read_config(config).test_clips);
    if (own.frames == frames) sampling = own;
  }
  return {sampling, sampling, 1};
}

// Of a net of optical flow, that flow.
std::shared_ptr<const ClipSource> videos_of(const LoadedModel& loaded, const std::vector<std::string>& files) {
  std::shared_ptr<const ClipSource> videos = video_files(loaded.passport.labels, files);
  const std::optional<FlowRecipe> flow = flow_of(loaded.passport);
  return flow ? with_flow(std::move(videos), *flow, Context::current().device()) : videos;
}

// Pictures and videos apart. To a net of clips everything is a video, but what is called a picture is refused.
std::vector<std::shared_ptr<const DataSource>> sources_of(const PredictOptions& o, const LoadedModel& loaded,
                                                          const std::vector<std::string>& files) {
  const InputSpec& input = loaded.model.input;
  check(
      Exit::model_file, input.frames > 0 || input.flow.empty(),
      "predict: the weights of {} are said to have learnt from optical flow, and {} takes pictures; use other weights",
      loaded.model.name, loaded.model.name);
  std::vector<Item> pictures;
  std::vector<std::string> videos;
  for (const std::string& file : files) {
    check(Exit::usage, input.frames == 0 || !has_picture_extension(file),
          "predict: {} is a picture, and {} recognises {} frames of a video; give it videos", file, loaded.model.name,
          input.frames);
    if (input.frames > 0 || has_video_extension(file))
      videos.push_back(file);
    else
      pictures.push_back({file, 0});
  }
  const std::vector<std::string>& labels = loaded.passport.labels;
  std::vector<std::shared_ptr<const DataSource>> sources;
  if (!pictures.empty()) sources.push_back(std::make_shared<ImageFiles>(labels, pictures));
  if (!videos.empty()) sources.push_back(clip_samples(videos_of(loaded, videos), clips_of(o, input)));
  return sources;
}

std::map<std::string, Prediction> results_of(const PredictOptions& o, const LoadedModel& loaded,
                                             const std::vector<std::string>& files, std::vector<BadSample>& bad) {
  const auto sources = sources_of(o, loaded, files);
  Progress progress("predicting", static_cast<i64>(files.size()), "files");
  std::map<std::string, Prediction> results;
  for (const auto& source : sources) {
    i64 seen = 0;
    std::vector<BadSample> found;
    const auto advance = [&](i64 done, i64) {
      progress.advance(done - seen);
      seen = done;
    };
    const EvaluateOptions how{.batch = o.batch,
                              .views = o.views,
                              .threads = o.place.threads,
                              .dtype = dtype_of(o.place),
                              .bad = &found,
                              .progress = advance};
    for (Prediction& p : evaluate(loaded.model, *source, how)) results[p.name] = std::move(p);
    bad.insert(bad.end(), found.begin(), found.end());
  }
  return results;
}

// One result per file, in the order given; what could not be read is reported and ends in Exit::data.
void predict(const PredictOptions& o) {
  const std::vector<std::string> files = sample_files(o.files);
  const auto use = enter(o.place);
  const LoadedModel loaded = open_choice(o.choice, o.place);
  std::vector<BadSample> bad;
  const std::map<std::string, Prediction> results = results_of(o, loaded, files, bad);
  for (const std::string& file : files) {
    const auto found = results.find(file);
    if (found == results.end()) continue;
    const Json result = to_json(found->second, loaded.passport.labels, o.topk);
    o.json ? print_json(result) : print_table(result);
  }
  for (const BadSample& b : bad) {
    if (o.json) print_json({{"file", b.name}, {"error", b.reason}});
    std::cerr << "dactyl: " << one_line(b.name + ": " + b.reason) << '\n';
  }
  check(Exit::data, bad.empty(), "predict: {} of {} files could not be read", bad.size(), files.size());
}

}  // namespace

void add_predict(CLI::App& program) {
  auto o = std::make_shared<PredictOptions>();
  CLI::App* verb = add_verb(program, "predict", "files to labels",
                            "  dactyl predict --run runs/signs photo.jpg\n"
                            "  dactyl predict --model googlenet --weights bvlc_googlenet.caffemodel \\\n"
                            "    --labels synset_words.txt --resize warp256-antialias --topk 5 --json cat.jpg\n"
                            "  dactyl predict --run runs/words new.mp4 more-videos");
  verb->add_option("FILE", o->files,
                   "pictures or videos, or folders of them; of a video a net of pictures sees the middle frame")
      ->required();
  add_model_choice(*verb, o->choice);
  verb->add_option("--topk", o->topk, "labels per file, 1 to 5")->check(CLI::Range(1, 5))->capture_default_str();
  verb->add_option("--clips", o->clips,
                   "which frames of a video: uniform=20, centre=64@25; default: the run's test clips");
  verb->add_option("--batch", o->batch, "pictures or videos at once")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  add_views(*verb, o->views);
  add_place(*verb, o->place);
  verb->add_flag("--json", o->json, "one JSON line per file");
  verb->callback([o] {
    Progress::silence(o->json);
    predict(*o);
  });
}

}  // namespace dactyl

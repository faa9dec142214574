// dactyl predict: files to labels.
#include <algorithm>
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

// One result per file, in the order given; what could not be read is reported and ends in Exit::data.
void predict(const PredictOptions& o) {
  const std::vector<std::string> files = picture_files(o.files);
  const auto use = enter(o.place);
  const LoadedModel loaded = open_choice(o.choice, o.place);
  std::vector<Item> items;
  for (const std::string& file : files) items.push_back({file, 0});
  const ImageFiles source(loaded.passport.labels, items);
  std::vector<BadSample> bad;
  std::map<std::string, Prediction> results;
  {
    Progress progress("predicting", source.size(), "files");
    i64 seen = 0;
    const auto advance = [&](i64 done, i64) {
      progress.advance(done - seen);
      seen = done;
    };
    const EvaluateOptions how{.batch = o.batch,
                              .views = o.views,
                              .threads = o.place.threads,
                              .dtype = dtype_of(o.place),
                              .bad = &bad,
                              .progress = advance};
    for (Prediction& p : evaluate(loaded.model, source, how)) results[p.name] = std::move(p);
  }
  for (const std::string& file : files) {
    if (!results.contains(file)) continue;
    const Json result = to_json(results[file], loaded.passport.labels, o.topk);
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
                            "    --labels synset_words.txt --resize warp256-antialias --topk 5 --json cat.jpg");
  verb->add_option("FILE", o->files, "pictures, or folders of pictures")->required();
  add_model_choice(*verb, o->choice);
  verb->add_option("--topk", o->topk, "labels per file, 1 to 5")->check(CLI::Range(1, 5))->capture_default_str();
  verb->add_option("--batch", o->batch, "pictures at once")->check(CLI::Range(1, 65536))->capture_default_str();
  add_views(*verb, o->views);
  add_place(*verb, o->place);
  verb->add_flag("--json", o->json, "one JSON line per file");
  verb->callback([o] {
    Progress::silence(o->json);
    predict(*o);
  });
}

}  // namespace dactyl

// dactyl data: counts and checks a folder of pictures or videos.
#include <cmath>
#include <filesystem>
#include <iostream>

#include "apps/cli.h"
#include "apps/clips.h"
#include "apps/parallel.h"

namespace dactyl {
namespace {

struct ScanOptions {
  ClipChoice clips;
  std::string out;
  bool json = false;
};

// Why each sample cannot be used; empty where it can.
template <class Read>
std::vector<std::string> read_all(const Labelled& source, const Read& read) {
  std::vector<std::string> reasons(static_cast<std::size_t>(source.size()));
  Progress progress("reading", source.size(), "files");
  for_each_parallel(source.size(), 0, [&](i64 i) {
    try {
      read(i);
    } catch (const Error& e) {
      reasons[static_cast<std::size_t>(i)] = e.what();
    }
    progress.advance();
  });
  return reasons;
}

void print_counts(const Labelled& source, const std::vector<std::string>& bad) {
  const std::vector<i64> counts = source.class_counts();
  for (std::size_t c = 0; c < counts.size(); ++c)
    std::cout << one_line(source.labels()[c]) << '\t' << counts[c] << '\n';
  std::cout << source.size() << " samples, " << counts.size() << " classes, " << bad.size() << " bad\n";
  for (const std::string& reason : bad) std::cout << "bad: " << one_line(reason) << '\n';
}

void print_counts_json(const Labelled& source, const std::vector<std::string>& bad) {
  Json classes = Json::object();
  const std::vector<i64> counts = source.class_counts();
  for (std::size_t c = 0; c < counts.size(); ++c) classes[source.labels()[c]] = counts[c];
  print_json({{"samples", source.size()}, {"classes", classes}, {"bad", bad}});
}

std::string quoted(std::string text) {  // as a CSV field
  for (std::size_t at = text.find('"'); at != text.npos; at = text.find('"', at + 2)) text.insert(at, 1, '"');
  return "\"" + text + "\"";
}

// The good samples as a CSV, which --data takes in place of the folder.
std::string table(const Labelled& source, const ClipSource* clips, const std::vector<std::string>& reasons) {
  const auto number = [](double v) { return std::isfinite(v) ? exact_text(v) : ""; };
  std::string csv = clips ? "path,label,start,end\n" : "path,label\n";
  for (i64 i = 0; i < source.size(); ++i) {
    if (!reasons[static_cast<std::size_t>(i)].empty()) continue;
    const ClipSource::Span span = clips ? clips->span(i) : ClipSource::Span{};
    const std::string path = clips ? clips->place(i) : source.name(i);
    csv += quoted(std::filesystem::absolute(path).string()) + "," +
           quoted(source.labels()[static_cast<std::size_t>(source.label(i))]);
    if (clips) csv += "," + number(span.start) + "," + number(span.end);
    csv += "\n";
  }
  return csv;
}

void scan(const ScanOptions& o) {
  std::shared_ptr<const ClipSource> clips;
  std::shared_ptr<const DataSource> pictures;
  if (are_clips(o.clips))
    clips = open(o.clips);
  else
    pictures = open_source(o.clips.data);
  const Labelled& source = clips ? static_cast<const Labelled&>(*clips) : *pictures;
  const std::vector<std::string> reasons =
      read_all(source, [&](i64 i) { clips ? clips->check_sample(i) : void(pictures->image(i)); });
  if (!o.out.empty()) write_atomically(o.out, table(source, clips.get(), reasons));
  std::vector<std::string> bad = reasons;
  std::erase(bad, "");
  (o.json ? print_counts_json : print_counts)(source, bad);
}

void add_scan(CLI::App& data) {
  auto o = std::make_shared<ScanOptions>();
  CLI::App* verb = add_verb(data, "scan", "reads every picture or video: samples per class, and what is bad and why",
                            "  dactyl data scan photos\n  dactyl data scan photos --out index.csv --json");
  verb->add_option("DATA", o->clips.data,
                   "folder of classes with pictures or videos, flat folder, or CSV with path,label[,start,end]")
      ->required();
  verb->add_option("--out", o->out, "CSV of the good samples, which --data takes in place of the folder");
  verb->add_flag("--json", o->json, "JSON to stdout");
  add_clip_options(*verb, o->clips);
  verb->callback([o] {
    Progress::silence(o->json);
    scan(*o);
  });
}

}  // namespace

void add_data(CLI::App& program) {
  CLI::App* verb = program.add_subcommand("data", "makes, checks and divides data");
  verb->require_subcommand(1);
  add_scan(*verb);
  add_split(*verb);
  add_pack(*verb);
  add_synth(*verb);
}

}  // namespace dactyl

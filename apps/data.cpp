// dactyl data: counts and checks a folder of pictures, divides it into training and test.
#include <filesystem>
#include <iostream>

#include "apps/cli.h"
#include "apps/parallel.h"

namespace dactyl {
namespace {

struct DataOptions {
  std::string data, out, split_by;
  std::vector<std::string> test_groups;
  double share = 0.8;
  std::uint64_t seed = 1;
  bool json = false;
};

// Why each sample cannot be used; empty where it can.
std::vector<std::string> read_all(const DataSource& source) {
  std::vector<std::string> reasons(static_cast<std::size_t>(source.size()));
  Progress progress("reading", source.size(), "files");
  for_each_parallel(source.size(), 0, [&](i64 i) {
    try {
      source.image(i);
    } catch (const Error& e) {
      reasons[static_cast<std::size_t>(i)] = e.what();
    }
    progress.advance();
  });
  return reasons;
}

void print_counts(const DataSource& source, const std::vector<std::string>& bad) {
  const std::vector<i64> counts = source.class_counts();
  for (std::size_t c = 0; c < counts.size(); ++c)
    std::cout << one_line(source.labels()[c]) << '\t' << counts[c] << '\n';
  std::cout << source.size() << " samples, " << counts.size() << " classes, " << bad.size() << " bad\n";
  for (const std::string& reason : bad) std::cout << "bad: " << one_line(reason) << '\n';
}

void print_counts_json(const DataSource& source, const std::vector<std::string>& bad) {
  Json classes = Json::object();
  const std::vector<i64> counts = source.class_counts();
  for (std::size_t c = 0; c < counts.size(); ++c) classes[source.labels()[c]] = counts[c];
  print_json({{"samples", source.size()}, {"classes", classes}, {"bad", bad}});
}

std::string quoted(std::string text) {  // as a CSV field
  for (std::size_t at = text.find('"'); at != text.npos; at = text.find('"', at + 2)) text.insert(at, 1, '"');
  return "\"" + text + "\"";
}

void scan(const DataOptions& o) {
  const auto source = open_source(o.data);
  const std::vector<std::string> reasons = read_all(*source);
  std::vector<std::string> bad;
  std::string csv = "path,label\n";
  for (i64 i = 0; i < source->size(); ++i) {
    const std::string& reason = reasons[static_cast<std::size_t>(i)];
    if (!reason.empty())
      bad.push_back(reason);
    else
      csv += quoted(std::filesystem::absolute(source->name(i)).string()) + "," +
             quoted(source->labels()[static_cast<std::size_t>(source->label(i))]) + "\n";
  }
  if (!o.out.empty()) write_atomically(o.out, csv);
  (o.json ? print_counts_json : print_counts)(*source, bad);
}

void split(const DataOptions& o) {
  check(Exit::usage, o.split_by.empty() == o.test_groups.empty(),
        "data split: --split-by and --test-groups belong together");
  const auto source = open_source(o.data);
  const Split parts = o.split_by.empty() ? split_by_share(*source, o.share, o.seed)
                                         : split_by_group(*source, o.split_by, o.test_groups);
  write_split(o.out, *source, parts);
  std::cerr << parts.train.size() << " samples to train, " << parts.test.size() << " to test: " << o.out << '\n';
}

void add_scan(CLI::App& data) {
  auto o = std::make_shared<DataOptions>();
  CLI::App* verb = add_verb(data, "scan", "reads every picture: samples per class, and what is bad and why",
                            "  dactyl data scan photos\n  dactyl data scan photos --out index.csv --json");
  verb->add_option("DATA", o->data, "folder of classes, flat folder, or CSV with path,label")->required();
  verb->add_option("--out", o->out, "CSV of the good samples, which --data takes in place of the folder");
  verb->add_flag("--json", o->json, "JSON to stdout");
  verb->callback([o] {
    Progress::silence(o->json);
    scan(*o);
  });
}

void add_split(CLI::App& data) {
  auto o = std::make_shared<DataOptions>();
  o->out = "splits.json";
  CLI::App* verb = add_verb(data, "split", "divides the samples into training and test, for train --splits",
                            "  dactyl data split photos --split 0.8 --seed 1 --out splits.json\n"
                            "  dactyl data split hands --split-by 'hand(\\d+)' --test-groups 5 --out splits.json");
  verb->add_option("DATA", o->data, "folder of classes, flat folder, or CSV with path,label")->required();
  verb->add_option("--split", o->share, "share of each class to train with")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  verb->add_option("--split-by", o->split_by, "regular expression with one group, searched in the path");
  verb->add_option("--test-groups", o->test_groups, "the group's values that are the test set")->delimiter(',');
  add_seed(*verb, o->seed, "of the draw");
  verb->add_option("--out", o->out, "file to write")->capture_default_str();
  verb->callback([o] { split(*o); });
}

}  // namespace

void add_data(CLI::App& program) {
  CLI::App* verb = program.add_subcommand("data", "makes, checks and divides data");
  verb->require_subcommand(1);
  add_scan(*verb);
  add_split(*verb);
  add_synth(*verb);
}

}  // namespace dactyl

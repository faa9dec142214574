// dactyl data split: divides pictures or videos into training and test.
#include <iostream>

#include "apps/cli.h"
#include "apps/clips.h"

namespace dactyl {
namespace {

struct SplitOptions {
  ClipChoice clips;
  std::string out = "splits.json", split_by;
  std::vector<std::string> test_groups;
  double share = 0.8;
  std::uint64_t seed = 1;
};

void split(const SplitOptions& o) {
  check(Exit::usage, o.split_by.empty() == o.test_groups.empty(),
        "data split: --split-by and --test-groups belong together");
  std::shared_ptr<const Labelled> source;
  if (are_clips(o.clips))
    source = open(o.clips);
  else
    source = open_source(o.clips.data);
  const Split parts = o.split_by.empty() ? split_by_share(*source, o.share, o.seed)
                                         : split_by_group(*source, o.split_by, o.test_groups);
  write_split(o.out, *source, parts);
  std::cerr << parts.train.size() << " samples to train, " << parts.test.size() << " to test: " << o.out << '\n';
}

}  // namespace

void add_split(CLI::App& data) {
  auto o = std::make_shared<SplitOptions>();
  CLI::App* verb = add_verb(data, "split", "divides the samples into training and test, for train --splits",
                            "  dactyl data split photos --split 0.8 --seed 1 --out splits.json\n"
                            "  dactyl data split hands --split-by 'hand(\\d+)' --test-groups 05 --out splits.json");
  verb->add_option("DATA", o->clips.data,
                   "folder of classes with pictures or videos, flat folder, or CSV with path,label[,start,end]")
      ->required();
  verb->add_option("--split", o->share, "share of each class to train with")
      ->check(numbers_from(0, 1))
      ->capture_default_str();
  verb->add_option("--split-by", o->split_by, "regular expression with one group, searched in the path");
  verb->add_option("--test-groups", o->test_groups, "the group's values that are the test set")->delimiter(',');
  add_seed(*verb, o->seed, "of the draw");
  verb->add_option("--out", o->out, "file to write")->capture_default_str();
  add_clip_options(*verb, o->clips);
  verb->callback([o] { split(*o); });
}

}  // namespace dactyl

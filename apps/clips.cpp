// dactyl data pack, and what the verbs of data need to know about clips.
#include "apps/clips.h"

#include <iostream>

#include "apps/cli.h"

namespace dactyl {
namespace {

struct PackVerb {
  ClipChoice clips;
  std::string out;
  PackOptions options;
  bool json = false, check = false;
};

void print_changed(const PackVerb& o) {
  const std::vector<std::string> changed = changed_sources(o.clips.data);
  if (o.json)
    print_json({{"changed", changed}});
  else
    for (const std::string& line : changed) std::cout << "changed: " << line << '\n';
  check(Exit::check, changed.empty(), "{}: {} sources are not what was packed; pack them again", o.clips.data,
        changed.size());
  if (!o.json) std::cout << "every source is what was packed\n";
}

void pack(const PackVerb& o) {
  if (o.check) return print_changed(o);
  check(Exit::usage, !o.out.empty(), "data pack: --out is required: the pack to write");
  const Signals signals;  // Ctrl-C leaves no half of a pack
  const auto source = open(o.clips);
  const PackReport report = write_pack(o.out, *source, o.options);
  if (o.json) {
    print_json({{"samples", report.samples}, {"frames", report.frames}, {"bytes", report.bytes}, {"bad", report.bad}});
  } else {
    std::cout << report.samples << " clips, " << report.frames << " frames, " << report.bytes << " bytes, "
              << report.bad.size() << " bad: " << o.out << '\n';
    for (const std::string& reason : report.bad) std::cout << "bad: " << reason << '\n';
  }
}

}  // namespace

void add_clip_options(CLI::App& verb, ClipChoice& choice) {
  verb.add_flag("--frame-folders", choice.frame_folders, "every folder of pictures is a clip, the pictures its frames");
  verb.add_option("--fps", choice.fps, "frames per second of folders of pictures")->capture_default_str();
  verb.add_option("--min-per-class", choice.min_per_class, "leaves out classes with fewer clips")
      ->capture_default_str();
  verb.add_option("--top-classes", choice.top_classes, "of the classes only the most frequent ones; 0: all")
      ->capture_default_str();
}

bool are_clips(const ClipChoice& choice) { return choice.frame_folders || holds_videos(choice.data); }

std::shared_ptr<const ClipSource> open(const ClipChoice& choice) {
  std::shared_ptr<const ClipSource> source = open_clips(choice.data, {}, choice.fps, choice.frame_folders);
  if (choice.min_per_class > 1 || choice.top_classes > 0)
    source = only_classes(source, frequent_labels(*source, choice.min_per_class, choice.top_classes));
  return source;
}

void add_pack(CLI::App& data) {
  auto o = std::make_shared<PackVerb>();
  CLI::App* verb = add_verb(data, "pack", "decodes videos once, into one file that training reads fast",
                            "  dactyl data pack videos --out words.pack\n"
                            "  dactyl data pack sentences.csv --min-per-class 20 --top-classes 100 --out words.pack\n"
                            "  dactyl data pack words.pack --check");
  verb->add_option("DATA", o->clips.data, "folder of classes, or CSV with path,label[,start,end]")->required();
  verb->add_option("--out", o->out, "pack to write");
  verb->add_option("--side", o->options.side, "short side of the frames, in pixels")->capture_default_str();
  verb->add_option("--threads", o->options.threads, "that decode; 0: one per core")->capture_default_str();
  verb->add_flag("--check", o->check, "DATA is a pack: says which of its sources have changed since");
  verb->add_flag("--json", o->json, "JSON to stdout");
  add_clip_options(*verb, o->clips);
  verb->callback([o] {
    Progress::silence(o->json);
    pack(*o);
  });
}

}  // namespace dactyl

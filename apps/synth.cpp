// dactyl data synth: the built-in pictures, as files that look like anybody's folder of photos.
#include <filesystem>
#include <iostream>

#include "apps/cli.h"
#include "apps/parallel.h"

namespace dactyl {
namespace {

struct SynthOptions {
  std::string kind = "letters", out;
  HandsOptions hands;
  bool png = false;
};

std::string padded(int n, int digits) {
  const std::string text = std::to_string(n);
  return std::string(static_cast<std::size_t>(std::max(0, digits - static_cast<int>(text.size()))), '0') + text;
}

// A/hand07_0001.jpg: the label, who signs, which sample.
std::string file_name(const SynthOptions& o, int label, int index) {
  return hand_letters()[static_cast<std::size_t>(label)] + "/hand" + padded(hand_identity(o.hands, label, index), 2) +
         "_" + padded(index + 1, 4) + (o.png ? ".png" : ".jpg");
}

void write_picture(const SynthOptions& o, int label, int index) {
  const std::string path = o.out + "/" + file_name(o, label, index);
  const Image picture = render_hand(o.hands, label, index);
  if (o.png)
    write_png(path, picture);
  else
    write_jpeg(path, picture);
}

void write_index(const SynthOptions& o) {
  std::string csv = "path,label\n";
  for (int label = 0; label < o.hands.classes; ++label)
    for (int index = 0; index < o.hands.per_class; ++index)
      csv += file_name(o, label, index) + "," + hand_letters()[static_cast<std::size_t>(label)] + "\n";
  write_atomically(o.out + "/index.csv", csv);
}

// Pictures go into an empty folder, or into one that this very command began to fill: a hidden file says so.
void claim(const SynthOptions& o) {
  make_folder(o.out);
  const std::string marker = o.out + "/.synth";
  const std::string made = o.kind + ", classes " + to_text(o.hands.classes) + ", per class " +
                           to_text(o.hands.per_class) + ", size " + to_text(o.hands.size) + ", seed " +
                           std::to_string(o.hands.seed) + (o.png ? ", png\n" : ", jpg\n");
  std::error_code error;
  if (std::filesystem::exists(marker, error) && text_file(marker, Exit::data) == made) return;
  check(Exit::usage, std::filesystem::is_empty(o.out, error) && !error,
        "--out {}: is not empty and was not made by the same command; choose another folder, or remove this one",
        o.out);
  write_atomically(marker, made);
}

void synth(const SynthOptions& o) {
  check(Exit::usage, o.hands.classes >= 1 && o.hands.classes <= static_cast<int>(hand_letters().size()),
        "--classes {}: the alphabet has 1 to {} letters", o.hands.classes, hand_letters().size());
  claim(o);
  for (int label = 0; label < o.hands.classes; ++label)
    make_folder(o.out + "/" + hand_letters()[static_cast<std::size_t>(label)]);
  const i64 all = i64{o.hands.classes} * o.hands.per_class;
  {
    Progress progress("rendering", all, "pictures");
    for_each_parallel(all, 0, [&](i64 i) {
      write_picture(o, static_cast<int>(i / o.hands.per_class), static_cast<int>(i % o.hands.per_class));
      progress.advance();
    });
  }
  write_index(o);
  std::cerr << all << " pictures of " << o.hands.classes << " letters in " << o.out << '\n';
}

}  // namespace

void add_synth(CLI::App& data) {
  auto o = std::make_shared<SynthOptions>();
  CLI::App* verb = add_verb(data, "synth", "pictures of hands that sign the ASL alphabet, rendered from joint angles",
                            "  dactyl data synth --kind letters --per-class 200 --size 256 --seed 1 --out hands");
  verb->add_option("--kind", o->kind, "letters")->check(CLI::IsMember({"letters"}))->capture_default_str();
  verb->add_option("--classes", o->hands.classes, "the first letters of the alphabet")->capture_default_str();
  verb->add_option("--per-class", o->hands.per_class, "pictures of each")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  verb->add_option("--size", o->hands.size, "side in pixels")->check(CLI::Range(1, 4096))->capture_default_str();
  add_seed(*verb, o->hands.seed, "other seeds show other people");
  verb->add_option("--out", o->out, "folder to fill: LETTER/handPP_NNNN.jpg and index.csv")->required();
  verb->add_flag("--png", o->png, "PNG instead of JPEG");
  verb->callback([o] { synth(*o); });
}

}  // namespace dactyl

// dactyl data synth: the built-in pictures and videos, as files that look like anybody's folder of them.
#include "apps/synth.h"

#include <filesystem>
#include <iostream>

#include "apps/parallel.h"

namespace dactyl {
namespace {

std::string label_of(const HandsOptions& hands, int label) {
  return hand_labels(hands.signs)[static_cast<std::size_t>(label)];
}

// A/hand07_0001.jpg: the label, who signs, which sample.
std::string file_name(const HandsOptions& hands, bool png, int label, int index) {
  return label_of(hands, label) + "/hand" + padded(hand_identity(hands, label, index), 2) + "_" + padded(index + 1, 4) +
         (png ? ".png" : ".jpg");
}

void write_picture(const std::string& path, const Image& picture, bool png) {
  if (png)
    write_png(path, picture);
  else
    write_jpeg(path, picture);
}

void write_index(const HandsOptions& hands, const SynthOptions& o) {
  std::string csv = "path,label\n";
  for (int label = 0; label < hands.classes; ++label)
    for (int index = 0; index < hands.per_class; ++index)
      csv += file_name(hands, o.png, label, index) + "," + label_of(hands, label) + "\n";
  write_atomically(o.out + "/index.csv", csv);
}

void synth(const SynthOptions& o, const CLI::App& verb) {
  const bool words = o.kind == "words";
  for (const char* option : {"--frames", "--unbalanced", "--png-frames", "--sheet"})
    check(Exit::usage, words || verb.count(option) == 0, "{} belongs to --kind words", option);
  check(Exit::usage, !words || !o.png, "--png belongs to --kind letters and shapes; words take --png-frames");
  words ? synth_words(o) : synth_pictures(o);
}

void add_options(CLI::App& verb, SynthOptions& o) {
  verb.add_option("--kind", o.kind, "letters, shapes (invented ones, none of the alphabet) or words")
      ->check(CLI::IsMember({"letters", "shapes", "words"}))
      ->capture_default_str();
  verb.add_option("--classes", o.classes, "the first letters (default 26), shapes (60) or words (20)")
      ->check(CLI::Range(1, 60));
  verb.add_option("--per-class", o.per_class, "samples of each (default 200 pictures or 30 videos)")
      ->check(CLI::Range(1, 1000000));
  verb.add_option("--size", o.size, "side in pixels (default 256 or 224)")->check(CLI::Range(1, 4096));
  verb.add_option("--frames", o.frames, "of each video, at 25 a second")->capture_default_str();
  verb.add_flag("--unbalanced", o.unbalanced, "words: as many videos in all, but the first word has most, a tail few");
  add_seed(verb, o.seed, "other seeds show other people");
  verb.add_option("--out", o.out, "folder to fill: CLASS/handPP_NNNN.jpg or .mp4 and index.csv, words.csv")->required();
  verb.add_flag("--png", o.png, "letters, shapes: PNG instead of JPEG");
  verb.add_flag("--png-frames", o.png_frames, "words: a folder of PNG frames for each video, which needs no FFmpeg");
  verb.add_option("--sheet", o.sheet, "words: also a picture (.jpg, .png), a row of frames for each pair of words");
}

}  // namespace

std::string padded(int n, int digits) {
  const std::string text = std::to_string(n);
  return std::string(static_cast<std::size_t>(std::max(0, digits - static_cast<int>(text.size()))), '0') + text;
}

void claim(const SynthOptions& o) {
  make_folder(o.out);
  const std::string marker = o.out + "/.synth";
  const std::string made = o.kind + ", classes " + to_text(o.classes) + ", per class " + to_text(o.per_class) +
                           ", size " + to_text(o.size) + ", frames " + to_text(o.frames) + ", seed " +
                           std::to_string(o.seed) + (o.png || o.png_frames ? ", png" : "") +
                           (o.unbalanced ? ", unbalanced\n" : "\n");
  std::error_code error;
  if (std::filesystem::exists(marker, error) && text_file(marker, Exit::data) == made) return;
  check(Exit::usage, std::filesystem::is_empty(o.out, error) && !error,
        "--out {}: is not empty and was not made by the same command; choose another folder, or remove this one",
        o.out);
  write_atomically(marker, made);
}

void synth_pictures(const SynthOptions& o) {
  HandsOptions hands{.seed = o.seed, .signs = o.kind == "letters" ? HandSigns::letters : HandSigns::invented};
  const auto most = static_cast<int>(hand_labels(hands.signs).size());
  check(Exit::usage, o.classes <= most, "--classes {}: there are {} {}", o.classes, most, o.kind);
  hands.classes = o.classes ? o.classes : most;
  if (o.per_class) hands.per_class = o.per_class;
  if (o.size) hands.size = o.size;
  claim(o);
  for (int label = 0; label < hands.classes; ++label) make_folder(o.out + "/" + label_of(hands, label));
  const i64 all = i64{hands.classes} * hands.per_class;
  {
    Progress progress("rendering", all, "pictures");
    for_each_parallel(all, 0, [&](i64 i) {
      const int label = static_cast<int>(i / hands.per_class), index = static_cast<int>(i % hands.per_class);
      write_picture(o.out + "/" + file_name(hands, o.png, label, index), render_hand(hands, label, index), o.png);
      progress.advance();
    });
  }
  write_index(hands, o);
  std::cerr << all << " pictures of " << hands.classes << " " << o.kind << " in " << o.out << '\n';
}

void add_synth(CLI::App& data) {
  auto o = std::make_shared<SynthOptions>();
  CLI::App* verb =
      add_verb(data, "synth", "hands that sign the ASL alphabet, or moving words, rendered from joint angles",
               "  dactyl data synth --kind letters --per-class 200 --size 256 --seed 1 --out hands\n"
               "  dactyl data synth --kind words --classes 20 --per-class 30 --frames 40 --seed 1 --out words");
  add_options(*verb, *o);
  verb->callback([o, verb] { synth(*o, *verb); });
}

}  // namespace dactyl

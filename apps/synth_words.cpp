// dactyl data synth --kind words: the moving hands as videos or as folders of frames.
#include <filesystem>
#include <iostream>

#include "apps/parallel.h"
#include "apps/synth.h"

namespace dactyl {
namespace {

constexpr double frames_per_second = 25;
constexpr int sheet_frames = 6, sheet_side = 72;  // of each word in the overview; pixels of a frame there

struct Address {
  int label, index;
};

std::vector<Address> all_samples(const WordsOptions& words) {
  std::vector<Address> all;
  for (int label = 0; label < words.classes; ++label)
    for (int index = 0; index < word_samples(words, label); ++index) all.push_back({label, index});
  return all;
}

const std::string& name(int label) { return hand_words()[static_cast<std::size_t>(label)].name; }

// up/hand07_0001.mp4: the word, who signs, which sample. A folder of frames has the same name without ending.
std::string file_name(const SynthOptions& o, const WordsOptions& words, Address a) {
  return name(a.label) + "/hand" + padded(word_signer(words, a.label, a.index), 2) + "_" + padded(a.index + 1, 4) +
         (o.png_frames ? "" : ".mp4");
}

void write_sample(const SynthOptions& o, const WordsOptions& words, Address a) {
  const std::string path = o.out + "/" + file_name(o, words, a);
  const WordVideo video(words, a.label, a.index);
  if (!o.png_frames) return write_video(path, video.clip(), frames_per_second);
  make_folder(path);
  for (int f = 0; f < words.frames; ++f) write_png(path + "/" + padded(f + 1, 4) + ".png", video.frame(f));
}

void write_tables(const SynthOptions& o, const WordsOptions& words, const std::vector<Address>& samples) {
  std::string index = "path,label\n", meanings = "word,samples,shapes,motion,motion_only_partner\n";
  for (const Address a : samples) index += file_name(o, words, a) + "," + name(a.label) + "\n";
  for (int label = 0; label < words.classes; ++label) {
    const Word& word = hand_words()[static_cast<std::size_t>(label)];
    const bool alone = label + 1 == words.classes && label % 2 == 0;
    meanings += word.name + "," + std::to_string(word_samples(words, label)) + ",\"" + word.shapes + "\",\"" +
                word.motion + "\"," + (alone ? "" : word.partner) + "\n";
  }
  write_atomically(o.out + "/index.csv", index);
  write_atomically(o.out + "/words.csv", meanings);
}

// One picture of all words: a row for each pair, six frames of the one, then six of the other.
void write_sheet(const std::string& path, WordsOptions words) {
  words.size = sheet_side;
  const int columns = 2 * sheet_frames, rows = (words.classes + 1) / 2, width = columns * sheet_side;
  Image sheet{rows * sheet_side, width,
              std::vector<std::uint8_t>(static_cast<std::size_t>(rows * sheet_side * width * 3))};
  for_each_parallel(words.classes, 0, [&](i64 label) {
    const WordVideo video(words, static_cast<int>(label), 0);
    for (int i = 0; i < sheet_frames; ++i) {
      const Image frame = video.frame(i * (words.frames - 1) / (sheet_frames - 1));
      const i64 left = (label % 2 * sheet_frames + i) * sheet_side, top = label / 2 * sheet_side;
      for (i64 y = 0; y < sheet_side; ++y)
        std::copy_n(frame.rgb.begin() + y * sheet_side * 3, sheet_side * 3,
                    sheet.rgb.begin() + ((top + y) * width + left) * 3);
    }
  });
  path.ends_with(".png") ? write_png(path, sheet) : write_jpeg(path, sheet, 85);
}

}  // namespace

void synth_words(const SynthOptions& o) {
  WordsOptions words{.frames = o.frames, .seed = o.seed, .unbalanced = o.unbalanced};
  if (o.classes) words.classes = o.classes;
  if (o.per_class) words.per_class = o.per_class;
  if (o.size) words.size = o.size;
  const std::vector<Address> samples = all_samples(words);
  claim(o);
  for (int label = 0; label < words.classes; ++label) make_folder(o.out + "/" + name(label));
  {
    Progress progress("rendering", static_cast<i64>(samples.size()), "videos");
    for_each_parallel(static_cast<i64>(samples.size()), 0, [&](i64 i) {
      write_sample(o, words, samples[static_cast<std::size_t>(i)]);
      progress.advance();
    });
  }
  write_tables(o, words, samples);
  if (!o.sheet.empty()) write_sheet(o.sheet, words);
  std::cerr << samples.size() << " videos of " << words.classes << " words in " << o.out << '\n';
}

}  // namespace dactyl

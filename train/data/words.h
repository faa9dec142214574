// The built-in videos: rendered hands that sign twenty words, two and two alike in everything but the order of time.
//
// path (hand_word.h) -> recording (hand_take.h) -> frames, through the same bones, skin, light and camera as the
// letters of hands.h. No single frame tells a word from its partner: only a net that sees time can.
#pragma once

#include <memory>

#include "train/data/image.h"
#include "train/data/image.h"

namespace dactyl {

namespace hand {
struct Footage;
}

struct WordsOptions {
  int classes = 20;    // the first of the words, 1 to 20; an odd number leaves the last one without partner
  int per_class = 30;  // samples of each, 1 to 100,000; of all classes on average if unbalanced
  int frames = 40;     // of each sample, 1 to 1,000; the word fills them whatever their number
  int size = 224;      // pixels per side, 1 to 4096
  std::uint64_t seed = 1;
  bool unbalanced = false;  // the counts fall as 1/sqrt(1 + label): of 20 classes one holds 13 % of all, the last 3 %
};

struct Word {
  std::string name;     // a file name: letters and _
  std::string shapes;   // of the hand, from the alphabet where they are in it
  std::string motion;   // as the viewer sees it
  std::string partner;  // the word with the same shapes and places in the opposite order
};
const std::vector<Word>& hand_words();  // label 2k and label 2k + 1 are partners

int word_samples(const WordsOptions& options, int label);  // how many there are of this word; at least 1

// Which of twenty people signs it, 0 .. 19: partners with equal counts are signed by the same people equally often.
int word_signer(const WordsOptions& options, int label, int index);

// Sample `index` (0 .. word_samples - 1) of word `label` (0 .. classes - 1): one person in one light before one
// background and camera, with a tempo and amplitude of its own. Frames are pure functions of (size, frames, seed,
// label, index, frame), in any order, from any thread. Throws for options, labels, indices and frames out of range.
class WordVideo {
 public:
  WordVideo(const WordsOptions& options, int label, int index);
  Image frame(int f) const;
  Image clip() const;  // all frames, in order

 private:
  std::shared_ptr<const hand::Footage> footage_;
};

}  // namespace dactyl

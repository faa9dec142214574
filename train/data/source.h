// Where labelled pictures come from: how many there are, and the i-th one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "train/data/image.h"
#include "train/data/labelled.h"

namespace dactyl {

class DataSource : public Labelled {
 public:
  virtual Image image(i64 i) const = 0;  // thread-safe; throws Exit::data if the file is bad
  // Clips: the frames that epoch trains on, a pure function of both numbers. Pictures are the same in every epoch.
  virtual Image drawn(i64 i, i64 epoch) const { return (void)epoch, image(i); }
  // The file whose picture, as read_image gives it, is image(i); empty: there is none.
  virtual std::string file(i64 i) const { return (void)i, ""; }
  virtual bool varies() const { return false; }    // whether drawn() depends on the epoch
  virtual int channels() const { return 3; }       // of every image: 3, or 2 for optical flow
  virtual int frames() const { return 1; }         // of every image: a clip has several
  virtual std::string flow() const { return ""; }  // how flow was computed: the text of a FlowRecipe; empty: colours
};

struct Item {
  std::string path;
  int label;
};

// Files with labels. Sorted by path, so that the same folder gives the same indices on every machine.
class ImageFiles : public DataSource {
 public:
  ImageFiles(std::vector<std::string> labels, std::vector<Item> items);
  i64 size() const override;
  int label(i64 i) const override;
  std::string name(i64 i) const override;
  Image image(i64 i) const override;
  std::string file(i64 i) const override { return name(i); }
  const std::vector<std::string>& labels() const override;

 private:
  std::vector<std::string> labels_;
  std::vector<Item> items_;
};

// A folder with one sub-folder per class (its name is the label; names that are all numbers sort as numbers; where the
// sub-folders hold folders instead of pictures, as signer/class/, those are the classes), a CSV
// file with the header `path,label` (paths absolute or relative to the CSV), or a flat folder of INDEX_anything.jpg
// whose number is the class index (`labels` then names the classes). Anything with a picture's extension counts, also
// what turns out to be no file: bad samples are found and reported when read. `known` fixes the label order (of a
// trained model); an unknown label is then an error. Throws Exit::data: path, what is wrong, what is expected.
std::unique_ptr<DataSource> open_source(const std::string& path, const std::vector<std::string>& known = {});

// Samples of another source in the given order, and of its labels those in `labels`, renumbered (empty: all as they
// are). The samples must have labels that are left.
std::unique_ptr<DataSource> subset(std::shared_ptr<const DataSource> source, std::vector<i64> indices,
                                   std::vector<std::string> labels = {});
// The samples of some classes only: only_classes(s, frequent_labels(*s, 20, 100)).
std::unique_ptr<DataSource> only_classes(std::shared_ptr<const DataSource> source, std::vector<std::string> labels);

struct Split {
  std::vector<i64> train, test;
};
// Per class, `share` of the samples to train, drawn by seed; at least one on each side where a class has two.
Split split_by_share(const Labelled&, double share, std::uint64_t seed);
// Samples whose name's first group matched by `pattern` is in `test_groups` are the test set; names without a match
// are an error naming the first one. Here and in splits.json names go without the folder that all samples share.
Split split_by_group(const Labelled&, const std::string& pattern, const std::vector<std::string>& test_groups);
// splits.json: names, so that a split survives files coming and going, and the whole data moving elsewhere. With
// `complete` names that are gone are an error instead of left out: to go on with a run, every sample is needed.
void write_split(const std::string& path, const Labelled&, const Split&);
Split read_split(const std::string& path, const Labelled&, bool complete = false);

}  // namespace dactyl

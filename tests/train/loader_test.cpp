// The loader: the same batches for any number of threads and after any start, and an honest book of bad files.
#include "train/data/loader.h"

#include <atomic>
#include <set>

#include "tests/train/pictures.h"

namespace dactyl {
namespace {

// Pictures made on the spot; the chosen ones are bad. Counts how often it is asked.
class Computed : public DataSource {
 public:
  Computed(i64 size, int classes, std::set<i64> bad = {}) : size_(size), classes_(classes), bad_(std::move(bad)) {
    for (int c = 0; c < classes; ++c) labels_.push_back("class " + std::to_string(c));
  }
  i64 size() const override { return size_; }
  int label(i64 i) const override { return static_cast<int>(i % classes_); }
  std::string name(i64 i) const override { return "sample " + std::to_string(1000 + i); }
  Image image(i64 i) const override {
    ++asked;
    check(broken != i, "the disk is on fire");
    check(Exit::data, !bad_.contains(i), "{}: is bad", name(i));
    Image image = plain_picture(8, 8, static_cast<std::uint8_t>(i));
    for (int k = 0; k < 64; ++k) image.rgb[static_cast<std::size_t>(3 * k)] = static_cast<std::uint8_t>(k);
    return image;
  }
  const std::vector<std::string>& labels() const override { return labels_; }

  mutable std::atomic<i64> asked{0};
  i64 broken = -1;  // this sample fails with something that is not about data

 private:
  i64 size_;
  int classes_;
  std::set<i64> bad_;
  std::vector<std::string> labels_;
};

LoaderOptions options(i64 batch, bool training, int threads = 3) {
  LoaderOptions o;
  o.batch = batch;
  o.training = training;
  o.threads = threads;
  o.input.height = o.input.width = 6;
  o.input.resize_to = 8;
  o.bad_few = 0;
  o.bad_limit = 1;
  return o;
}

// All that a batch holds, as text.
std::string content(const Batch& batch) {
  std::string text =
      std::to_string(batch.epoch) + "/" + std::to_string(batch.index) + "/" + std::to_string(batch.count) + ":";
  for (const i64 s : batch.samples) text += std::to_string(s) + " ";
  for (const Tensor& t : {batch.bytes, batch.geometry, batch.labels})
    for (const float v : t.floats()) text += std::to_string(v) + " ";
  return text;
}

std::vector<std::string> rest_of_epoch(Loader& loader) {
  std::vector<std::string> all;
  for (Batch batch; loader.next(batch);) all.push_back(content(batch));
  return all;
}

std::vector<std::string> epoch_of(Loader& loader, i64 epoch, i64 batch = 0) {
  loader.start(epoch, batch);
  return rest_of_epoch(loader);
}

TEST(Loader, EvaluationGoesInOrderAndFillsTheLastBatch) {
  const Computed source(10, 3);
  Loader loader(source, options(4, false));
  EXPECT_EQ(loader.batches(), 3);
  loader.start(0);
  Batch batch;
  std::vector<i64> samples;
  while (loader.next(batch)) {
    samples.insert(samples.end(), batch.samples.begin(), batch.samples.end());
    const auto bytes = batch.bytes.floats(), labels = batch.labels.floats(), geometry = batch.geometry.floats();
    EXPECT_EQ(batch.bytes.shape(), (Shape{4, 8, 8, 3}));
    for (std::size_t i = 0; i < 4; ++i) {
      const i64 s = batch.samples[i];
      EXPECT_EQ(labels[i], s < 0 ? -1 : static_cast<float>(s % 3));
      EXPECT_EQ(bytes[i * 192 + 1], s < 0 ? 0 : static_cast<float>(s));
      EXPECT_EQ(geometry[i * 8], 1);
    }
  }
  EXPECT_EQ(samples, (std::vector<i64>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -1}));
  EXPECT_EQ(batch.count, 2);
  EXPECT_FALSE(loader.next(batch));
}

TEST(Loader, TrainingDropsTheIncompleteBatchAndShufflesByEpoch) {
  const Computed source(11, 2);
  Loader loader(source, options(4, true));
  EXPECT_EQ(loader.batches(), 2);
  const auto first = epoch_of(loader, 0), second = epoch_of(loader, 1);
  EXPECT_NE(first, second);
  EXPECT_EQ(epoch_of(loader, 0), first);
  std::set<i64> seen;
  loader.start(0);
  for (Batch batch; loader.next(batch);) seen.insert(batch.samples.begin(), batch.samples.end());
  EXPECT_EQ(seen.size(), 8u);
}

TEST(Loader, FewerSamplesThanABatchAreTheBatch) {
  const Computed source(3, 1);
  Loader loader(source, options(8, true));
  loader.start(0);
  Batch batch;
  ASSERT_TRUE(loader.next(batch));
  EXPECT_EQ(batch.labels.shape(), (Shape{3}));
  EXPECT_EQ(batch.count, 3);
  EXPECT_FALSE(loader.next(batch));
}

TEST(Loader, AnyNumberOfThreadsAndAnyCacheGiveTheSameBatches) {
  const Computed source(200, 7, {3, 4, 10, 50, 190});
  std::vector<std::string> expected;
  std::vector<std::string> bad;
  for (const int threads : {1, 2, 5, 16})
    for (const i64 cache : {i64{0}, i64{192 * 50}, i64{1} << 30}) {
      LoaderOptions o = options(8, true, threads);
      o.cache_bytes = cache;
      o.augment = parse_augment("reflect-x,shift=1,crop,jitter,zoom,rotate");
      Loader loader(source, o);
      std::vector<std::string> found = epoch_of(loader, 0), names;
      for (const auto& b : epoch_of(loader, 1)) found.push_back(b);
      for (const BadSample& b : loader.bad()) names.push_back(b.name + b.reason);
      if (expected.empty()) expected = found, bad = names;
      EXPECT_EQ(found, expected) << threads << " threads, cache of " << cache;
      EXPECT_EQ(names, bad);
    }
  EXPECT_EQ(expected.size(), 50u);
}

TEST(Loader, AStartInTheMiddleGivesTheSameRest) {
  const Computed source(100, 7, {3, 50});
  Loader whole(source, options(8, true)), resumed(source, options(8, true, 5));
  const auto expected = epoch_of(whole, 4);
  for (const i64 k : {0, 1, 5, 11, 12}) {
    const auto rest = epoch_of(resumed, 4, k);
    EXPECT_EQ(rest, std::vector<std::string>(expected.begin() + k, expected.end())) << k;
  }
  EXPECT_THROW(resumed.start(4, 13), Error);
}

TEST(Loader, SkippedBatchesAreNotDecoded) {
  const Computed source(1000, 1);
  LoaderOptions o = options(10, false, 2);
  o.cache_bytes = 0;
  Loader loader(source, o);
  loader.start(0, 99);
  EXPECT_EQ(rest_of_epoch(loader).size(), 1u);
  EXPECT_EQ(source.asked, 10);
}

TEST(Loader, KeptPicturesAreDecodedOnce) {
  const Computed source(64, 2);
  Loader loader(source, options(8, true, 1));
  for (i64 epoch = 0; epoch < 5; ++epoch) epoch_of(loader, epoch);
  EXPECT_EQ(source.asked, 64);
}

TEST(Loader, TensorsKeepTheirAddresses) {
  const Computed source(64, 2);
  Loader loader(source, options(8, true));
  Batch batch;
  loader.start(0);
  ASSERT_TRUE(loader.next(batch));
  const std::byte* addresses[] = {batch.bytes.raw(), batch.geometry.raw(), batch.labels.raw()};
  for (i64 epoch = 0; epoch < 2; ++epoch) {
    loader.start(epoch);
    while (loader.next(batch)) {
      EXPECT_EQ(batch.bytes.raw(), addresses[0]);
      EXPECT_EQ(batch.geometry.raw(), addresses[1]);
      EXPECT_EQ(batch.labels.raw(), addresses[2]);
    }
  }
}

TEST(Loader, RanksShareEveryBatch) {
  const Computed source(50, 3);
  Loader whole(source, options(12, true));
  LoaderOptions part = options(12, true);
  part.ranks = 3;
  std::vector<std::unique_ptr<Loader>> ranks;
  for (part.rank = 0; part.rank < 3; ++part.rank) ranks.push_back(std::make_unique<Loader>(source, part));
  whole.start(2);
  for (auto& rank : ranks) rank->start(2);
  for (Batch all, one; whole.next(all);) {
    std::vector<i64> joined;
    for (auto& rank : ranks) {
      ASSERT_TRUE(rank->next(one));
      EXPECT_EQ(one.samples.size(), 4u);
      joined.insert(joined.end(), one.samples.begin(), one.samples.end());
    }
    EXPECT_EQ(joined, all.samples);
  }
  part.rank = 0;
  part.batch = 10;
  EXPECT_NE(error_text(Exit::usage, [&] { Loader(source, part); }), "");
}

TEST(Loader, BadSamplesAreReplacedByTheNextOfTheirClassInTraining) {
  const Computed source(12, 3, {3, 6, 11});
  Loader loader(source, options(12, true));
  loader.start(0);
  Batch batch;
  ASSERT_TRUE(loader.next(batch));
  std::multiset<i64> samples(batch.samples.begin(), batch.samples.end());
  EXPECT_EQ(samples, (std::multiset<i64>{0, 1, 2, 2, 4, 5, 7, 8, 9, 9, 9, 10}));  // 3 and 6 by 9, 11 by 2
  std::vector<std::string> bad;
  for (const BadSample& b : loader.bad()) bad.push_back(b.name + ": " + b.reason);
  EXPECT_EQ(bad, (std::vector<std::string>{"sample 1003: is bad", "sample 1006: is bad", "sample 1011: is bad"}));
  epoch_of(loader, 1);
  EXPECT_EQ(loader.bad().size(), 3u);
}

TEST(Loader, BadSamplesAreFillerInEvaluation) {
  const Computed source(6, 3, {1, 4});
  Loader loader(source, options(6, false));
  loader.start(0);
  Batch batch;
  ASSERT_TRUE(loader.next(batch));
  EXPECT_EQ(batch.samples, (std::vector<i64>{0, -1, 2, 3, -1, 5}));
  EXPECT_EQ(batch.labels.floats(), (std::vector<float>{0, -1, 2, 0, -1, 2}));
  EXPECT_EQ(batch.count, 4);
  EXPECT_EQ(loader.bad().size(), 2u);
}

TEST(Loader, PlantedFilesAreReportedExactly) {
  const TempFolder folder;
  for (int i = 0; i < 20; ++i)
    write_jpeg(folder / ((i % 2 ? "a/" : "b/") + std::to_string(i) + ".jpg"), smooth_picture(40 + i, 50));
  ByteVector jpeg = bytes_of(folder / "a/1.jpg");
  write_bytes(folder / "a/cut.jpg", head(jpeg, jpeg.size() / 2));
  write_png(folder / "b/crc.png", smooth_picture(30, 30));
  ByteVector png = bytes_of(folder / "b/crc.png");
  png[png.size() / 2] ^= 1;
  write_bytes(folder / "b/crc.png", png);
  write_text(folder / "b/empty.jpg", "");
  std::filesystem::create_directory(folder / "a/x.jpg");
  const auto source = open_source(folder.path);
  LoaderOptions o = options(8, true);
  o.bad_few = 5;
  o.bad_limit = 0.01;
  Loader loader(*source, o);
  for (i64 epoch = 0; epoch < 3; ++epoch) EXPECT_EQ(epoch_of(loader, epoch).size(), 3u);
  const auto bad = loader.bad();
  ASSERT_EQ(bad.size(), 4u);
  EXPECT_EQ(bad[0].name, folder / "a/cut.jpg");
  EXPECT_NE(bad[0].reason.find("cut off"), std::string::npos);
  EXPECT_EQ(bad[1].name, folder / "a/x.jpg");
  EXPECT_NE(bad[1].reason.find("directory"), std::string::npos);
  EXPECT_EQ(bad[2].name, folder / "b/crc.png");
  EXPECT_NE(bad[2].reason.find("CRC"), std::string::npos);
  EXPECT_EQ(bad[3].name, folder / "b/empty.jpg");
  EXPECT_EQ(bad[3].reason, "is empty");
}

TEST(Loader, TooManyBadSamplesStopTheRun) {
  const Computed source(40, 2, {0, 2, 4});
  LoaderOptions o = options(8, true);
  o.bad_limit = 0.1;  // 2 of 20
  const auto run = [&] {
    Loader loader(source, o);
    epoch_of(loader, 0);
  };
  EXPECT_NE(error_text(Exit::data, run).find("3 of the 20 samples of class \"class 0\""), std::string::npos);
  o.bad_few = 3;
  EXPECT_EQ(error_text(Exit::data, run), "");
  o.bad_few = 0;
  o.bad_limit = 0.15;
  EXPECT_EQ(error_text(Exit::data, run), "");
}

TEST(Loader, AClassWithoutAGoodSampleStopsTheRun) {
  const Computed source(6, 3, {1, 4});
  Loader loader(source, options(6, true));
  EXPECT_NE(error_text(Exit::data, [&] { epoch_of(loader, 0); }).find("none of the 2 samples of class \"class 1\""),
            std::string::npos);
}

TEST(Loader, AHundredInARowStopEvenAnEvaluation) {
  std::set<i64> bad;
  for (i64 i = 50; i < 150; ++i) bad.insert(i);
  const Computed hundred(200, 1, bad);
  Loader good(hundred, options(7, false));
  EXPECT_EQ(error_text(Exit::data, [&] { epoch_of(good, 0); }), "");
  bad.insert(150);
  const Computed more(200, 1, bad);
  Loader stopped(more, options(7, false));
  EXPECT_NE(error_text(Exit::data, [&] { epoch_of(stopped, 0); }).find("100 samples in a row"), std::string::npos);
}

TEST(Loader, OtherErrorsOfAWorkerArriveInTurn) {
  Computed source(40, 1);
  source.broken = 21;
  Loader loader(source, options(4, false, 4));
  loader.start(0);
  Batch batch;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(loader.next(batch));
  EXPECT_NE(error_text(Exit::failure, [&] { loader.next(batch); }).find("on fire"), std::string::npos);
  source.broken = -1;
  EXPECT_EQ(epoch_of(loader, 0).size(), 10u);
}

TEST(Loader, ClassesThatMustNotBeMirroredAreNot) {
  const Computed source(64, 2);
  LoaderOptions o = options(64, true);
  o.augment.reflect_x = true;
  o.never_mirrored = {true, false};
  Loader loader(source, o);
  loader.start(0);
  Batch batch;
  ASSERT_TRUE(loader.next(batch));
  int mirrored[2] = {0, 0};
  const auto geometry = batch.geometry.floats();
  for (std::size_t i = 0; i < 64; ++i) mirrored[batch.samples[i] % 2] += geometry[i * 8 + 2] == 1;
  EXPECT_EQ(mirrored[0], 0);
  EXPECT_GT(mirrored[1], 5);
}

TEST(Loader, AGpuGetsTheSameBatches) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU";
  const Computed source(100, 7, {3, 50});
  Loader on_cpu(source, options(8, true));
  const Use gpu(Device::cuda(0));
  LoaderOptions o = options(8, true);
  o.device = Device::cuda(0);
  Loader on_gpu(source, o);
  for (i64 epoch = 0; epoch < 3; ++epoch) EXPECT_EQ(epoch_of(on_gpu, epoch), epoch_of(on_cpu, epoch));
}

TEST(Loader, StopsCleanlyInTheMiddleAndNeedsAStart) {
  const Computed source(500, 5);
  for (int i = 0; i < 20; ++i) {
    Loader loader(source, options(4, true, 4));
    Batch batch;
    EXPECT_THROW(loader.next(batch), Error);
    loader.start(i);
    for (int k = 0; k < i % 4; ++k) ASSERT_TRUE(loader.next(batch));
  }
  EXPECT_NE(error_text(Exit::data, [] { Loader(Computed(0, 1), options(4, true)); }), "");
}

}  // namespace
}  // namespace dactyl

// The loader: the same batches for any number of threads and after any start.
#include <chrono>
#include <thread>

#include "tests/train/computed.h"

namespace dactyl {
namespace {

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

TEST(Loader, ReadsTheNextEpochAheadWhereOneWillCome) {
  for (const bool training : {true, false}) {
    const Computed source(40, 2), same(40, 2);
    LoaderOptions o = options(4, training);
    o.cache_bytes = 0;
    Loader loader(source, o), other(same, o);
    const auto expected = epoch_of(other, 1);
    epoch_of(loader, 0);
    for (int i = 0; i < 500 && training && source.asked == 40; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(source.asked > 40, training);
    EXPECT_EQ(epoch_of(loader, 1), expected);
    EXPECT_LT(source.asked, 100);
  }
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

// The next batch is on its way while work on this one is still queued.
TEST(Loader, AGpuThatLagsBehindSeesEachBatchWhole) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU";
  const Computed source(96, 7);
  Loader on_cpu(source, options(8, true));
  const Use gpu(Device::cuda(0));
  LoaderOptions o = options(8, true);
  o.device = Device::cuda(0);
  Loader on_gpu(source, o);
  Tensor load({64 << 20}, DType::f32, o.device);
  std::vector<Tensor> bytes, labels;
  Batch batch;
  for (i64 epoch = 0; epoch < 3; ++epoch)
    for (on_gpu.start(epoch); on_gpu.next(batch);) {
      for (int k = 0; k < 20; ++k) load.fill(k);  // milliseconds
      for (const auto& [all, now] : {std::pair{&bytes, &batch.bytes}, std::pair{&labels, &batch.labels}})
        all->emplace_back(now->shape(), now->dtype(), o.device).copy_from(*now);
    }
  std::size_t at = 0;
  for (i64 epoch = 0; epoch < 3; ++epoch)
    for (on_cpu.start(epoch); on_cpu.next(batch); ++at) {
      EXPECT_EQ(bytes[at].floats(), batch.bytes.floats()) << at;
      EXPECT_EQ(labels[at].floats(), batch.labels.floats()) << at;
    }
  EXPECT_EQ(at, bytes.size());
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

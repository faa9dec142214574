// The loader and bad files: replaced deterministically, listed exactly, and a run that stops past the limit.
#include "tests/train/computed.h"

namespace dactyl {
namespace {

TEST(LoaderFaults, BadSamplesAreReplacedByTheNextOfTheirClassInTraining) {
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

TEST(LoaderFaults, BadSamplesAreFillerInEvaluation) {
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

TEST(LoaderFaults, PlantedFilesAreReportedExactly) {
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

TEST(LoaderFaults, TooManyBadSamplesStopTheRun) {
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

TEST(LoaderFaults, AClassWithoutAGoodSampleStopsTheRun) {
  const Computed source(6, 3, {1, 4});
  Loader loader(source, options(6, true));
  EXPECT_NE(error_text(Exit::data, [&] { epoch_of(loader, 0); }).find("none of the 2 samples of class \"class 1\""),
            std::string::npos);
}

TEST(LoaderFaults, MoreThanAHundredInARowStopATrainingButNoEvaluation) {
  std::set<i64> bad;
  for (i64 i = 1; i < 400; ++i) bad.insert(i);
  const Computed source(400, 1, bad);
  Loader training(source, options(7, true));
  EXPECT_NE(error_text(Exit::data, [&] { epoch_of(training, 0); }).find("100 samples in a row"), std::string::npos);
  Loader evaluation(source, options(7, false));
  EXPECT_EQ(error_text(Exit::data, [&] { epoch_of(evaluation, 0); }), "");
  EXPECT_EQ(evaluation.bad().size(), 399u);
}

TEST(LoaderFaults, OtherErrorsOfAWorkerArriveInTurn) {
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

}  // namespace
}  // namespace dactyl

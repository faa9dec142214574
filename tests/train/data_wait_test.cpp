// What is said of a device that waits for data: by whom it is held up, and what to do.
#include "train/data_wait.h"

#include <chrono>
#include <thread>

#include "tests/train/computed.h"
#include "tests/train/eventful.h"

namespace dactyl {
namespace {

using std::chrono::milliseconds;

StageTimes times(double copy, double read, double decode, double flow, double resize, double augment, i64 samples) {
  return {{copy, read, decode, flow, resize, augment}, samples};
}

TEST(LoadStage, a_stage_within_another_takes_over) {
  take_stage_times();
  const auto begin = std::chrono::steady_clock::now();
  {
    const Staged copying(LoadStage::copy);
    std::this_thread::sleep_for(milliseconds(10));
    {
      const Staged decoding(LoadStage::decode);
      std::this_thread::sleep_for(milliseconds(30));
    }
    std::this_thread::sleep_for(milliseconds(10));
  }
  const double all = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::this_thread::sleep_for(milliseconds(5));  // nobody's
  const StageTimes t = take_stage_times();
  EXPECT_GE(t.seconds[static_cast<std::size_t>(LoadStage::copy)], 0.02);
  EXPECT_GE(t.seconds[static_cast<std::size_t>(LoadStage::decode)], 0.03);
  EXPECT_LE(t.all(), all);
  EXPECT_EQ(take_stage_times().all(), 0);
}

TEST(LoadStage, the_loader_counts_its_threads) {
  const Computed source(40, 2);
  Loader loader(source, options(4, false));
  EXPECT_EQ(loader.threads(), 3);
  epoch_of(loader, 0);
  const StageTimes t = loader.times().stages;
  EXPECT_EQ(t.samples, 40);
  EXPECT_GT(t.share(LoadStage::copy), 0);
  EXPECT_EQ(t.share(LoadStage::flow), 0);
}

class Slow : public Computed {
 public:
  using Computed::Computed;
  Image image(i64 i) const override {
    const Staged decoding(LoadStage::decode);
    std::this_thread::sleep_for(milliseconds(10));
    return Computed::image(i);
  }
};

TEST(LoaderTimes, waiting_is_counted_over_epochs) {
  const Slow source(8, 2);
  LoaderOptions o = options(4, true, 1);
  o.cache_bytes = 0;
  Loader loader(source, o);
  epoch_of(loader, 0);
  const double first = loader.times().waited;
  EXPECT_GE(first, 0.04);  // of 80 ms of work, less what other programs delay
  epoch_of(loader, 1);
  EXPECT_GE(loader.times().waited, first + 0.04);
  EXPECT_EQ(loader.times().stages.slowest(), LoadStage::decode);
}

// 200 ms of reading, behind as much work and behind none.
TEST(LoaderTimes, a_gpu_that_still_computes_does_not_wait) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU";
  const Use gpu(Device::cuda(0));
  const Slow source(20, 2);
  LoaderOptions o = options(2, false, 1);
  o.cache_bytes = 0;
  o.device = Device::cuda(0);
  Tensor load({64 << 20}, DType::f32, o.device);
  for (const int fills : {0, 1000}) {  // of 256 MiB: about a twentieth of a millisecond each
    Loader loader(source, o);
    loader.start(0);
    for (Batch batch; loader.next(batch);)
      for (int k = 0; k < fills; ++k) load.fill(k);
    Context::current().compute().synchronize();
    const double waited = loader.times().waited;
    EXPECT_GT(waited, fills ? 0.01 : 0.12);
    EXPECT_LT(waited, fills ? 0.08 : 0.5);
  }
}

DataWait measured(i64 per_epoch, i64 rows) {
  WaitMeter meter(per_epoch);
  StageTimes so_far;
  for (i64 i = 1; i <= rows; ++i) {
    so_far += times(0, 0, i <= 40 ? 1 : 0, 0, i <= 40 ? 0 : 2, 0, 4);
    meter.add({.step = 100 + i, .wait = i <= 40 ? 1.0 : i <= 50 ? 0.8 : 0.2, .seconds = 0.5}, so_far);
  }
  return meter.measured();
}

TEST(WaitMeter, leaves_out_first_steps_and_the_first_epoch) {
  for (const i64 per_epoch : {i64{1}, i64{7}, i64{40}}) {
    const DataWait wait = measured(per_epoch, 60);
    EXPECT_NEAR(wait.share, 0.5, 1e-9);
    EXPECT_NEAR(wait.seconds, 10, 1e-9);
    EXPECT_FALSE(wait.first_epoch);
    EXPECT_EQ(wait.stages.samples, 80);
    EXPECT_EQ(wait.stages.slowest(), LoadStage::resize);
    EXPECT_EQ(wait.stages.share(LoadStage::resize), 1);
  }
  EXPECT_NEAR(measured(50, 60).share, 0.2, 1e-9);
  EXPECT_EQ(measured(50, 60).stages.samples, 40);
  EXPECT_TRUE(measured(50, 50).first_epoch);
  EXPECT_NEAR(measured(50, 50).share, 0.8, 1e-9);
  EXPECT_EQ(measured(7, 40).seconds, 0);
  EXPECT_EQ(measured(7, 0).share, 0);
}

const StageTimes decoding = times(0.1, 0.2, 3, 0, 0.7, 0, 1000), reading = times(0, 5, 1, 0, 1, 0, 1000),
                 turning = times(0, 0, 1, 0, 1, 2, 1000);

TEST(NextStep, is_what_helps_most) {
  Reading r{.data = "photos",
            .threads = 8,
            .cores = 16,
            .prepared_bytes = i64{5} << 30,
            .kept_bytes = i64{2} << 30,
            .memory_bytes = i64{64} << 30,
            .side = 256};
  EXPECT_EQ(next_step(decoding, r), "--threads 16, as many as this machine has cores");
  r.threads = 16;
  EXPECT_EQ(next_step(decoding, r), "--picture-memory 5121 keeps all pictures, decoded once");
  r.memory_bytes = i64{8} << 30;
  EXPECT_EQ(next_step(decoding, r), "pictures stored with a short side of 256 pixels take less decoding");
  EXPECT_NE(next_step(reading, r).find("faster disk"), std::string::npos);
  EXPECT_NE(next_step(turning, r).find("--aug without zoom"), std::string::npos);
  r.clips = true;
  EXPECT_NE(next_step(decoding, r).find("dactyl data pack photos --out"), std::string::npos);
  r.packed = true;
  EXPECT_NE(next_step(decoding, r).find("more cores"), std::string::npos);
  r.flow = true;
  EXPECT_EQ(next_step(decoding, r), "--flow cached computes the flow once");
}

TEST(WaitText, one_line_where_it_is_worth_one) {
  const Reading r{.data = "photos", .threads = 8, .cores = 16};
  EXPECT_EQ(wait_text({.share = noticeable_wait, .seconds = 9, .stages = decoding}, r), "");
  EXPECT_EQ(wait_text({.share = 0.372, .seconds = 9, .stages = decoding}, r),
            "the device waited for data 37 % of the time after the first epoch: decoding takes 75 % of the 4 ms that a "
            "sample costs one of 8 threads; faster: --threads 16, as many as this machine has cores");
  EXPECT_EQ(wait_text({}, {}), "");
}

TEST(Reading, is_of_what_is_trained_on) {
  const Computed source(10, 2);
  LoaderOptions o = options(4, true);
  o.cache_bytes = 5;
  const Reading r = reading_of("nowhere", "none", source, o, 3);
  EXPECT_EQ(r.prepared_bytes, 10 * 8 * 8 * 3);
  EXPECT_EQ(r.kept_bytes, 5);
  EXPECT_FALSE(r.clips || r.packed || r.flow);
  EXPECT_GT(r.memory_bytes, 0);
  EXPECT_TRUE(reading_of("nowhere", "on-the-fly", source, o, 3).flow);
}

TEST(trainer, says_that_the_device_waited) {
  TrainOptions o = tiny::options(tiny::folder("waits"));
  o.stages = {parse_stage("all:7ep@0.02")};  // 49 steps
  o.threads = 1;
  o.picture_memory = 0;
  const tiny::Eventful data(30, [](i64) { std::this_thread::sleep_for(milliseconds(12)); });
  const TrainResult result = tiny::train(o, data, tiny::Colours(6));
  EXPECT_GT(result.data.share, noticeable_wait);
  EXPECT_LE(result.data.share, 1);
  EXPECT_NE(tiny::content(o.out + "/log.txt").find("the device waited for data "), std::string::npos);
  std::filesystem::remove_all(o.out);
}

}  // namespace
}  // namespace dactyl

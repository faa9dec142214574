// Tuning runs the net for which it is asked, and leaves nobody listening.
#include "train/tune.h"

#include <gtest/gtest.h>

#include "kernels/plans.h"
#include "train/plan_bar.h"

namespace dactyl {
namespace {

Model small(const std::string& name) {
  ModelOptions options{.classes = 5, .height = 64, .width = 64, .auxiliary = false};
  if (name == "i3d") options.frames = 9;
  return make_model(name, options);
}

TEST(Tune, has_nothing_to_find_on_the_cpu) {
  const Use use(Device::cpu());
  for (const char* name : {"alexnet", "i3d"}) {
    Model model = small(name);
    const PlanCounts before = plan_counts();
    const TuneResult r = tune(model, {.batch = 2, .training = true});
    EXPECT_EQ(r.searched + r.remembered + r.without, 0);
    EXPECT_EQ(r.searching, 0);
    EXPECT_GT(r.seconds, 0);
    EXPECT_EQ(plan_counts().searched, before.searched);
  }
}

TEST(Tune, meets_every_shape_once) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here";
  const Use use(Device::cuda());
  for (const DType type : {DType::f32, DType::bf16}) {
    const TuneOptions options{.batch = 3, .dtype = type, .training = true};
    Model first = small("alexnet"), again = small("alexnet");
    const TuneResult found = tune(first, options), known = tune(again, options);
    EXPECT_GE(found.searched + found.remembered, 14);
    EXPECT_EQ(known.searched + known.remembered, 0) << "this thread knows them already";
  }
}

TEST(Tune, is_told_to_a_listener_until_it_ends) {
  int heard = 0;
  listen_to_plans([&](const std::string& problem, bool searched, const std::string& way) {
    heard += problem == "a" && searched && way == "stem";
  });
  const PlanCounts before = plan_counts();
  settled("a", true, "stem", 0.5);
  listen_to_plans({});
  settled("a", true, "none", 0);
  settled("b", false, "stem", 0);
  EXPECT_EQ(heard, 1);
  EXPECT_EQ(plan_counts().searched, before.searched + 2);
  EXPECT_EQ(plan_counts().remembered, before.remembered + 1);
  EXPECT_EQ(plan_counts().without, before.without + 1);
  EXPECT_DOUBLE_EQ(plan_counts().seconds, before.seconds + 0.5);
}

TEST(PlanBar, counts_settled_problems_while_it_lives) {
  const Model model = small("alexnet");
  testing::internal::CaptureStderr();
  {
    const PlanBar bar("finding plans", model, 3);
    for (int i = 0; i < 4; ++i) settled("a", true, "stem", 100);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "heard by the bar, which says nothing within a second";
  testing::internal::CaptureStderr();
  settled("a", true, "stem", 100);
  EXPECT_NE(testing::internal::GetCapturedStderr(), "") << "nobody listens any more";
}

TEST(Tune, long_searching_without_a_listener_is_said_again_and_again) {
  const auto said = [](double seconds, bool searched = true) {
    testing::internal::CaptureStderr();
    settled("a", searched, "stem", seconds);
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_NE(said(20).find("searching"), std::string::npos);
  EXPECT_EQ(said(9), "");
  EXPECT_EQ(said(0, false), "");
  EXPECT_NE(said(2).find("convolutions so far, "), std::string::npos);
  EXPECT_EQ(said(1), "");
}

}  // namespace
}  // namespace dactyl

// Stages as text, and the rate at a step.
#include "train/schedule.h"

#include <gtest/gtest.h>

namespace dactyl {
namespace {

TEST(schedule, reads_and_writes_stages) {
  const Stage a = parse_stage("head:3ep@1e-4");
  EXPECT_EQ(a.what, "head");
  EXPECT_EQ(a.epochs, 3);
  EXPECT_EQ(a.rate, 1e-4);
  EXPECT_EQ(steps_in(a, 7), 21);
  const Stage b = parse_stage("until=inception_5a:200it@0.5");
  EXPECT_EQ(b.what, "until=inception_5a");
  EXPECT_EQ(b.iterations, 200);
  EXPECT_EQ(steps_in(parse_stage("all:0.5ep@1"), 9), 5);
  for (const char* text : {"head:3ep@1e-04", "all:200it@0.5", "until=fc7:1.5ep@0.1"})
    EXPECT_EQ(to_text(parse_stage(text)), text);
}

TEST(schedule, refuses_what_is_no_stage) {
  for (const char* text : {"", "head", "head:3@1", "head:3ep", "body:3ep@1", "head:ep@1", "head:1.5it@1", "all:3ep@-1",
                           "all:3ep@nan", "until=:3ep@1", "all:0ep@1"})
    EXPECT_THROW(parse_stage(text), Error) << text;
}

TEST(schedule, reads_intervals) {
  EXPECT_EQ(steps_of("50it", 7), 50);
  EXPECT_EQ(steps_of("2ep", 7), 14);
  EXPECT_EQ(steps_of("0it", 7), 0);
  for (const char* text : {"50", "it", "-1it", "1.5it", "1 ep"}) EXPECT_THROW(steps_of(text, 7), Error) << text;
}

TEST(schedule, shapes_the_rate) {
  const Schedule warm{"const", 4};
  EXPECT_DOUBLE_EQ(warm.rate(2, 0, 100), 0.5);
  EXPECT_DOUBLE_EQ(warm.rate(2, 3, 100), 2);
  EXPECT_DOUBLE_EQ(warm.rate(2, 99, 100), 2);
  const Schedule cosine{"cosine"};
  EXPECT_DOUBLE_EQ(cosine.rate(2, 0, 100), 2);
  EXPECT_NEAR(cosine.rate(2, 50, 100), 1, 1e-12);
  const Schedule step{"step"};
  EXPECT_DOUBLE_EQ(step.rate(1, 32, 99), 1);
  EXPECT_DOUBLE_EQ(step.rate(1, 33, 99), 0.1);
  EXPECT_DOUBLE_EQ(step.rate(1, 66, 99), 0.01);
  EXPECT_DOUBLE_EQ((Schedule{"poly"}.rate(1, 75, 100)), 0.5);
  EXPECT_THROW((Schedule{"other"}.rate(1, 0, 1)), Error);
}

}  // namespace
}  // namespace dactyl

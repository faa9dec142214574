// What a progress line says, and where it stands among other lines.
#include "train/progress.h"

#include <gtest/gtest.h>

namespace dactyl {
namespace {

TEST(progress, says_once_that_all_is_done_and_before_what_follows) {
  testing::internal::CaptureStderr();
  {
    Progress progress("learning", 2, "steps", std::chrono::seconds(0));
    progress.advance();
    progress.advance();
    std::fputs("validated\n", stderr);
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(said.find("2/2 steps"), said.rfind("2/2 steps")) << said;
  EXPECT_TRUE(said.ends_with("validated\n")) << said;
}

}  // namespace
}  // namespace dactyl

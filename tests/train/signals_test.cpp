// Signals as questions.
#include "train/signals.h"

#include <gtest/gtest.h>

#include <csignal>

namespace dactyl {
namespace {

TEST(signals, ask_to_stop_or_to_save) {
  const Signals signals;
  EXPECT_EQ(Signals::stop(), Exit::good);
  std::raise(SIGUSR1);
  EXPECT_TRUE(Signals::take_save());
  EXPECT_FALSE(Signals::take_save());
  std::raise(SIGHUP);
  EXPECT_EQ(Signals::stop(), Exit::interrupted);
}

TEST(signals, stay_ignored_where_the_process_was_started_so) {
  for (const int signal : {SIGHUP, SIGINT}) {
    const auto former = std::signal(signal, SIG_IGN);
    {
      const Signals signals;
      std::raise(signal);
      EXPECT_EQ(Signals::stop(), Exit::good);
    }
    EXPECT_EQ(std::signal(signal, former), SIG_IGN);
  }
}

}  // namespace
}  // namespace dactyl

// Signals as questions, from the first moment of a training on.
#include "train/signals.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <csignal>
#include <thread>

#include "tests/train/pictures.h"
#include "train/trainer.h"

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

TEST(signals, are_noted_while_the_data_is_opened) {
  const TempFolder folder;
  const std::string list = folder / "list.csv";
  ASSERT_EQ(mkfifo(list.c_str(), 0600), 0);
  std::thread writer([&] {
    std::ofstream file(list);  // waits for the reader
    kill(getpid(), SIGUSR1);
    file << "path,label\n";
  });
  TrainOptions o;
  o.data = list;
  o.device = "cpu";
  o.out = folder / "run";
  o.stages = {parse_stage("all:1it@0.1")};
  EXPECT_NE(error_text(Exit::data, [&] { train(o, false); }), "");  // of no samples, and alive
  const int unread = open(list.c_str(), O_RDONLY | O_NONBLOCK);     // lets the writer go if nobody read
  writer.join();
  close(unread);
}

}  // namespace
}  // namespace dactyl

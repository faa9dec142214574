// Stopping anywhere and going on gives the numbers of a run that was never stopped.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "tests/train/eventful.h"
#include "tests/train/pictures.h"

namespace dactyl {
namespace {

// Raises a signal when a picture is asked for the n-th time.
class Interrupting : public tiny::Eventful {
 public:
  explicit Interrupting(i64 at, i64 samples = 30)
      : Eventful(samples, [at](i64 n) {
          if (n == at) std::raise(SIGTERM);
        }) {}
};

TEST(resume, gives_the_same_bits_wherever_it_was_stopped) {
  const tiny::Colours data(30), validation(12);
  TrainOptions o = tiny::options(tiny::folder("whole"));
  o.optimizer.kind = "adam";
  o.cache_views = 0;
  o.val_every = "3it";
  o.augment = parse_augment("reflect-x,shift=2,jitter=0.2");
  tiny::train(o, data, validation);
  for (const i64 at : {2, 9, 17, 26}) {
    TrainOptions stopped = o;
    stopped.out = tiny::folder("stopped");
    EXPECT_EQ(tiny::train(stopped, Interrupting(at), validation).exit, Exit::terminated);
    stopped.threads = 1;
    EXPECT_EQ(tiny::train(stopped, data, validation).exit, Exit::good);
    EXPECT_EQ(tiny::columns(stopped.out + "/train.csv", 4), tiny::columns(o.out + "/train.csv", 4)) << at;
    EXPECT_EQ(tiny::content(stopped.out + "/val.csv"), tiny::content(o.out + "/val.csv")) << at;
    std::filesystem::remove_all(stopped.out);
  }
  std::filesystem::remove_all(o.out);
}

TEST(resume, a_stop_in_the_final_evaluation_keeps_the_state_of_the_last_step) {
  const tiny::Colours data(30);
  TrainOptions o = tiny::options(tiny::folder("final")), stopped = o;
  o.cache_views = stopped.cache_views = 0;
  stopped.out = tiny::folder("final_stopped");
  tiny::train(o, data, tiny::Colours(12));
  const Interrupting validation(5 * 12 + 2, 12);  // after the validations of five epochs
  EXPECT_EQ(tiny::train(stopped, data, validation).exit, Exit::terminated);
  for (const char* file : {"/last.state", "/last.safetensors"})
    EXPECT_TRUE(tiny::content(stopped.out + file) == tiny::content(o.out + file)) << file;
  EXPECT_TRUE(tiny::content(o.out + "/last.safetensors") != tiny::content(o.out + "/best.safetensors"));
  EXPECT_EQ(tiny::train(stopped, data, tiny::Colours(12)).exit, Exit::good);
  EXPECT_EQ(tiny::content(stopped.out + "/eval/metrics.json"), tiny::content(o.out + "/eval/metrics.json"));
  std::filesystem::remove_all(o.out);
  std::filesystem::remove_all(stopped.out);
}

TEST(resume, a_state_beyond_the_plan_is_the_end) {
  const tiny::Colours data(30), validation(12);
  TrainOptions o = tiny::options(tiny::folder("beyond"));
  o.cache_views = 0;
  tiny::train(o, data, validation);
  o.stages = {parse_stage("head:1ep@0.05")};
  EXPECT_EQ(tiny::train(o, Interrupting(1), validation).exit, Exit::good);  // no further step reads a picture
  std::filesystem::remove_all(o.out);
}

TEST(resume, refuses_a_damaged_state_and_a_second_trainer) {
  const tiny::Colours data(30), validation(12);
  const TrainOptions o = tiny::options(tiny::folder("damaged"));
  tiny::train(o, data, validation);
  {
    const RunFolder first(o.out, true);
    EXPECT_THROW(RunFolder(o.out, true), Error);
  }
  EXPECT_THROW(RunFolder(o.out, false), Error);
  std::string bytes = tiny::content(o.out + "/last.state");
  bytes[bytes.size() / 2] ^= 1;
  std::ofstream(o.out + "/last.state", std::ios::binary) << bytes;
  EXPECT_THROW(SavedState(o.out + "/last.state"), Error);
  std::filesystem::remove_all(o.out);
}

TEST(resume, the_log_goes_back_to_the_step_of_the_state) {
  const std::string path = tiny::folder("log") + ".csv";
  std::ofstream(path) << "step,loss\n1,0.5\n2,0.25\n3,0.125\n4,0.0";  // the last row was cut by a kill
  StepLog(path, "step,loss", 2).add("3,0.75");
  EXPECT_EQ(tiny::content(path), "step,loss\n1,0.5\n2,0.25\n3,0.75\n");
  std::filesystem::remove(path);
}

TEST(resume, rows_wait_for_room_on_the_disk) {
  const std::string path = tiny::folder("full") + ".csv";
  StepLog log(path, "step,loss", 0);
  const auto former_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit former{};
  getrlimit(RLIMIT_FSIZE, &former);
  const rlimit tight{12, former.rlim_max};  // the header and two bytes
  setrlimit(RLIMIT_FSIZE, &tight);
  log.add("1,0.5");
  log.add("2,0.25");
  const std::string refused = error_text(Exit::data, [&] { log.sync(); });
  setrlimit(RLIMIT_FSIZE, &former);
  std::signal(SIGXFSZ, former_handler);
  EXPECT_NE(refused.find("cannot be written"), std::string::npos) << refused;
  log.sync();
  EXPECT_EQ(tiny::content(path), "step,loss\n1,0.5\n2,0.25\n");
  std::filesystem::remove(path);
}

TEST(resume, config_reads_back_what_was_written) {
  TrainOptions o = tiny::options("run");
  o.split_by = "hand(\\d)\"'";
  o.test_groups = {"5", "a,b"};
  o.augment = parse_augment("shift=30,zoom=0.25");
  o.optimizer.decay = 1.0 / 3;
  o.graph = false;
  const std::string path = tiny::folder("config") + ".toml";
  write_config(path, o);
  const std::string text = tiny::content(path);
  write_config(path, read_config(path));
  EXPECT_EQ(tiny::content(path), text);
  const TrainOptions back = read_config(path);
  EXPECT_EQ(back.split_by, o.split_by);
  EXPECT_EQ(back.test_groups, o.test_groups);
  EXPECT_EQ(back.optimizer.decay, o.optimizer.decay);
  EXPECT_EQ(back.stages.size(), 2u);
  EXPECT_FALSE(back.graph);
  std::ofstream(path, std::ios::app) << "lerning-rate = 1\n";
  EXPECT_THROW(read_config(path), Error);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace dactyl

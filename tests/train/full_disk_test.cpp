// A disk that refuses: the run goes on with the last good state, and says so.
#include "tests/train/eventful.h"
#include "tests/train/pictures.h"

namespace dactyl {
namespace {

// While a folder has the name of the temporary file, a file cannot be written.
void block(const std::string& path, bool on) {
  on ? std::filesystem::create_directory(path + ".part") : std::filesystem::remove(path + ".part");
}

TEST(full_disk, a_failed_save_is_tried_again_at_the_next) {
  TrainOptions o = tiny::options(tiny::folder("refused"));
  o.cache_views = 0;
  const tiny::Eventful validation(12, [&](i64 n) {  // twelve pictures after each epoch
    for (const char* file : {"/last.state", "/best.safetensors"})
      if (n == 1 || n == 25) block(o.out + file, n == 1);
  });
  EXPECT_EQ(tiny::train(o, tiny::Colours(30), validation).exit, Exit::good);
  const std::string log = tiny::content(o.out + "/log.txt");
  EXPECT_NE(log.find("step 7: the state could not be saved"), log.npos) << log;
  EXPECT_NE(log.find("step 14: the state could not be saved"), log.npos) << log;
  EXPECT_EQ(log.find("step 21: the state could not be saved"), log.npos) << log;
  const TrainingState state = SavedState(o.out + "/last.state").state();
  EXPECT_EQ(state.step, 35);
  EXPECT_GE(state.best_step, 21);  // the earlier ones never reached the disk
  EXPECT_TRUE(std::filesystem::exists(o.out + "/best.safetensors"));
  std::filesystem::remove_all(o.out);
}

TEST(full_disk, the_last_save_must_succeed) {
  TrainOptions o = tiny::options(tiny::folder("refused_last"));
  o.cache_views = 0;
  const tiny::Eventful validation(12, [&](i64 n) {
    if (n == 13) block(o.out + "/last.state", true);
  });
  const std::string text = error_text(Exit::data, [&] { tiny::train(o, tiny::Colours(30), validation); });
  EXPECT_NE(text.find("last.state"), text.npos) << text;
  EXPECT_EQ(SavedState(o.out + "/last.state").state().step, 7);
  std::filesystem::remove_all(o.out);
}

TEST(full_disk, is_noticed_before_the_run_starts) {
  const TempFolder folder;
  const RunFolder run(folder / "run", false);
  run.require_space(1);
  const std::string text = error_text(Exit::data, [&] { run.require_space(i64{1} << 60); });
  EXPECT_NE(text.find("needs 1099511627776 MiB of disk"), text.npos) << text;
}

}  // namespace
}  // namespace dactyl

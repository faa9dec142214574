// Scores in a table: what comes back is what was written, whatever the names hold.
#include "train/logits.h"

#include <gtest/gtest.h>

#include <cfloat>

#include "tests/train/eventful.h"
#include "train/inference.h"

namespace dactyl {
namespace {

class LogitsTable : public testing::Test {
 protected:
  LogitsTable() { std::filesystem::create_directories(folder_); }
  ~LogitsTable() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/logits.csv"; }
  void write(const std::string& text) const { std::ofstream(path()) << text; }
  void expect_refused(const std::string& text, const std::string& reason) const {
    write(text);
    try {
      read_logits(path());
      ADD_FAILURE() << "taken: " << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.exit(), Exit::data);
      EXPECT_NE(std::string(e.what()).find(reason), std::string::npos) << e.what();
    }
  }

 private:
  std::string folder_ = tiny::folder("logits");
};

TEST_F(LogitsTable, come_back_with_every_digit_and_any_name) {
  const std::vector<std::string> labels{"a,b", "say \"no\"", "two\nlines", "name", "ü"};
  const std::vector<float> scores{0.1f, -3.4028235e38f, FLT_TRUE_MIN, 16777217.0f, 1.0f / 3};
  write_logits(path(), {predicted("x,\"y\"\n.jpg", 2, scores.data(), 5), predicted("z", 4, scores.data(), 5)}, labels);
  const Logits back = read_logits(path());
  EXPECT_EQ(back.labels, labels);
  EXPECT_EQ(back.names, (std::vector<std::string>{"x,\"y\"\n.jpg", "z"}));
  EXPECT_EQ(back.truth, (std::vector<int>{2, 4}));
  ASSERT_EQ(back.values.size(), 10u);
  for (std::size_t c = 0; c < 10; ++c) EXPECT_EQ(back.values[c], scores[c % 5]);
}

TEST_F(LogitsTable, of_a_thousand_classes) {
  std::vector<std::string> labels;
  std::vector<float> scores;
  for (int c = 0; c < 1000; ++c) {
    labels.push_back("class " + std::to_string(c));
    scores.push_back(static_cast<float>(std::sin(c)));
  }
  std::vector<Prediction> predictions;
  for (int i = 0; i < 50; ++i)
    predictions.push_back(predicted("picture" + std::to_string(i), 20 * i, scores.data(), 1000));
  write_logits(path(), predictions, labels);
  const Logits back = read_logits(path());
  ASSERT_EQ(back.samples(), 50);
  EXPECT_EQ(back.truth[49], 980);
  EXPECT_EQ(std::vector<float>(back.row(49), back.row(49) + 1000), scores);
}

TEST_F(LogitsTable, are_those_of_the_net) {
  const Model model = tiny::model();
  const tiny::Colours data(4);
  for (const Prediction& p : evaluate(model, data, {.batch = 3})) {
    ASSERT_EQ(p.scores.size(), 3u);
    for (std::size_t k = 0; k < 3; ++k) EXPECT_EQ(p.scores[static_cast<std::size_t>(p.top[k])], p.logit[k]);
  }
}

TEST_F(LogitsTable, tables_that_are_none_are_refused_with_path_and_line) {
  expect_refused("name,label,predicted,p,loss\nx,a,a,1,0\n", "logits.csv:2: label \"a\" has no column");
  expect_refused("path,label,a\nx,a,1\n", "is no table of scores");
  expect_refused("name,label\n", "is no table of scores");
  expect_refused("name,label,a,a\n", "two columns are called \"a\"");
  expect_refused("name,label,a,b\nx,a,1,2\nx,a,1,2\n", "logits.csv:3: sample \"x\" comes twice");
  for (const std::string wrong : {"", "nan", "inf", "1e99", "1 ", "one"})
    expect_refused("name,label,a,b\nx,a,1," + wrong + "\n", "is no score");
  expect_refused("name,label,a,b\nx,a,1\n", "3 fields, the header has 4");
}

}  // namespace
}  // namespace dactyl

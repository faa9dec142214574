// Curves, TensorBoard events and the prediction sheet.
#include "train/curves.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/train/tiny.h"
#include "train/f1_chart.h"
#include "train/report.h"
#include "train/sheet.h"

namespace dactyl {
namespace {

bool has_gnuplot() { return std::system("gnuplot --version >/dev/null 2>&1") == 0; }

TEST(curves, are_drawn_from_the_logs) {
  if (!has_gnuplot()) GTEST_SKIP() << "no gnuplot here";
  const std::string folder = tiny::folder("curves");
  std::filesystem::create_directories(folder);
  std::ofstream train(folder + "/train.csv"), val(folder + "/val.csv");
  train << "step,loss,accuracy,rate,samples_per_s,wait,memory\n";
  val << "step,loss,accuracy,top5,macro_f1\n";
  for (int i = 1; i <= 50; ++i) train << i << ',' << 2.0 / i << ',' << 1 - 1.0 / i << ",0.1,10,0,1\n";
  val << "25,0.1,0.9,1,0.9\n50,0.05,0.95,1,0.95\n";
  train.close();
  val.close();
  EXPECT_TRUE(plot(folder, "curves", curves_script("it's a net", {0, 20}, 5, true)));
  EXPECT_NE(tiny::content(folder + "/curves.svg").find("validation"), std::string::npos);
  EXPECT_EQ(tiny::content(folder + "/curves.svg").find("weighted"), std::string::npos);
  EXPECT_EQ(tiny::content(folder + "/curves.png").substr(1, 3), "PNG");
  EXPECT_TRUE(plot(folder, "curves", curves_script("it's a net", {0}, 5, true, "weighted by class")));
  EXPECT_NE(tiny::content(folder + "/curves.svg").find("training, weighted by class"), std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST(curves, the_report_shows_every_class) {
  if (!has_gnuplot()) GTEST_SKIP() << "no gnuplot here";
  const tiny::Colours data(9);
  std::vector<Prediction> predictions;
  for (i64 i = 0; i < 9; ++i)
    predictions.push_back({.name = data.name(i),
                           .label = data.label(i),
                           .top = {static_cast<int>(i % 2)},
                           .p = {0.5f},
                           .scores = {1, 0, 0}});
  const std::string folder = tiny::folder("report");
  write_report(folder, measure(predictions, data.labels()), predictions, data, data.labels(), {{"a,b", "say \"no\""}});
  EXPECT_EQ(tiny::content(folder + "/bad_samples.csv"), "name,reason\n\"a,b\",\"say \"\"no\"\"\"\n");
  for (const std::string& label : data.labels())
    EXPECT_NE(tiny::content(folder + "/predictions.svg").find("truth  " + label), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder + "/f1_top20.png"));  // there are three classes
  const std::string confusion = tiny::content(folder + "/confusion.gp");
  EXPECT_NE(confusion.find(" % of 9 samples recognised'"), std::string::npos);
  EXPECT_NE(confusion.find("set label '2' at 0,0 center front tc rgb 'white'"), std::string::npos) << confusion;
  for (const char* name : {"confusion.png", "confusion.svg", "predictions.png", "f1_top10.png", "f1_top10.svg"})
    EXPECT_GT(tiny::content(folder + "/" + name).size(), 1000u) << name;
  std::filesystem::remove_all(folder);
}

// A net of clips sees more than a frame; the sheet shows three, of flow in colours.
class Moving : public DataSource {
 public:
  explicit Moving(int channels) : channels_(channels) {}
  i64 size() const override { return 1; }
  int label(i64) const override { return 0; }
  std::string name(i64) const override { return "clip"; }
  const std::vector<std::string>& labels() const override { return labels_; }
  int channels() const override { return channels_; }
  int frames() const override { return 9; }
  Image image(i64) const override {  // frame f is of bytes 20 f; as flow: to the left and upwards
    Image clip{32, 32, {}, 9, channels_};
    for (int f = 0; f < 9; ++f) clip.rgb.insert(clip.rgb.end(), clip.frame_bytes(), static_cast<std::uint8_t>(20 * f));
    return clip;
  }

 private:
  int channels_;
  std::vector<std::string> labels_ = {"a label so long that no tile would be wide enough: it's cut"};
};

TEST(curves, the_sheet_shows_three_frames_of_a_clip) {
  const std::string folder = tiny::folder("sheet");
  std::filesystem::create_directories(folder);
  const std::vector<Prediction> one = {{.name = "clip", .label = 0, .top = {0}, .p = {1}, .scores = {1}}};
  const auto tiles = [&](int channels) {
    const Moving data(channels);
    draw_sheet(folder, one, data, data.labels());
    return read_image(folder + "/predictions_tiles.png");
  };
  const auto at = [](const Image& sheet, int tile) {  // the middle of a frame
    const auto* pixel = sheet.frame(0) + 60 * sheet.row_bytes() + static_cast<std::size_t>(3 * (72 + 122 * tile));
    return std::vector<int>(pixel, pixel + 3);
  };
  const Image clip = tiles(3);
  for (int tile = 0; tile < 3; ++tile) EXPECT_EQ(at(clip, tile), std::vector<int>(3, 20 * (1 + 3 * tile))) << tile;
  const Image flow = tiles(2);
  EXPECT_EQ(at(flow, 0)[0], 0);  // up and left: blue
  EXPECT_GT(at(flow, 0)[2], 200);
  EXPECT_LT(at(flow, 2)[2], 20);  // byte 140: down and right, slowly: yellow and dark
  EXPECT_GT(at(flow, 2)[0], at(flow, 2)[2]);
  const std::string script = tiny::content(folder + "/predictions.gp");
  EXPECT_NE(script.find("…"), std::string::npos);
  EXPECT_EQ(script.find("it''s cut"), std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST(curves, bars_show_the_most_frequent_classes_with_f1_and_count) {
  if (!has_gnuplot()) GTEST_SKIP() << "no gnuplot here";
  std::vector<Prediction> predictions;
  std::vector<std::string> labels;
  for (int c = 0; c < 24; ++c) {
    labels.push_back("it's 5% a_{" + std::to_string(c) + "}");
    for (int k = 0; k <= c; ++k) predictions.push_back({.label = c, .top = {k % 3 ? c : 0}});
  }
  const std::string folder = tiny::folder("bars");
  std::filesystem::create_directories(folder);
  draw_f1(folder, measure(predictions, labels, 1, 0));
  const std::string ten = tiny::content(folder + "/f1_top10.svg"), twenty = tiny::content(folder + "/f1_top20.svg");
  for (int c = 0; c < 24; ++c) {
    const std::string label = "a_{" + std::to_string(c) + "}";
    EXPECT_EQ(ten.find(label) != std::string::npos, c >= 14) << label;
    EXPECT_EQ(twenty.find(label) != std::string::npos, c >= 4) << label;
  }
  EXPECT_NE(ten.find("(n = 24)"), std::string::npos);
  EXPECT_NE(ten.find("5% a_{20}"), std::string::npos);
  EXPECT_NE(ten.find("300 samples, 195 of them shown"), std::string::npos);
  EXPECT_GT(tiny::content(folder + "/f1_top20.png").size(), 1000u);
  std::filesystem::remove_all(folder);
}

TEST(curves, long_labels_are_cut_between_characters) {
  EXPECT_EQ(fitted("naïve", width_in_ems("naïve")), "naïve");
  EXPECT_EQ(fitted("naïve", width_in_ems("naïv")), "na…");
  EXPECT_EQ(fitted("naïve", width_in_ems("naï…")), "naï…");
  EXPECT_EQ(fitted("", 4), "");
  EXPECT_GT(width_in_ems("GOOD"), width_in_ems("good"));
  EXPECT_GT(width_in_ems("手手"), width_in_ems("ab"));
}

// The bytes of the protobuf are worked out by hand: wall_time, step, summary with one value.
TEST(curves, tensorboard_records_are_framed_with_their_checksums) {
  const std::string event = TensorBoard::scalar_event("a", 300, 0.5, 0);
  const std::string expected(
      "\x09\0\0\0\0\0\0\0\0\x10\xac\x02\x2a\x0a\x0a\x08\x0a\x01"
      "a\x15\0\0\0\x3f",
      24);
  EXPECT_EQ(event, expected);
  const std::string record = TensorBoard::record(event);
  ASSERT_EQ(record.size(), 8 + 4 + event.size() + 4);
  EXPECT_EQ(record.substr(0, 8), std::string("\x18\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(record.substr(12, event.size()), event);
}

}  // namespace
}  // namespace dactyl

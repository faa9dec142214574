// Clips of optical flow: the right pairs of frames, the same bytes however they are asked for, recipes that are kept
// to.
#include "train/data/flow_clips.h"

#include <cmath>

#include "tests/train/clips.h"
#include "train/data/pack.h"
#include "train/flow_input.h"
#include "train/inference.h"

namespace dactyl {
namespace {

constexpr int side = 64;

// A textured ground, and frame f of it moved by `by` pixels to the right of frame f − 1.
Image moving_clip(const std::vector<int>& by) {
  Image clip = blank_clip(static_cast<int>(by.size()) + 1, side, side);
  int shift = 0;
  for (int f = 0; f < clip.frames; ++f) {
    if (f > 0) shift += by[static_cast<std::size_t>(f - 1)];
    for (int y = 0; y < side; ++y)
      for (int x = 0; x < side; ++x) {
        const double at = x - shift;
        const double v = 128 + 50 * std::sin(at * 0.35 + 0.2 * y) + 50 * std::cos(0.3 * y - at * 0.11);
        for (int c = 0; c < 3; ++c) clip.frame(f)[3 * (y * side + x) + c] = static_cast<std::uint8_t>(v);
      }
  }
  return clip;
}

std::string folder_of(const TempFolder& folder, const std::vector<Image>& clips) {
  for (std::size_t k = 0; k < clips.size(); ++k)
    for (int f = 0; f < clips[k].frames; ++f)
      write_png(folder / ("data/" + std::string(k % 2 ? "b" : "a") + "/" + std::to_string(k) + "/" +
                          std::to_string(100 + f) + ".png"),
                frame_of(clips[k], f));
  return folder / "data";
}

double mean_u(const Image& flow, int f) {  // in bytes from the middle, inside
  double sum = 0;
  for (int y = 16; y < side - 16; ++y)
    for (int x = 16; x < side - 16; ++x) sum += flow.frame(f)[2 * (y * side + x)] - 127.5;
  return sum / (side - 32) / (side - 32);
}

const FlowRecipe small{.algorithm = "farneback", .side = side, .bound = 20};

TEST(FlowClips, EachFrameHasTheMotionToTheNextOne) {
  const TempFolder folder;
  const auto flow = with_flow(open_clips(folder_of(folder, {moving_clip({2, -1, 3})})), small, Device::cpu());
  EXPECT_EQ(flow->channels(), 2);
  const Image clip = flow->all_frames(0);
  ASSERT_EQ(std::pair(clip.frames, clip.channels), std::pair(4, 2));
  const double pixel = 127.5 / small.bound;
  const int moved[] = {2, -1, 3, 3};  // the last one's is its predecessor's
  for (int f = 0; f < 4; ++f) EXPECT_NEAR(mean_u(clip, f), moved[f] * pixel, 0.2 * pixel) << f;
}

TEST(FlowClips, TheSameBytesHoweverTheyAreAskedFor) {
  const TempFolder folder;
  const std::shared_ptr<const ClipSource> source = open_clips(folder_of(folder, {moving_clip({2, -1, 3, 1, 0})}));
  for (const char* algorithm : {"tvl1", "farneback"}) {
    const auto flow = with_flow(source, {.algorithm = algorithm, .side = side}, Device::cpu());
    const Image all = flow->all_frames(0), some = flow->clip(0, {0.04, 0.12, 0.12, 9});
    ASSERT_EQ(some.frames, 4);
    const int of[] = {1, 3, 3, 5};
    for (int f = 0; f < 4; ++f) EXPECT_EQ(frame_of(some, f).rgb, frame_of(all, of[f]).rgb) << algorithm << " " << f;
  }
}

TEST(FlowClips, AStillFrameAloneHasNoMotion) {
  const TempFolder folder;
  const auto flow = with_flow(open_clips(folder_of(folder, {moving_clip({})})), small, Device::cpu());
  const Image clip = flow->clip(0, {0, 1});  // at the border Farnebäck's method sees what lies beyond as a change
  for (int f = 0; f < 2; ++f) EXPECT_NEAR(mean_u(clip, f), 0, 0.5);
}

TEST(FlowClips, AGpuComputesTheSame) {
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU";
  const TempFolder folder;
  const std::string data = folder_of(folder, {moving_clip({2, -1, 3})});
  for (const char* algorithm : {"tvl1", "farneback"}) {
    const FlowRecipe recipe{.algorithm = algorithm, .side = side};
    const Image a = with_flow(open_clips(data), recipe, Device::cpu())->all_frames(0);
    const Image b = with_flow(open_clips(data), recipe, Device::cuda())->all_frames(0);
    ASSERT_EQ(a.rgb.size(), b.rgb.size());
    for (std::size_t i = 0; i < a.rgb.size(); ++i) ASSERT_NEAR(a.rgb[i], b.rgb[i], 1) << algorithm << " " << i;
  }
}

TEST(FlowStore, IsACacheOfTheComputation) {
  const TempFolder folder;
  const std::string data = folder_of(folder, {moving_clip({2, -1, 3}), moving_clip({1, 1}), moving_clip({0, 4, 4, 1})});
  const auto direct = with_flow(open_clips(data), small, Device::cpu());
  const PackReport report = write_pack(folder / "flow.pack", *direct);
  EXPECT_EQ(std::pair(report.samples, report.frames), std::pair(i64{3}, i64{4 + 3 + 5}));
  const auto store = open_clips(folder / "flow.pack");
  EXPECT_EQ(store->flow(), to_text(small));
  EXPECT_EQ(store->channels(), 2);
  EXPECT_EQ(store->packed_side(), side);
  for (i64 i = 0; i < 3; ++i) {
    EXPECT_EQ(store->name(i), direct->name(i));
    EXPECT_EQ(store->clip(i, {0, 0.05, 0.2}).rgb, direct->clip(i, {0, 0.05, 0.2}).rgb);
  }
  EXPECT_TRUE(changed_sources(folder / "flow.pack").empty());
}

std::string refusal(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(FlowStore, AnotherRecipeIsRefusedByWhatDiffers) {
  const TempFolder folder;
  const std::string data = folder_of(folder, {moving_clip({2, -1})});
  write_pack(folder / "flow.pack", *with_flow(open_clips(data), small, Device::cpu()));
  write_pack(folder / "frames.pack", *open_clips(data), {.side = 48});
  FlowRecipe other = small;
  other.side = 48;
  const auto opened = [&](const std::string& path, const FlowRecipe& recipe) {
    return refusal([&] { open_flow(path, {}, recipe, Device::cpu()); });
  };
  EXPECT_EQ(opened(folder / "flow.pack", small), "");
  EXPECT_NE(opened(folder / "flow.pack", other).find("computed with side=64, and side=48 is wanted"),
            std::string::npos);
  EXPECT_EQ(opened(folder / "frames.pack", other), "");
  EXPECT_NE(opened(folder / "frames.pack", small).find("packed with a short side of 48"), std::string::npos);
  const auto of_frames = [&] { with_flow(open_clips(folder / "frames.pack"), small, Device::cpu()); };
  EXPECT_NE(refusal(of_frames).find("packed with a short side of 48"), std::string::npos);
  const auto flow_of_flow = [&] { with_flow(open_clips(folder / "flow.pack"), small, Device::cpu()); };
  EXPECT_NE(refusal(flow_of_flow).find("is optical flow already"), std::string::npos);
}

TEST(FlowRecipe, IsATextAndBack) {
  for (const char* algorithm : {"tvl1", "tvl1-cpu", "farneback", "farneback-sample"}) {
    const std::string text = to_text(FlowRecipe{algorithm, 96, 12.5});
    EXPECT_EQ(to_text(flow_recipe(text)), text);
    EXPECT_EQ(flow_recipe(text).side, 96);
  }
  EXPECT_THROW(to_text(FlowRecipe{"lucas-kanade"}), Error);
  EXPECT_THROW(to_text(FlowRecipe{"tvl1", 0}), Error);
  std::string altered = to_text(FlowRecipe{});
  altered.replace(altered.find("tau=0.25"), 8, "tau=0.5");
  EXPECT_NE(refusal([&] { flow_recipe(altered); }).find("this version would compute"), std::string::npos);
  for (const char* text : {"", "tvl1", "tvl1 side=x bound=20", "tvl1 side=99999999999 bound=20"})
    EXPECT_NE(refusal([&] { flow_recipe(text); }), "") << text;
  EXPECT_NE(to_text(FlowRecipe{"farneback"}), to_text(FlowRecipe{"farneback-sample"}));
}

TEST(FlowInput, WeightsOfOneFlowAreNotGivenAnother) {
  const std::string a = to_text(FlowRecipe{}), b = to_text(FlowRecipe{"farneback"});
  const Passport flow{.model = "i3d", .flow = a, .encoding = "uv"}, colours{.model = "i3d"};
  EXPECT_NO_THROW(require_flow(flow, a, "uv"));
  EXPECT_NO_THROW(require_flow(colours, "", ""));
  EXPECT_NO_THROW(require_flow(colours, a, "uv", true));  // a beginning, as inflated weights are
  for (const bool start : {false, true}) {
    const auto told = [&](const std::string& given, const char* encoding) {
      return refusal([&] { require_flow(flow, given, encoding, start); });
    };
    EXPECT_NE(told(b, "uv").find("learnt from optical flow with tvl1"), std::string::npos);
    EXPECT_NE(told(a, "hsv").find("encoding=uv, and"), std::string::npos);
    EXPECT_NE(told("", "").find("the data gives colours"), std::string::npos);
  }
  EXPECT_NE(refusal([&] { require_flow(colours, a, "uv"); }).find("learnt from colours"), std::string::npos);
}

std::vector<float> input_of(const std::vector<std::uint8_t>& uv, bool mirror, const std::string& encoding) {
  Tensor bytes({1, 1, 1, 2, 2}, DType::u8);
  std::copy(uv.begin(), uv.end(), bytes.data<std::uint8_t>());
  const Tensor geometry = Tensor::from({1, 8}, std::vector<float>{0, 0, mirror ? 1.0f : 0.0f, 0, 1, 1, 0, 0});
  InputSpec spec;
  spec.height = 1, spec.width = 2, spec.frames = 1, spec.flow = "some", spec.encoding = encoding;
  spec.channels = encoding == "uv" ? 2 : 3;
  const auto channels = static_cast<std::size_t>(spec.channels);
  spec.mean.assign(channels, 127.5f), spec.scale.assign(channels, 1 / 127.5f);
  Batch batch;
  batch.bytes = bytes, batch.geometry = geometry;
  return input_of(batch, spec, DType::f32).floats();
}

// Mirrored before it becomes a colour: a hand that moves to the right moves to the left.
TEST(FlowInput, AMirroredFlowIsThatOfTheMirroredVideo) {
  for (const char* encoding : {"uv", "uv0", "hsv"})
    EXPECT_EQ(input_of({200, 100, 127, 40}, true, encoding), input_of({128, 40, 55, 100}, false, encoding)) << encoding;
  EXPECT_EQ(input_of({200, 100, 127, 40}, false, "uv0").size(), 6u);
}

}  // namespace
}  // namespace dactyl

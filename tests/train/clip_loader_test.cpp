// Clips on their way to a batch: every frame is prepared alike, an epoch may draw other frames, flow keeps two
// channels.
#include "tests/train/clips.h"
#include "tests/train/computed.h"

namespace dactyl {
namespace {

// Clips of three frames whose numbers say sample, frame and epoch.
class Moving : public Computed {
 public:
  explicit Moving(int channels) : Computed(6, 2), channels_(channels) {}
  Image image(i64 i) const override { return clip(i, 0); }
  Image drawn(i64 i, i64 epoch) const override { return clip(i, 100 * (epoch + 1)); }
  bool varies() const override { return true; }
  int channels() const override { return channels_; }

 private:
  Image clip(i64 i, i64 base) const {
    Image clip{8, 8, {}, 3, channels_};
    for (int d = 0; d < 3; ++d)
      clip.rgb.insert(clip.rgb.end(), clip.frame_bytes(), static_cast<std::uint8_t>(base + 10 * i + d));
    return clip;
  }
  int channels_;
};

LoaderOptions clip_options(i64 batch, bool training) {
  LoaderOptions o = options(batch, training);
  o.input.frames = 3;
  return o;
}

TEST(ClipLoader, a_batch_holds_clips_frame_after_frame) {
  for (const int channels : {3, 2}) {
    const Moving source(channels);
    Loader loader(source, clip_options(4, false));
    loader.start(0);
    Batch batch;
    ASSERT_TRUE(loader.next(batch));
    EXPECT_EQ(batch.bytes.shape(), (Shape{4, 3, 8, 8, channels}));
    const auto bytes = batch.bytes.floats();
    const auto frame = static_cast<std::size_t>(64 * channels);
    for (std::size_t i = 0; i < 12; ++i)
      EXPECT_EQ(bytes[i * frame + 5], static_cast<float>(10 * batch.samples[i / 3] + static_cast<i64>(i % 3)));
  }
}

TEST(ClipLoader, every_epoch_of_training_draws_its_own_frames) {
  const Moving source(3);
  Loader loader(source, clip_options(2, true));
  for (const i64 epoch : {0, 1, 0}) {
    loader.start(epoch);
    for (Batch batch; loader.next(batch);)
      EXPECT_EQ(batch.bytes.floats()[0], static_cast<float>((100 * (epoch + 1) + 10 * batch.samples[0]) % 256));
  }
}

TEST(ClipLoader, a_clip_of_another_length_is_bad) {
  const Moving source(3);
  LoaderOptions o = clip_options(2, false);
  o.input.frames = 4;
  Loader loader(source, o);
  loader.start(0);
  for (Batch batch; loader.next(batch);) EXPECT_EQ(batch.count, 0);
  ASSERT_EQ(loader.bad().size(), 6u);
  EXPECT_EQ(loader.bad()[0].reason, "has 3 frames, the net takes 4");
}

// Memory does not grow with the data.
TEST(ClipLoader, clips_are_read_again_instead_of_kept) {
  class Still : public Moving {
   public:
    using Moving::Moving;
    bool varies() const override { return false; }
    int frames() const override { return 3; }
    Image drawn(i64 i, i64 epoch) const override { return ++asked, Moving::drawn(i, epoch); }
  };
  const Still source(3);
  Loader loader(source, clip_options(2, true));
  Batch batch;
  for (i64 epoch = 0; epoch < 3; ++epoch)
    for (loader.start(epoch); loader.next(batch);) {
    }
  EXPECT_GE(source.asked, 3 * 6);
}

TEST(Augment, every_frame_in_the_same_way) {
  const AugmentOptions options = parse_augment("zoom=0.3,rotate=25");
  const Image clip = cornered_clip(5);
  const Image changed = augmented(options, clip, 1, 2, 3);
  ASSERT_EQ(changed.rgb.size(), clip.rgb.size());
  EXPECT_NE(changed.rgb, clip.rgb);
  for (int f = 0; f < 5; ++f) EXPECT_EQ(frame_of(changed, f).rgb, augmented(options, frame_of(clip, 0), 1, 2, 3).rgb);
  EXPECT_EQ(augmented(parse_augment("reflect-x"), clip, 1, 2, 3).rgb, clip.rgb);
}

TEST(Augment, turned_flow_points_where_the_picture_went) {
  Image flow{9, 9, {}, 2, 2};
  for (int i = 0; i < 162; ++i) flow.rgb.insert(flow.rgb.end(), {188, 128});  // 60.5 to the right
  AugmentOptions options;
  options.rotate = 90;
  for (i64 sample = 0; sample < 20; ++sample) {
    const Image turned = augmented(options, flow, 1, 0, sample);
    const double u = turned.rgb[100] - 127.5, v = turned.rgb[101] - 127.5;
    EXPECT_NEAR(std::hypot(u, v), 60.5, 1.5);
    EXPECT_EQ(turned.rgb[100], turned.rgb[162 + 100]);
  }
  // A dot to the right of the middle, moving to the right: wherever it goes, its motion points away from the middle.
  Image dot{33, 33, std::vector<std::uint8_t>(33 * 33 * 2, 128), 1, 2};
  for (int y = 15; y <= 17; ++y)
    for (int x = 25; x <= 27; ++x) dot.rgb[static_cast<std::size_t>(2 * (33 * y + x))] = 228;
  for (i64 sample = 0; sample < 20; ++sample) {
    const Image turned = augmented(options, dot, 1, 0, sample);
    double best = 0, along = 0;
    for (int y = 0; y < 33; ++y)
      for (int x = 0; x < 33; ++x) {
        const std::uint8_t* p = &turned.rgb[static_cast<std::size_t>(2 * (33 * y + x))];
        const double u = p[0] - 128.0, v = p[1] - 128.0, size = std::hypot(u, v);
        if (size <= best) continue;
        best = size;
        along = ((x - 16) * u + (y - 16) * v) / (size * std::hypot(x - 16, y - 16));
      }
    EXPECT_GT(best, 80);
    EXPECT_GT(along, 0.98);
  }
}

TEST(Resize, every_frame_and_two_channels_are_treated_alike) {
  const Image picture = computed_picture(20, 30);
  Image clip = picture;
  clip.frames = 2;
  clip.rgb.insert(clip.rgb.end(), picture.rgb.begin(), picture.rgb.end());
  const Image small = resized(picture, 7, 11, Filter::antialias), both = resized(clip, 7, 11, Filter::antialias);
  EXPECT_EQ(frame_of(both, 0).rgb, small.rgb);
  EXPECT_EQ(frame_of(both, 1).rgb, small.rgb);
  Image flow{20, 30, {}, 1, 2};
  for (std::size_t i = 0; i < picture.rgb.size(); i += 3)
    flow.rgb.insert(flow.rgb.end(), {picture.rgb[i], picture.rgb[i + 1]});
  const Image uv = resized(flow, 7, 11, Filter::antialias);
  for (std::size_t i = 0; i < 77; ++i) {
    EXPECT_EQ(uv.rgb[2 * i], small.rgb[3 * i]);
    EXPECT_EQ(uv.rgb[2 * i + 1], small.rgb[3 * i + 1]);
  }
}

}  // namespace
}  // namespace dactyl

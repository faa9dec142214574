#include "kernels/ops.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

Tensor bytes(Shape shape, const std::vector<std::uint8_t>& values) {
  Tensor t(shape, DType::u8, Device::cpu());
  std::copy(values.begin(), values.end(), t.data<std::uint8_t>());
  return t.to(Context::current().device());
}

// A picture of 2 rows and 3 columns: 0 1 2 / 10 11 12, in one channel.
Tensor small() { return bytes({1, 2, 3, 1}, {0, 1, 2, 10, 11, 12}); }

Tensor geometry(std::vector<float> row) { return Tensor::from({1, 8}, row); }

PixelOptions plain(i64 height, i64 width) { return {height, width, {0}, {1}}; }

std::vector<float> seen(const std::vector<float>& row, const PixelOptions& options) {
  return pixels(small(), geometry(row), options).floats();
}

}  // namespace

TEST(Pixels, crops_mirrors_and_leaves_the_outside_at_zero) {
  on_each_device([] {
    EXPECT_EQ(seen({0, 0, 0, 0, 1, 1, 0, 0}, plain(2, 3)), (std::vector<float>{0, 1, 2, 10, 11, 12}));
    EXPECT_EQ(seen({1, 1, 0, 0, 1, 1, 0, 0}, plain(1, 2)), (std::vector<float>{11, 12}));
    EXPECT_EQ(seen({1, 1, 1, 0, 1, 1, 0, 0}, plain(1, 2)), (std::vector<float>{12, 11}));
    EXPECT_EQ(seen({-1, 2, 0, 0, 1, 1, 0, 0}, plain(2, 2)), (std::vector<float>{0, 0, 2, 0}));
    EXPECT_EQ(seen({0, -1, 1, 0, 1, 1, 0, 0}, {1, 3, {4}, {2}}), (std::vector<float>{-6, -8, 0}));
    EXPECT_EQ(seen({1000, -1000, 1, 0, 1, 1, 0, 0}, {1, 2, {4}, {2}}), (std::vector<float>{0, 0}));
  });
}

TEST(Pixels, normalises_each_channel) {
  on_each_device([] {
    const Tensor x = bytes({1, 1, 1, 3}, {100, 150, 200});
    const Tensor y = pixels(x, geometry({0, 0, 0, 0, 1, 1, 0, 0}), {1, 1, {90, 140, 204}, {0.5f, 1, 2}});
    EXPECT_EQ(y.floats(), (std::vector<float>{5, 10, -8}));
  });
}

TEST(Pixels, changes_colours_and_stays_in_the_range_of_a_byte) {
  on_each_device([] {
    const Tensor x = bytes({1, 1, 1, 3}, {100, 150, 200});
    const auto look = [&](float brightness, float contrast, float saturation) {
      const PixelOptions options{1, 1, {0, 0, 0}, {1, 1, 1}};
      return pixels(x, geometry({0, 0, 0, brightness, contrast, saturation, 0, 0}), options);
    };
    expect_close("brighter", numbers(look(80, 1, 1)), {180, 230, 255}, 1e-6);
    expect_close("more contrast", numbers(look(0, 2, 1)), {72, 172, 255}, 1e-6);
    expect_close("grey", numbers(look(0, 1, 0)), {150, 150, 150}, 1e-6);
    expect_close("gaudy", numbers(look(0, 1, 3)), {0, 150, 255}, 1e-6);
    const Tensor two = bytes({1, 1, 1, 2}, {100, 200});
    EXPECT_EQ(pixels(two, geometry({0, 0, 0, 0, 1, 0, 0, 0}), {1, 1, {0, 0}, {1, 1}}).floats(),
              (std::vector<float>{100, 200}));  // two channels are flow, which has no grey
  });
}

TEST(Pixels, every_sample_has_its_own_geometry_and_every_type_its_numbers) {
  on_each_device([] {
    const Tensor x = bytes({2, 1, 2, 1}, {1, 2, 3, 4});
    const Tensor each = Tensor::from({2, 8}, std::vector<float>{0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0});
    for (const DType type : {DType::f32, DType::f64, DType::bf16, DType::f16}) {
      const Tensor y = pixels(x, each, {1, 2, {0}, {1}, type});
      EXPECT_EQ(y.dtype(), type);
      EXPECT_EQ(y.floats(), (std::vector<float>{1, 2, 4, 3}));
    }
  });
}

// Eight pixels at a time where a row has as many, else one by one: the same numbers.
TEST(Pixels, wide_rows_are_rows_of_narrow_ones) {
  on_each_device([] {
    for (const DType type : {DType::f32, DType::f64, DType::bf16, DType::f16})
      for (const i64 channels : {1, 2, 3}) {
        std::vector<std::uint8_t> values(static_cast<std::size_t>(2 * 3 * 5 * 21 * channels));
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i * 37 + i / 11);
        const Tensor x = bytes({2, 3, 5, 21, channels}, values);
        const Tensor looks =
            Tensor::from({2, 8}, std::vector<float>{1, -2, 0, 10, 1.5f, 0.5f, 0, 0, -1, 4, 1, 0, 1, 1, 0, 0});
        const std::size_t count = static_cast<std::size_t>(channels);
        PixelOptions options{6, 24, std::vector<float>(count, 3), std::vector<float>(count, 0.5f), type};
        options.flow = channels == 2;
        const Tensor wide = pixels(x, looks, options);
        options.width = 27;  // no row of eights; three columns more come first
        std::vector<float> earlier = looks.floats();
        earlier[1] -= 3;  // the mirrored one begins at its right end
        const Tensor narrow = pixels(x, Tensor::from({2, 8}, earlier), options);
        const std::vector<double> a = numbers(wide), b = numbers(narrow);
        for (i64 row = 0; row < 2 * 3 * 6; ++row)
          for (i64 i = 0; i < 24 * channels; ++i)
            ASSERT_EQ(a[static_cast<std::size_t>(row * 24 * channels + i)],
                      b[static_cast<std::size_t>((row * 27 + 3) * channels + i)])
                << row << ", " << i;
      }
  });
}

TEST(Pixels, all_frames_of_a_clip_share_its_geometry) {
  on_each_device([] {
    const Tensor clips = bytes({2, 2, 1, 2, 1}, {1, 2, 3, 4, 5, 6, 7, 8});
    const Tensor each = Tensor::from({2, 8}, std::vector<float>{0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0});
    const Tensor y = pixels(clips, each, plain(1, 2));
    EXPECT_EQ(y.shape(), (Shape{2, 2, 1, 2, 1}));
    EXPECT_EQ(y.floats(), (std::vector<float>{2, 1, 4, 3, 6, 0, 8, 0}));
  });
}

TEST(Pixels, a_mirrored_flow_goes_the_other_way) {
  on_each_device([] {
    const Tensor flow = bytes({1, 1, 2, 2}, {100, 10, 200, 20});  // (u, v) at two places
    const PixelOptions options{1, 2, {127.5f, 127.5f}, {2, 2}, DType::f32, true};
    EXPECT_EQ(pixels(flow, geometry({0, 0, 0, 9, 2, 1, 0, 0}), options).floats(),
              (std::vector<float>{-55, -235, 145, -215}));
    EXPECT_EQ(pixels(flow, geometry({0, 0, 1, 9, 2, 1, 0, 0}), options).floats(),
              (std::vector<float>{-145, -215, 55, -235}));
  });
}

TEST(Pixels, stays_in_its_memory_and_can_be_captured) {
  on_each_device([] {
    const Tensor x = bytes({1, 2, 3, 1}, {0, 1, 2, 10, 11, 12}), look = geometry({-1, -1, 1, 3, 1.5f, 0.5f, 0, 0});
    const Op op = [&](auto&) { return pixels(x, look, plain(5, 7)); };
    const Outcome eager = run(op, {});
    check_memory(op, {}, {}, eager);
    if (x.device().is_cuda()) check_capture(op, {}, {}, eager);
  });
}

TEST(Pixels, of_nothing_are_nothing) {
  on_each_device([] {
    for (const Shape& none : {Shape{2, 0, 4, 4, 1}, Shape{0, 3, 4, 4, 1}})
      EXPECT_EQ(pixels(Tensor(none, DType::u8), Tensor::zeros({none[0], 8}), plain(2, 3)).count(), 0);
  });
}

TEST(Pixels, refuses_nonsense) {
  const Tensor neutral = geometry({0, 0, 0, 0, 1, 1, 0, 0});
  expect_error([&] { pixels(Tensor::zeros({1, 2, 3, 1}), neutral, plain(1, 1)); }, {"f32 (1, 2, 3, 1)"});
  expect_error(
      [&] {
        pixels(bytes({2, 1, 1, 1}, {1, 2}), neutral, plain(1, 1));
      },
      {"(2, 1, 1, 1)", "(2, 8)", "(1, 8)"});
  expect_error([&] { pixels(bytes({1, 1, 1, 4}, {1, 2, 3, 4}), neutral, plain(1, 1)); }, {"(1, 1, 1, 4)"});
  expect_error([&] { pixels(small(), neutral, {1, 1, {0, 0, 0}, {1}}); }, {"3 means", "(1, 2, 3, 1)"});
  expect_error([&] { pixels(small(), neutral, plain(0, 1)); }, {"0 x 1"});
}

}  // namespace dactyl

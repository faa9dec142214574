#include "kernels/flow.h"
#include "tests/check_device.h"

namespace dactyl {
namespace {

using Values = std::vector<float>;

}  // namespace

TEST(FlowEncode, uv_is_cut_and_scaled) {
  on_each_device([] {
    const Tensor flow = Tensor::from({1, 1, 3, 2}, Values{5, -10, 25, -20, 0, -1e9f});
    EXPECT_EQ(flow_encode(flow, FlowEncoding::uv).floats(), (Values{0.25, -0.5, 1, -1, 0, -1}));
    EXPECT_EQ(flow_encode(flow, FlowEncoding::uv0).floats(), (Values{0.25, -0.5, 0, 1, -1, 0, 0, -1, 0}));
    EXPECT_EQ(flow_encode(flow, FlowEncoding::uv, 10).floats(), (Values{0.5, -1, 1, -1, 0, -1}));
    EXPECT_EQ(flow_encode(flow, FlowEncoding::uv0).shape(), (Shape{1, 1, 3, 3}));
  });
}

// What OpenCV makes of hue 0, 45, 90 and 135 (of 180) at full saturation; each frame is stretched by itself.
TEST(FlowEncode, hsv_is_direction_and_length) {
  on_each_device([] {
    const Tensor flow = Tensor::from({2, 1, 3, 2}, Values{0, 0, 4, 0, 0, 4, 1, 1, -5, 0, 0, -5});
    const Values got = flow_encode(flow, FlowEncoding::hsv).floats();
    EXPECT_EQ(Values(got.begin(), got.begin() + 9), (Values{0, 0, 0, 255, 0, 0, 127, 255, 0}));
    EXPECT_EQ(Values(got.begin() + 9, got.end()), (Values{0, 0, 0, 0, 255, 255, 128, 0, 255}));
  });
}

TEST(FlowEncode, a_still_frame_is_black) {
  on_each_device([] {
    for (const float value : flow_encode(Tensor::full({1, 3, 4, 2}, 2.5), FlowEncoding::hsv).floats())
      EXPECT_EQ(value, 0);
  });
}

// Bytes of hsv become −1 … 1, as colours do; the clip's frames are stretched one by one.
TEST(FlowEncode, input_of_a_network) {
  on_each_device([] {
    const Tensor flow = Tensor::from({1, 2, 1, 3, 2}, Values{0, 0, 4, 0, 0, 4, 1, 1, -5, 0, 0, -5});
    const Values uv = flow_input(flow, FlowEncoding::uv, 10, DType::f32).floats();
    EXPECT_EQ(Values(uv.begin(), uv.begin() + 4), (Values{0, 0, 0.4f, 0}));
    EXPECT_EQ(flow_input(flow, FlowEncoding::uv0, 10, DType::bf16).shape(), (Shape{1, 2, 1, 3, 3}));
    const Values frames = flow_encode(flow.reshaped({2, 1, 3, 2}), FlowEncoding::hsv).floats();
    const Values got = flow_input(flow, FlowEncoding::hsv, 10, DType::f32).floats();
    ASSERT_EQ(got.size(), frames.size());
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], frames[i] / 127.5 - 1, 1e-6);
    EXPECT_THROW(flow_input(flow.reshaped({2, 1, 3, 2}), FlowEncoding::uv, 10, DType::f32), Error);
  });
}

TEST(FlowEncode, picture) {
  on_each_device([] {
    const Tensor flow = Tensor::from({1, 1, 3, 2}, Values{10, 0, -40, 0, 0, 0});
    const Tensor picture = flow_picture(flow, 20).to(Device::cpu());
    ASSERT_EQ(picture.shape(), (Shape{1, 1, 3, 3}));
    const std::uint8_t* b = picture.data<std::uint8_t>();
    EXPECT_EQ(std::vector<int>(b, b + 9), (std::vector<int>{127, 0, 0, 0, 255, 255, 0, 0, 0}));
  });
}

TEST(FlowEncode, devices_agree_and_capture) {
  on_each_device([] {
    const Tensor flow = random({2, 9, 13, 2}, -30, 30).value.to(DType::f32);
    const std::vector<Input> inputs{fixed({flow.to(Context::current().device())})};
    for (const FlowEncoding e : {FlowEncoding::uv, FlowEncoding::uv0, FlowEncoding::hsv}) {
      const Op op = [e](const std::vector<Tensor>& x) { return flow_encode(x[0], e); };
      const Outcome got = run(op, inputs);
      check_memory(op, inputs, {}, got);
      if (!Context::current().device().is_cuda()) continue;
      check_capture(op, inputs, {}, got);
      const Use cpu(Device::cpu());
      expect_close("against the CPU", numbers(got.y), numbers(flow_encode(flow, e)), 0.02);
    }
  });
}

TEST(FlowEncode, refuses_nonsense) {
  expect_error([] { flow_encode(Tensor::zeros({1, 4, 4, 3}), FlowEncoding::uv); }, {"(1, 4, 4, 3)"});
  expect_error([] { flow_encode(Tensor::zeros({1, 4, 4, 2}), FlowEncoding::uv, 0); }, {"0", "(1, 4, 4, 2)"});
  expect_error([] { flow_picture(Tensor::zeros({4, 4, 2})); }, {"(4, 4, 2)"});
}

}  // namespace dactyl

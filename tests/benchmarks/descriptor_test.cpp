// Layers as lines: what is written is read back as the same, what makes no sense is a usage error.
#include "kernels/descriptor.h"

#include <gtest/gtest.h>

#include "engine/engine.h"

namespace dactyl {
namespace {

TEST(Descriptor, lines_come_back_as_they_were) {
  for (const std::string line :
       {"conv3d x=32x10x56x56x64 k=3x3x3 s=1 p=1 out=192 bf16",
        "conv2d x=8x224x224x3 k=7x7 s=2 p=3 out=64 bias relu fp32",
        "conv2d x=2x27x27x96 k=5x5 s=1 p=2 out=256 groups=2 bias relu tf32",
        "conv3d x=1x20x224x224x3 k=7x7x7 s=2 p=same out=64 fp32",
        "conv2d x=1x8x8x8 k=3x3 s=1 p=0:1x1:0 out=8 into=24 fp64",
        "max_pool3d x=2x10x112x112x64 k=1x3x3 s=1x2x2 p=same bf16", "max_pool2d x=2x112x112x64 k=3x3 s=2 p=0 ceil fp16",
        "mean_pool3d x=2x3x7x7x1024 k=2x7x7 s=1 p=0 fp32", "batch_norm x=4x28x28x32 relu frozen into=64 bf16",
        "batch_norm_max_pool3d x=2x10x112x112x64 k=1x3x3 s=1x2x2 p=same relu bf16", "lrn x=1x55x55x96 n=7 fp32",
        "lrn x=1x55x55x96 relu bf16", "linear x=128x9216 out=4096 bias relu bf16"})
    EXPECT_EQ(to_text(parse_descriptor(line)), line);
}

TEST(Descriptor, one_number_stands_for_all_extents_and_words_have_any_order) {
  const Descriptor a = parse_descriptor("conv3d out=192 bf16 k=3 x=32x10x56x56x64 p=same"),
                   b = parse_descriptor("conv3d x=32x10x56x56x64 k=3x3x3 s=1 p=1x1x1 out=192 bf16");
  EXPECT_EQ(to_text(a), to_text(b));
  EXPECT_EQ(a.y(), (Shape{32, 10, 56, 56, 192}));
  EXPECT_EQ(a.w(), (Shape{192, 3, 3, 3, 64}));
  EXPECT_EQ(a.products(), 32.0 * 10 * 56 * 56 * 192 * 27 * 64);
}

TEST(Descriptor, same_padding_of_an_even_input_is_uneven) {
  const Descriptor d = parse_descriptor("conv2d x=1x224x224x3 k=7 s=2 p=same out=64");
  EXPECT_EQ(d.window.low, (Shape{2, 2}));
  EXPECT_EQ(d.window.high, (Shape{3, 3}));
  EXPECT_EQ(d.y(), (Shape{1, 112, 112, 64}));
}

TEST(Descriptor, nonsense_is_a_usage_error) {
  for (const std::string line : {"",
                                 "conv4d x=1x8x8x3 k=3 out=4",
                                 "conv2d k=3 out=4",
                                 "conv2d x=1x8x8x3 out=4",
                                 "conv2d x=1x8x8x3 k=3",
                                 "conv2d x=1x8x8x3 k=3 out=0",
                                 "conv2d x=1x8x8x3 k=3x3x3 out=4",
                                 "conv2d x=1x8x8x3 k=9 out=4",
                                 "conv2d x=1x8x8x3 k=0 out=4",
                                 "conv2d x=1x8x8x3 k=3 s=0 out=4",
                                 "conv2d x=1x8x8x3 k=3 out=4 groups=2",
                                 "conv2d x=1x8x8x3 k=3 out=4 colour=3",
                                 "conv2d x=1x8x8x3 k=3 out=4 out=5",
                                 "conv2d x=1x8x8x3 k=3 out=4 relu=1",
                                 "conv2d x=1x8x8x3 k=3 p=1:2:3 out=4",
                                 "conv2d x=1x8x8xthree k=3 out=4",
                                 "conv2d x=1x8x8x3x k=3 out=4",
                                 "conv2d x=1x8x0x3 k=3 out=4",
                                 "conv2d x=99999999x99999999x8x3 k=3 out=4",
                                 "conv2d x=1x8x8x3 k=3 out=8 into=4",
                                 "max_pool2d x=1x8x8x3 k=3 out=4",
                                 "conv3d x=1x8x8x3 k=3 out=4",
                                 "conv2d x=1x8x8x3 k=3 out=8 into=1099511627776",
                                 "conv2d x=1x8x8x3 k=3 out=8 p=1099511627776",
                                 "conv2d x=1x8x8x3 k=3 out=1099511627776",
                                 "conv2d x=1x8x8x3 k=3 out=4 fp32 bf16",
                                 "max_pool2d x=1x8x8x3 k=3 p=3",
                                 "mean_pool2d x=1x8x8x3 k=3 p=0:3",
                                 "batch_norm x=1x1x1x8",
                                 "lrn x=1x8x8x3 n=4",
                                 "linear x=9 out=3"}) {
    try {
      parse_descriptor(line);
      ADD_FAILURE() << line;
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::usage) << line << ": " << error.what();
    }
  }
}

// What an operation leaves in a trace can be read, on the way forward and back.
TEST(Descriptor, traced_operations_describe_themselves) {
  Tensor x = Tensor::zeros({2, 8, 8, 4}), w = Tensor::zeros({6, 3, 3, 4});
  x.watch();
  OperationTrace trace;
  Tape tape;
  const Tensor wide({2, 8, 8, 10});
  const Tensor y = conv(x, w, {.window = square(3, 1, 1), .relu = true, .into = wide.slice(2, 6)});
  const Tensor z = max_pool(y, {.window = square(2, 2)});
  tape.backward(cross_entropy(flatten(z), Tensor::from({2}, std::vector<std::int32_t>{0, 1})));
  ASSERT_GE(trace.operations().size(), 8u);
  EXPECT_EQ(trace.seconds().size(), trace.operations().size());
  EXPECT_EQ(trace.operations()[0].what, "conv2d x=2x8x8x4 k=3x3 s=1 p=1 out=6 relu into=10 fp32");
  EXPECT_EQ(trace.operations()[1].what, "max_pool2d x=2x8x8x6 k=2x2 s=2 p=0 fp32");
  EXPECT_FALSE(trace.operations()[0].backward);
  EXPECT_EQ(trace.operations().back().what, trace.operations()[0].what);
  EXPECT_TRUE(trace.operations().back().backward);
  for (const double s : trace.seconds()) EXPECT_GE(s, 0);
}

}  // namespace
}  // namespace dactyl

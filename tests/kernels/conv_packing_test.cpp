// Convolutions in other forms, packed stems and matrix products over columns, against the plain loops.
#include "kernels/conv_packing.h"

#include "kernels/conv_columns.h"
#include "kernels/conv_gather.h"
#include "kernels/hopper/implicit.h"
#include "kernels/hopper/implicit_weights.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

struct Case {
  Shape x, w;
  Window window;
  i64 groups = 1;
};

// Small pictures under the nets' stems, and what is asymmetric, odd or larger than its input.
const std::vector<Case> stems{
    {{2, 35, 31, 3}, {5, 11, 11, 3}, square(11, 4)},
    {{2, 35, 38, 3}, {4, 11, 11, 3}, square(11, 4, 2)},
    {{2, 18, 21, 3}, {8, 7, 7, 3}, square(7, 2, 3)},
    {{1, 18, 20, 2}, {8, 7, 7, 2}, {{7, 7}, {2, 2}, {2, 2}, {3, 3}}},
    {{2, 9, 12, 1}, {3, 3, 2, 1}, {{3, 2}, {2, 3}, {0, 1}, {1, 2}}},
    {{2, 6, 7, 4}, {3, 3, 3, 4}, square(3, 1, 1)},
    {{1, 6, 6, 3}, {2, 2, 2, 3}, square(2, 3)},
    {{1, 10, 12, 14, 3}, {4, 7, 7, 7, 3}, {{7, 7, 7}, {2, 2, 2}, {2, 2, 2}, {3, 3, 3}}},
    {{2, 7, 9, 11, 2}, {4, 7, 7, 7, 2}, {{7, 7, 7}, {2, 2, 2}, {3, 2, 3}, {3, 3, 2}}},
    {{1, 5, 8, 8, 3}, {4, 1, 7, 7, 3}, window({1, 7, 7}, {2, 2, 2}, {0, 3, 3})},
    {{1, 4, 9, 6, 3}, {2, 3, 3, 3, 3}, {{3, 3, 3}, {1, 2, 3}, {0, 1, 0}, {1, 0, 2}}},
};

const std::vector<Case> layers{
    {{2, 9, 10, 5}, {7, 3, 3, 5}, {{3, 3}, {2, 2}, {0, 1}, {2, 1}}},
    {{2, 7, 6, 6}, {4, 3, 3, 3}, square(3, 1, 1), 2},
    {{2, 5, 6, 16}, {8, 3, 3, 8}, square(3, 1, 1), 2},
    {{1, 6, 7, 16}, {24, 3, 3, 16}, square(3, 2, 1)},
    {{1, 6, 7, 8, 3}, {4, 3, 3, 3, 3}, {{3, 3, 3}, {2, 2, 2}, {0, 1, 1}, {1, 1, 0}}},
    {{2, 4, 5, 5, 6}, {3, 1, 2, 2, 6}, {{1, 2, 2}, {1, 1, 1}, {0, 0, 1}, {0, 0, 0}}},
    {{3, 4, 4, 8}, {8, 1, 1, 8}, square(1)},
};

Tensor noise(const Shape& shape, DType type, std::uint32_t stream) {
  Tensor t(shape, DType::f32, Device::cpu());
  Sequence numbers(test_seed(), stream);
  for (i64 i = 0; i < t.count(); ++i) t.data<float>()[i] = static_cast<float>(2 * numbers.uniform() - 1);
  return t.to(type).to(Context::current().device());
}

Tensor poisoned(const Shape& shape, DType type) { return Tensor::full(shape, std::nan(""), type); }

// The three passes by the reference loops.
struct Wanted {
  Tensor x, w, bias, dy, y, dx, dw;
  ConvOptions options;

  Wanted(const Case& c, DType type) : x(noise(c.x, type, 1)), w(noise(c.w, type, 2)), bias(noise({c.w[0]}, type, 3)) {
    options = {.window = c.window, .groups = c.groups, .bias = bias, .relu = true, .algorithm = Algorithm::reference};
    y = conv(x, w, options);
    dy = noise(y.shape(), type, 4);
    ConvOptions plain = options;
    plain.bias = Tensor();
    plain.relu = false;
    const Tensor a = x.detached().watch(), b = w.detached().watch();
    Tape tape;
    tape.backward(
        record("projection", {conv(a, b, plain)}, Tensor::zeros({1}, type), [&](const Tensor&) { return Grads{dy}; }));
    dx = a.grad(), dw = b.grad();
  }
  ConvProblem problem(Pass pass) const { return conv_problem(pass, x, w, y, options); }
};

Shape extents(i64 first, const std::array<i64, 3>& e, i64 channels) { return {first, e[0], e[1], e[2], channels}; }

// The packed convolution by the reference loops.
void expect_packed(const Wanted& want, const Packing& packing, DType type) {
  const ConvProblem p = want.problem(Pass::forward), n = packed_problem(p, packing);
  SCOPED_TRACE(to_text(packing) + " of the " + to_text(p));
  EXPECT_EQ(n.ins % 8, 0);
  const auto spatial = [](const std::array<i64, 3>& e) { return Shape{e[0], e[1], e[2]}; };
  const Tensor x = poisoned(extents(n.batch, n.in, n.ins), type), w = poisoned(extents(n.outs, n.kernel, n.ins), type);
  pack_input(p, packing, want.x, x);
  pack_weights(p, packing, want.w, w);
  const Tensor filters = w.detached().watch();
  const Window window{spatial(n.kernel), spatial(n.stride), {0, 0, 0}, {0, 0, 0}};
  ConvOptions options{.window = window, .bias = want.bias, .relu = true, .algorithm = Algorithm::reference};
  expect_close("y", numbers(conv(x, w, options)), numbers(want.y), tolerance(type));
  options.bias = Tensor(), options.relu = false;
  Tape tape;
  tape.backward(record("projection", {conv(x, filters, options)}, Tensor::zeros({1}, type),
                       [&](const Tensor&) { return Grads{want.dy.reshaped(extents(n.batch, n.out, n.outs))}; }));
  const Tensor dw = poisoned(want.w.shape(), type);
  unpack_weights(p, packing, filters.grad(), dw);
  expect_close("dw", numbers(dw), numbers(want.dw), tolerance(type));
}

void check_packings(DType type) {
  for (const Case& c : stems) {
    const Wanted want(c, type);
    const std::vector<Packing> all = packings(want.problem(Pass::forward));
    EXPECT_GE(all.size(), 2u) << to_text(want.problem(Pass::forward));
    for (const Packing& packing : all) expect_packed(want, packing, type);
  }
}

TEST(ConvPacking, is_the_same_convolution) {
  if (asks_the_cpu()) {
    const Use use(Device::cpu());
    check_packings(DType::f64);
    check_packings(DType::f32);
  }
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here: on the CPU alone";
  const Use use(Device::cuda());
  for (const DType type : {DType::f64, DType::f32, DType::bf16, DType::f16}) check_packings(type);
}

TEST(ConvPacking, covers_every_tap_once) {
  for (const auto way : {as_it_is, by_the_stride, by_odd_taps, whole})
    for (i64 k = 1; k <= 12; ++k)
      for (i64 s = 1; s <= 5; ++s) {
        const PackedAxis a = way(k, s);
        EXPECT_EQ(a.step * a.stride, s);
        for (i64 tap = 0; tap < k; ++tap) {
          EXPECT_EQ(a.tap(tap) * a.step + a.within(tap), tap) << "kernel " << k << " stride " << s;
          EXPECT_TRUE(a.tap(tap) < a.taps && a.within(tap) >= 0 && a.within(tap) < a.block)
              << "tap " << tap << " of kernel " << k << " stride " << s;
        }
      }
}

TEST(ConvPacking, is_for_stems_alone) {
  const Use use(Device::cpu());
  const auto count = [](const Case& c, Pass pass) {
    const Tensor x(c.x), w(c.w), y(output_shape(c.x, c.window, c.w[0]));
    return packings(conv_problem(pass, x, w, y, {.window = c.window, .groups = c.groups})).size();
  };
  EXPECT_EQ(count(stems[0], Pass::data), 0u);
  EXPECT_EQ(count(layers[0], Pass::forward), 0u);
  EXPECT_EQ(count({{1, 5, 5, 3}, {4, 1, 1, 3}, square(1)}, Pass::forward), 0u);
  EXPECT_EQ(count({{1, 5, 5, 4}, {4, 3, 3, 2}, square(3), 2}, Pass::forward), 0u);
}

// Names of packings find them again in a file, so no two of a problem may share one.
TEST(ConvPacking, has_a_name_of_its_own) {
  const Use use(Device::cpu());
  for (const Case& c : stems) {
    std::set<std::string> names;
    for (const Packing& p : packings(Wanted(c, DType::f32).problem(Pass::weights)))
      EXPECT_TRUE(names.insert(to_text(p)).second) << to_text(p);
  }
}

// What AlexNet's stem becomes (performance notes: 3×3 over 48 channels), and I3D's: odd along depth, 49 · 3 channels.
TEST(ConvPacking, of_the_nets_stems) {
  ConvProblem alexnet;
  alexnet.ins = 3, alexnet.outs = 96;
  alexnet.in = {1, 227, 227}, alexnet.out = {1, 55, 55}, alexnet.kernel = {1, 11, 11}, alexnet.stride = {1, 4, 4};
  const ConvProblem a = packed_problem(alexnet, packings(alexnet)[0]);
  EXPECT_EQ(a.ins, 48);
  EXPECT_EQ(a.kernel, (std::array<i64, 3>{1, 3, 3}));
  EXPECT_EQ(a.in, (std::array<i64, 3>{1, 57, 57}));
  EXPECT_TRUE(a.is_flat());
  alexnet.dtype = DType::bf16;
  EXPECT_TRUE(hopper::is_implicit(packed_problem(alexnet, packings(alexnet)[0])));
  alexnet.pass = Pass::weights;
  EXPECT_TRUE(hopper::is_implicit_weights(packed_problem(alexnet, packings(alexnet)[0])));
  ConvProblem i3d;
  i3d.ins = 3, i3d.outs = 64, i3d.in = {20, 224, 224}, i3d.out = {10, 112, 112}, i3d.kernel = {7, 7, 7};
  i3d.stride = {2, 2, 2}, i3d.low = {2, 2, 2}, i3d.high = {3, 3, 3};
  const ConvProblem b = packed_problem(i3d, packings(i3d)[0]);
  EXPECT_EQ(b.ins, 152);
  EXPECT_EQ(b.kernel, (std::array<i64, 3>{7, 1, 1}));
  EXPECT_EQ(b.stride, (std::array<i64, 3>{2, 1, 1}));
  EXPECT_EQ(b.in, (std::array<i64, 3>{25, 112, 112}));
}

TEST(Divisor, divides) {
  for (const i64 d : {1, 2, 3, 5, 7, 8, 19, 112, 641, 65535, 1 << 20, 2147483647})
    for (i64 n : {i64{0}, i64{1}, d - 1, d, d + 1, 7 * d - 1, 7 * d, i64{123456789}, i64{2147483646}, i64{2147483647}})
      if (n >= 0 && n < (i64{1} << 31)) {
        EXPECT_EQ(Divisor(d).of(static_cast<std::uint32_t>(n)), static_cast<std::uint32_t>(n / d)) << n << " / " << d;
      }
}

void expect_columns(const Wanted& want, DType type, i64 chunk) {
  ConvTensors t{want.x, want.w, poisoned(want.y.shape(), type), want.bias};
  conv_by_columns(want.problem(Pass::forward), t, chunk);
  expect_close("y", numbers(t.y), numbers(want.y), tolerance(type));
  t = {poisoned(want.x.shape(), type), want.w, want.dy, {}};
  conv_by_columns(want.problem(Pass::data), t, chunk);
  expect_close("dx", numbers(t.x), numbers(want.dx), tolerance(type));
  t = {want.x, poisoned(want.w.shape(), type), want.dy, {}};
  conv_by_columns(want.problem(Pass::weights), t, chunk);
  expect_close("dw", numbers(t.w), numbers(want.dw), tolerance(type));
}

void check_columns(DType type) {
  for (const std::vector<Case>* list : {&stems, &layers})
    for (const Case& c : *list) {
      const Wanted want(c, type);
      for (const i64 chunk : {i64{1} << 28, i64{20000}, i64{1}}) {
        if (chunk == 1 && (want.y.count() > 2000 || !asks_the_cpu())) continue;  // a product per row
        SCOPED_TRACE(to_text(want.problem(Pass::forward)) + " in chunks of " + to_text(chunk) + " bytes");
        expect_columns(want, type, chunk);
      }
    }
}

TEST(ConvColumns, are_the_same_convolution) {
  if (asks_the_cpu()) {
    const Use use(Device::cpu());
    for (const DType type : {DType::f64, DType::f32, DType::bf16}) check_columns(type);
  }
  if (gpu_count() == 0) GTEST_SKIP() << "no GPU here: on the CPU alone";
  const Use use(Device::cuda());
  for (const DType type : {DType::f64, DType::f32, DType::bf16, DType::f16})
    if (asks_the_cpu() || type == DType::bf16) check_columns(type);
}

TEST(ConvColumns, give_the_same_bits_every_time) {
  const Use use(gpu_count() ? Device::cuda() : Device::cpu());
  const Wanted want(stems[2], DType::f32);
  std::vector<Tensor> results;
  for (int i = 0; i < 2; ++i) {
    const ConvTensors t{want.x, poisoned(want.w.shape(), DType::f32), want.dy, {}};
    conv_by_columns(want.problem(Pass::weights), t, 20000);
    results.push_back(t.w);
  }
  EXPECT_TRUE(same_bits(results[0], results[1]));
}

}  // namespace
}  // namespace dactyl

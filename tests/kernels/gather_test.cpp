// A stem's packed input, number by number, where runs begin at any address and leave the picture on any side.
#include "kernels/conv_gather.h"

#include "kernels/conv_packing.h"
#include "tests/check_op.h"

namespace dactyl {
namespace {

struct Stem {
  Shape x;  // (batch, height, width, channels)
  std::array<i64, 2> kernel, stride, low;
  std::array<i64, 2> out;
};

// Runs of 12, 22, 33, 14, 12, 9, 20 and 8 numbers; padded, odd, and with windows that see nothing of the picture.
const std::vector<Stem> stems{
    {{2, 35, 31, 3}, {11, 11}, {4, 4}, {0, 0}, {7, 6}}, {{2, 19, 21, 2}, {11, 11}, {4, 11}, {2, 5}, {4, 3}},
    {{1, 21, 23, 3}, {11, 11}, {4, 4}, {2, 1}, {4, 5}}, {{2, 18, 21, 2}, {7, 7}, {2, 7}, {3, 3}, {9, 4}},
    {{3, 7, 9, 3}, {4, 4}, {4, 4}, {9, 9}, {6, 7}},     {{2, 9, 12, 1}, {9, 9}, {1, 1}, {4, 8}, {9, 17}},
    {{2, 8, 7, 4}, {5, 5}, {3, 2}, {1, 6}, {3, 8}},     {{1, 6, 6, 4}, {2, 2}, {2, 2}, {1, 1}, {4, 4}}};

ConvProblem problem(const Stem& s, DType type) {
  ConvProblem p;
  p.dtype = type;
  p.batch = s.x[0], p.in = {1, s.x[1], s.x[2]}, p.ins = s.x[3], p.outs = 1;
  p.kernel = {1, s.kernel[0], s.kernel[1]}, p.stride = {1, s.stride[0], s.stride[1]};
  p.low = {0, s.low[0], s.low[1]}, p.out = {1, s.out[0], s.out[1]};
  return p;
}

// The number of x that lies at a place of the packed tensor of one depth; 0 outside.
double wanted(const Stem& s, const Packing& packing, const std::vector<double>& x, i64 n, i64 y, i64 z, i64 number) {
  const PackedAxis &h = packing.axis[1], &w = packing.axis[2];
  const i64 channels = s.x[3], tap = number / channels;
  if (tap >= h.block * w.block) return 0;
  const i64 row = y * h.step - s.low[0] + tap / w.block, column = z * w.step - s.low[1] + tap % w.block;
  if (row < 0 || row >= s.x[1] || column < 0 || column >= s.x[2]) return 0;
  return x[static_cast<std::size_t>(((n * s.x[1] + row) * s.x[2] + column) * channels + number % channels)];
}

// x lies `shift` numbers behind the beginning of its memory, and NaN lies on both sides.
void expect_gathered(const Stem& s, const Packing& packing, DType type, i64 shift) {
  const ConvProblem p = problem(s, type), packed = packed_problem(p, packing);
  const i64 count = p.x_count();
  std::vector<float> around(static_cast<std::size_t>(count + 2 * shift + 2), NAN);
  Sequence sequence(test_seed(), 1);
  for (i64 i = shift; i < shift + count; ++i)
    around[static_cast<std::size_t>(i)] = static_cast<float>(2 * sequence.uniform() - 1);
  const Tensor memory = Tensor::from({count + 2 * shift + 2, 1}, around, type);
  const Tensor to = Tensor::full({p.batch * packed.in[1] * packed.in[2], packed.ins}, NAN, type);
  pack_input(p, packing, memory.rows(shift, count), to);
  const std::vector<double> x = numbers(memory.rows(shift, count));
  std::vector<double> want;
  for (i64 n = 0; n < p.batch; ++n)
    for (i64 y = 0; y < packed.in[1]; ++y)
      for (i64 z = 0; z < packed.in[2]; ++z)
        for (i64 i = 0; i < packed.ins; ++i) want.push_back(wanted(s, packing, x, n, y, z, i));
  EXPECT_EQ(numbers(to), want);
}

}  // namespace

TEST(ConvPacking, moves_every_number) {
  on_each_device([] {
    for (const Stem& s : stems)
      for (const DType type : {DType::f64, DType::f32, DType::bf16, DType::f16})
        for (const Packing& packing : packings(problem(s, type)))
          for (const i64 shift : {0, 1, 2, 3}) {
            SCOPED_TRACE(to_text(s.x) + " " + to_text(type) + " " + to_text(packing) + " from " + to_text(shift));
            expect_gathered(s, packing, type, shift);
          }
  });
}

// Every begin and end within the words.
TEST(ConvPacking, joins_two_runs) {
  const Tensor exact({23}, DType::bf16, Device::cpu());  // whose last number fills half of a word
  bf16* numbers = exact.data<bf16>();
  for (i64 i = 0; i < exact.count(); ++i) numbers[i] = bf16(static_cast<float>(i + 1));
  for (int first = 0; first <= 8; ++first)
    for (int end = 0; end <= 9; ++end)
      for (int until = 0; until <= 8; ++until)
        for (const int a : {0, 3, 8, 15})
          for (const int b : {0, 1, 6, 15}) {
            const detail::Run run(a, first, std::min(end, 8)), behind(b, end, until);
            const auto got = detail::of_two(numbers, run, behind, end);
            for (int e = 0; e < 8; ++e) {
              const float want = e < end ? (e >= first ? float(a + e + 1) : 0) : (e < until ? float(b + e + 1) : 0);
              ASSERT_EQ(float(got.v[e]), want) << first << " " << end << " " << until << " " << a << " " << b;
            }
          }
}

}  // namespace dactyl

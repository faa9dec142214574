// Tensor maps of an implicit product's operands. Extents are listed from the innermost on.
#include "kernels/hopper/tensor_map.h"

#ifdef __CUDACC__
#include "kernels/hopper/implicit_corners.h"

namespace dactyl::hopper {
namespace {

constexpr auto bf16_numbers = CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
constexpr auto apart = CU_TENSOR_MAP_INTERLEAVE_NONE;
constexpr auto swizzle = CU_TENSOR_MAP_SWIZZLE_128B;
constexpr auto promotion = CU_TENSOR_MAP_L2_PROMOTION_L2_256B;
constexpr auto zeros = CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE;

std::uint64_t unsigned_of(i64 n) { return static_cast<std::uint64_t>(n); }

// Pixels of so many channels, `pitch` numbers apart, by runs of the places between two corners.
CUtensorMap pixels_map(const void* x, int batch, const int (&extent)[3], i64 channels, i64 pitch, const Corners& box,
                       int places) {
  static const auto encode = function_of_driver<decltype(cuTensorMapEncodeIm2col)>("cuTensorMapEncodeIm2col");
  const i64 pixel = 2 * pitch, row = pixel * extent[2], frame = row * extent[1];
  const cuuint64_t extents[] = {unsigned_of(channels), unsigned_of(extent[2]), unsigned_of(extent[1]),
                                unsigned_of(extent[0]), unsigned_of(batch)};
  const cuuint64_t strides[] = {unsigned_of(pixel), unsigned_of(row), unsigned_of(frame),
                                unsigned_of(frame * extent[0])};
  const cuuint32_t steps[] = {1, 1, 1, 1, 1};
  CUtensorMap map{};
  check_driver(encode(&map, bf16_numbers, 5, const_cast<void*>(x), extents, strides, box.low, box.high, step_channels,
                      static_cast<cuuint32_t>(places), steps, apart, swizzle, promotion, zeros),
               "describing a convolution's pixels");
  return map;
}

}  // namespace

CUtensorMap input_map(const ImplicitShape& s, const void* x, int places) {
  return pixels_map(x, s.batch, s.in, i64{s.groups} * s.ins, s.from_pitch, input_corners(s), places);
}

CUtensorMap gradient_map(const ImplicitShape& s, const void* y, int places) {
  return pixels_map(y, s.batch, s.out, i64{s.groups} * s.outs, s.to_pitch, output_corners(s), places);
}

CUtensorMap filter_map(const ImplicitShape& s, const void* w, int columns) {
  static const auto encode = function_of_driver<decltype(cuTensorMapEncodeTiled)>("cuTensorMapEncodeTiled");
  const i64 tap = i64{2} * s.ins;
  const cuuint64_t extents[] = {unsigned_of(s.ins), unsigned_of(s.taps()), unsigned_of(i64{s.groups} * s.outs)};
  const cuuint64_t strides[] = {unsigned_of(tap), unsigned_of(tap * s.taps())};
  const cuuint32_t box[] = {step_channels, 1, static_cast<cuuint32_t>(columns)}, steps[] = {1, 1, 1};
  CUtensorMap map{};
  check_driver(encode(&map, bf16_numbers, 3, const_cast<void*>(w), extents, strides, box, steps, apart, swizzle,
                      promotion, zeros),
               "describing a convolution's filter");
  return map;
}

}  // namespace dactyl::hopper
#endif

// Where the numbers of x and w go when neighbours become channels, and which packings are tried.
#include "kernels/conv_packing.h"

#include <algorithm>

#include "kernels/conv_gather.h"

namespace dactyl {
namespace {

constexpr i64 few_channels = 4, most_packed = i64{4} << 30;  // bytes

Gather gather_of(const ConvProblem& p, const Packing& packing) {
  Gather g;
  for (std::size_t i = 0; i < 3; ++i) {
    const PackedAxis& a = packing.axis[i];
    g.axis[i] = {static_cast<int>(p.in[i]), static_cast<int>((p.out[i] - 1) * a.stride + a.taps),
                 static_cast<int>(a.block), static_cast<int>(a.step), static_cast<int>(-p.low[i])};
  }
  g.channels = g.pitch = static_cast<int>(p.ins);
  g.width = static_cast<int>(up_to_eight(g.taps() * p.ins));
  return g;
}

// Place of w[o, k, c] among the packed weights, and which of w's numbers lies at a packed place.
struct WeightPlaces {
  PackedAxis axis[3];
  i64 kernel[3], ins, width;

  WeightPlaces(const ConvProblem& p, const Packing& packing)
      : ins(p.ins), width(up_to_eight(p.ins * packing.axis[0].block * packing.axis[1].block * packing.axis[2].block)) {
    for (std::size_t i = 0; i < 3; ++i) axis[i] = packing.axis[i], kernel[i] = p.kernel[i];
  }
  HD i64 taps() const { return axis[0].taps * axis[1].taps * axis[2].taps; }
  HD i64 taps_before() const { return kernel[0] * kernel[1] * kernel[2]; }

  HD i64 packed(i64 o, i64 tap, i64 c) const {
    const i64 k[3] = {tap / (kernel[1] * kernel[2]), tap / kernel[2] % kernel[1], tap % kernel[2]};
    i64 q = 0, a = 0;
    for (int i = 0; i < 3; ++i) {
      q = q * axis[i].taps + axis[i].tap(k[i]);
      a = a * axis[i].block + axis[i].within(k[i]);
    }
    return (o * taps() + q) * width + a * ins + c;
  }
  // −1: a zero. `tap` and `channel` are packed ones.
  HD i64 original(i64 o, i64 tap, i64 channel) const {
    const i64 q[3] = {tap / (axis[1].taps * axis[2].taps), tap / axis[2].taps % axis[1].taps, tap % axis[2].taps};
    const i64 b = channel / ins, h = axis[1].block, w = axis[2].block;
    const i64 a[3] = {b / (h * w), b / w % h, b % w};
    if (a[0] >= axis[0].block) return -1;
    i64 before = 0;
    for (int i = 0; i < 3; ++i) {
      const i64 k = q[i] * axis[i].step + a[i];
      if (k >= kernel[i] || axis[i].tap(k) != q[i]) return -1;
      before = before * kernel[i] + k;
    }
    return (o * taps_before() + before) * ins + channel % ins;
  }
};

template <class T>
void pack_typed(WeightPlaces at, i64 outs, const Tensor& from, const Tensor& to) {
  const T* w = from.data<T>();
  T* packed = to.data<T>();
  const i64 taps = at.taps();
  each(to.device(), outs * taps * at.width, [=] HD(i64 i) {
    const i64 source = at.original(i / (taps * at.width), i / at.width % taps, i % at.width);
    packed[i] = source < 0 ? T(compute_t<T>(0)) : w[source];
  });
}

template <class T>
void unpack_typed(WeightPlaces at, i64 outs, const Tensor& from, const Tensor& to) {
  const T* packed = from.data<T>();
  T* w = to.data<T>();
  const i64 taps = at.taps_before();
  each(to.device(), outs * taps * at.ins,
       [=] HD(i64 i) { w[i] = packed[at.packed(i / (taps * at.ins), i / at.ins % taps, i % at.ins)]; });
}

bool fits(const ConvProblem& p, const Packing& packing) {
  const ConvProblem packed = packed_problem(p, packing);
  return can_gather(gather_of(p, packing), p.batch) && packed.x_count() * size_of(p.dtype) <= most_packed;
}

using Way = PackedAxis (*)(i64, i64);

// Depth, height, width. In 3-D cuDNN's fast engines want odd kernels, hence the mixtures.
std::vector<std::array<Way, 3>> ways(const ConvProblem& p) {
  if (p.kernel[0] == 1)
    return {{whole, by_the_stride, by_the_stride},
            {whole, as_it_is, whole},
            {whole, by_the_stride, whole},
            {whole, as_it_is, as_it_is}};
  return {{as_it_is, whole, whole},
          {as_it_is, by_odd_taps, whole},
          {as_it_is, as_it_is, whole},
          {by_odd_taps, by_odd_taps, whole},
          {by_the_stride, by_the_stride, by_the_stride}};
}

}  // namespace

PackedAxis as_it_is(i64 k, i64 s) { return {1, 1, k, s}; }
PackedAxis by_the_stride(i64 k, i64 s) { return {std::min(k, s), s, (k + s - 1) / s, 1}; }
PackedAxis by_odd_taps(i64 k, i64 s) {
  const i64 taps = (k + s - 1) / s, odd = taps % 2 ? taps : taps - 1;
  return {odd == 1 ? k : std::max(s, k - (odd - 1) * s), s, odd, 1};
}
PackedAxis whole(i64 k, i64 s) { return {k, s, 1, 1}; }

std::vector<Packing> packings(const ConvProblem& p) {
  std::vector<Packing> found;
  if (p.pass == Pass::data || p.groups != 1 || p.ins > few_channels || p.taps() == 1) return found;
  for (const auto& way : ways(p)) {
    Packing packing;
    for (std::size_t i = 0; i < 3; ++i) packing.axis[i] = way[i](p.kernel[i], p.stride[i]);
    if (fits(p, packing) && std::find(found.begin(), found.end(), packing) == found.end()) found.push_back(packing);
  }
  return found;
}

std::string to_text(const Packing& packing) {
  std::string text = "packed";
  for (const PackedAxis& a : packing.axis) text += " " + to_text(a.block) + "/" + to_text(a.step);
  return text;
}

ConvProblem packed_problem(const ConvProblem& p, const Packing& packing) {
  const Gather g = gather_of(p, packing);
  ConvProblem packed = p;
  for (std::size_t i = 0; i < 3; ++i) {
    packed.in[i] = g.axis[i].places;
    packed.kernel[i] = packing.axis[i].taps;
    packed.stride[i] = packing.axis[i].stride;
  }
  packed.low = packed.high = {};
  packed.ins = g.width;
  packed.alignment[0] = packed.alignment[1] = 16;
  return packed;
}

void pack_input(const ConvProblem& p, const Packing& packing, const Tensor& x, const Tensor& packed) {
  const Gather g = gather_of(p, packing);
  with_float(p.dtype,
             [&]<class T>() { gather<T>(packed.device(), g, 0, p.batch * g.places(), x.data<T>(), packed.data<T>()); });
}

void pack_weights(const ConvProblem& p, const Packing& packing, const Tensor& w, const Tensor& packed) {
  with_float(p.dtype, [&]<class T>() { pack_typed<T>(WeightPlaces(p, packing), p.outs, w, packed); });
}

void unpack_weights(const ConvProblem& p, const Packing& packing, const Tensor& packed, const Tensor& w) {
  with_float(p.dtype, [&]<class T>() { unpack_typed<T>(WeightPlaces(p, packing), p.outs, packed, w); });
}

}  // namespace dactyl

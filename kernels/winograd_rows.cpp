// Sixteen channels at a time; the last ones overlap those before, so that any number from sixteen on will do.
#include "kernels/winograd_rows.h"

#include <algorithm>

#include "kernels/winograd_others.h"

namespace dactyl {
namespace {

// Pixels become planes.
template <class Step>
[[gnu::always_inline]] inline void spread(const float* const* x, i64 channels, float* planes, i64 plane) {
  for (i64 i = 0; i < channels; i += lanes) {
    const i64 c = i + lanes > channels ? channels - lanes : i;
    Lanes pixels[Step::from * Step::from], result[Step::to * Step::to];
    for (int p = 0; p < Step::from * Step::from; ++p) pixels[p] = at(x[p] + c);
    square<Step>(pixels, result);
    for (int p = 0; p < Step::to * Step::to; ++p) at(planes + p * plane + c) = result[p];
  }
}

template <class P>
[[gnu::always_inline]] inline void output(const float* planes, i64 plane, i64 channels, const float* bias, bool relu,
                                          float* const* y) {
  for (i64 i = 0; i < channels; i += lanes) {
    const i64 c = i + lanes > channels ? channels - lanes : i;
    Lanes sums[P::in * P::in], result[P::out * P::out];
    for (int p = 0; p < P::in * P::in; ++p) sums[p] = at(planes + p * plane + c);
    square<typename P::Output>(sums, result);
    for (int p = 0; p < P::out * P::out; ++p) {
      const Lanes z = bias ? result[p] + at(bias + c) : result[p];
      at(y[p] + c) = relu ? (z < 0 ? Lanes{} : z) : z;
    }
  }
}

template <class P>
[[gnu::always_inline]] inline void filter(const float* w, i64 tap, i64 step, i64 outputs, float* planes, i64 plane) {
  Lanes taps[P::taps * P::taps] = {}, result[P::in * P::in];
  for (int t = 0; t < P::taps * P::taps; ++t)
    for (i64 o = 0; o < outputs; ++o) taps[t][o] = w[t * tap + o * step];
  square<typename P::Filter>(taps, result);
  for (int p = 0; p < P::in * P::in; ++p) at(planes + p * plane) = result[p];
}

template <class P>
[[gnu::always_inline]] inline void filter_gradient(const float* planes, i64 plane, i64 channels, float* dw, i64 tap) {
  for (i64 i = 0; i < channels; i += lanes) {
    const i64 c = i + lanes > channels ? channels - lanes : i;
    Lanes sums[P::in * P::in], result[P::taps * P::taps];
    for (int p = 0; p < P::in * P::in; ++p) sums[p] = at(planes + p * plane + c);
    square<typename P::FilterGradient>(sums, result);
    for (int t = 0; t < P::taps * P::taps; ++t) at(dw + t * tap + c) = result[t];
  }
}

}  // namespace

VERSIONS void transform_input(Points points, const float* const* x, i64 channels, float* planes, i64 plane) {
  if (points == Points::four) return spread<FourOutputs::Input>(x, channels, planes, plane);
  if (points == Points::two) return spread<TwoOutputs::Input>(x, channels, planes, plane);
  spread<FiveTaps::Input>(x, channels, planes, plane);
}

VERSIONS void transform_output(Points points, const float* planes, i64 plane, i64 channels, const float* bias,
                               bool relu, float* const* y) {
  if (points == Points::four) return output<FourOutputs>(planes, plane, channels, bias, relu, y);
  if (points == Points::two) return output<TwoOutputs>(planes, plane, channels, bias, relu, y);
  output<FiveTaps>(planes, plane, channels, bias, relu, y);
}

VERSIONS void transform_output_gradient(Points points, const float* const* dy, i64 channels, float* planes, i64 plane) {
  if (points == Points::four) return spread<FourOutputs::OutputGradient>(dy, channels, planes, plane);
  if (points == Points::two) return spread<TwoOutputs::OutputGradient>(dy, channels, planes, plane);
  spread<FiveTaps::OutputGradient>(dy, channels, planes, plane);
}

VERSIONS void transform_filter(Points points, const float* w, i64 tap, i64 step, i64 outputs, float* planes,
                               i64 plane) {
  if (points == Points::four) return filter<FourOutputs>(w, tap, step, outputs, planes, plane);
  if (points == Points::two) return filter<TwoOutputs>(w, tap, step, outputs, planes, plane);
  filter<FiveTaps>(w, tap, step, outputs, planes, plane);
}

VERSIONS void transform_filter_gradient(Points points, const float* planes, i64 plane, i64 channels, float* dw,
                                        i64 tap) {
  if (points == Points::four) return filter_gradient<FourOutputs>(planes, plane, channels, dw, tap);
  if (points == Points::two) return filter_gradient<TwoOutputs>(planes, plane, channels, dw, tap);
  filter_gradient<FiveTaps>(planes, plane, channels, dw, tap);
}

}  // namespace dactyl

// Transform the tiles, multiply plane by plane, transform back: block after block, with all threads in each of the
// three.
#include "kernels/winograd.h"

#include "kernels/kept.h"
#include "kernels/winograd_grid.h"

namespace dactyl {
namespace {

constexpr int most_pixels = 36;

// Where a filter's numbers lie: those of output o, input i, depth d and tap t are at
// w[o·output + i·input + d·depth + t·tap].
struct Filters {
  const float* w;
  i64 output, input, depth, tap;
};

// Planes of panels of up to 64 outputs; a panel has a row for every (depth, input).
void transform_filters(const WinogradGrid& t, const Filters& f, float* to) {
  const i64 steps = t.steps();
#pragma omp parallel for collapse(2) schedule(static)
  for (i64 panel = 0; panel < t.row_out(); panel += panel_width)
    for (i64 k = 0; k < steps; ++k) {
      const i64 width = std::min(panel_width, t.row_out() - panel);
      const float* w = f.w + k / t.in * f.depth + k % t.in * f.input;
      float* row = to + steps * panel + k * width;
      for (i64 o = 0; o < width; o += lanes)
        transform_filter(t.points, w + (panel + o) * f.output, f.tap, f.output, std::min<i64>(lanes, t.out - panel - o),
                         row + o, t.plane_filters());
    }
}

// The functions below share their loops among the threads of the region that calls them.

// The addresses of pixels of the block's rows, given to f with the row.
template <class T, class F>
void each_row_of(const WinogradBlock& b, i64 depths, i64 before_depth, const PixelsOf<T>& from, const F& f) {
#pragma omp for schedule(static)
  for (i64 row = 0; row < depths * b.count; ++row) {
    T* pixels[most_pixels];
    b.grid.pixels(from, b.first + row % b.count, row / b.count - before_depth, pixels);
    f(row, pixels);
  }
}

void input_planes(const WinogradBlock& b, const PixelsOf<const float>& x, float* planes) {
  const WinogradGrid& t = b.grid;
  each_row_of(b, t.depths_in(), t.g.low[0], x, [&](i64 row, const float* const* pixels) {
    transform_input(t.points, pixels, t.in, planes + row * t.row_in(), b.plane_in());
  });
}

void output_gradient_planes(const WinogradBlock& b, const PixelsOf<const float>& dy, float* planes) {
  const WinogradGrid& t = b.grid;
  each_row_of(b, t.g.out[0], 0, dy, [&](i64 row, const float* const* pixels) {
    transform_output_gradient(t.points, pixels, t.out, planes + row * t.row_out(), b.plane_out());
  });
}

void outputs(const WinogradBlock& b, const float* planes, const float* bias, bool relu, const PixelsOf<float>& y) {
  const WinogradGrid& t = b.grid;
  each_row_of(b, t.g.out[0], 0, y, [&](i64 row, float* const* pixels) {
    transform_output(t.points, planes + row * t.row_out(), b.plane_out(), t.out, bias, relu, pixels);
  });
}

// Every plane's tiles times its filters; a tap in depth lies as many rows further as the block has tiles.
void multiply_forward(const WinogradBlock& b, const float* tiles, const float* filters, float* sums) {
  const WinogradGrid& t = b.grid;
  const i64 panels = (t.row_out() + panel_width - 1) / panel_width, all = t.planes() * panels;
  const auto panel_of = [&](i64 i) {
    return filters + i / panels * t.plane_filters() + t.steps() * (i % panels * panel_width);
  };
#pragma omp for schedule(static)
  for (i64 i = 0; i < all; ++i) {
    const i64 plane = i / panels, o = i % panels * panel_width, width = std::min(panel_width, t.row_out() - o);
    multiply({.a = tiles + plane * b.plane_in(),
              .a_row = t.row_in(),
              .a_step = 1,
              .a_tap = b.count * t.row_in(),
              .b = panel_of(i),
              .b_step = width,
              .c = sums + plane * b.plane_out() + o,
              .c_row = t.row_out(),
              .rows = t.g.out[0] * b.count,
              .taps = t.g.kernel[0],
              .steps = t.in,
              .next = i + 1 < all ? panel_of(i + 1) : nullptr},
             static_cast<int>(width / lanes));
  }
}

// The filters' gradients, planes of (depth, output, input): over all rows, output gradients times tiles.
void multiply_gradients(const WinogradBlock& b, const float* tiles, const float* gradients, float* sums) {
  const WinogradGrid& t = b.grid;
  const i64 panels = (t.row_in() + panel_width - 1) / panel_width, depths = t.g.kernel[0];
#pragma omp for schedule(static)
  for (i64 i = 0; i < t.planes() * depths * panels; ++i) {
    const i64 matrix = i / panels, plane = matrix / depths, depth = matrix % depths, c = i % panels * panel_width;
    multiply({.a = gradients + plane * b.plane_out(),
              .a_row = 1,
              .a_step = t.row_out(),
              .a_tap = 0,
              .b = tiles + plane * b.plane_in() + depth * b.count * t.row_in() + c,
              .b_step = t.row_in(),
              .c = sums + matrix * t.out * t.row_in() + c,
              .c_row = t.row_in(),
              .rows = t.out,
              .taps = 1,
              .steps = t.g.out[0] * b.count,
              .add = b.first > 0},
             static_cast<int>(std::min(panel_width, t.row_in() - c) / lanes));
  }
}

Tensor room(i64 numbers) { return Tensor({numbers}, DType::f32, Device::cpu()); }

// One group: y from x and transformed filters. Bias and relu at the end.
void convolve(const WinogradGrid& t, const PixelsOf<const float>& x, const float* filters, const float* bias, bool relu,
              const PixelsOf<float>& y) {
  const WinogradBlock most{t, 0, t.block()};
  const Tensor tiles = room(t.planes() * most.plane_in()), sums = room(t.planes() * most.plane_out());
#pragma omp parallel
  for (i64 first = 0; first < t.tiles(); first += most.count) {
    const WinogradBlock b{t, first, std::min(most.count, t.tiles() - first)};
    input_planes(b, x, tiles.data<float>());
    multiply_forward(b, tiles.data<float>(), filters, sums.data<float>());
    outputs(b, sums.data<float>(), bias, relu, y);
  }
}

// The gradients of one group's filters, (O, depth, taps, taps, I).
void correlate(const WinogradGrid& t, const PixelsOf<const float>& x, const PixelsOf<const float>& dy, float* dw) {
  const WinogradBlock most{t, 0, t.long_block()};
  const i64 depths = t.g.kernel[0], matrix = t.out * t.row_in();
  const Tensor tiles = room(t.planes() * most.plane_in()), gradients = room(t.planes() * most.plane_out());
  const Tensor sums = room(t.planes() * depths * matrix);
#pragma omp parallel
  {
    for (i64 first = 0; first < t.tiles(); first += most.count) {
      const WinogradBlock b{t, first, std::min(most.count, t.tiles() - first)};
      input_planes(b, x, tiles.data<float>());
      output_gradient_planes(b, dy, gradients.data<float>());
      multiply_gradients(b, tiles.data<float>(), gradients.data<float>(), sums.data<float>());
    }
#pragma omp for schedule(static)
    for (i64 i = 0; i < t.out * depths; ++i)  // (output, depth)
      transform_filter_gradient(t.points, sums.data<float>() + i % depths * matrix + i / depths * t.row_in(),
                                depths * matrix, t.in, dw + i * t.taps() * t.in, t.in);
  }
}

// How long a convolution takes, in products per pair of channels: the products, the transforms of both sides, and the
// filters, which are either only read or transformed first: nine and 24, of which the nine was tried against three and
// five (kernels/README.md).
double cost(const WinogradGrid& t, bool kept) {
  const double rows = static_cast<double>(t.tiles() * t.g.out[0] * t.g.kernel[0]);
  const double sides = 24.0 / static_cast<double>(t.in) + 24.0 / static_cast<double>(t.out);
  return static_cast<double>(t.planes()) * (rows + rows * sides / static_cast<double>(t.g.kernel[0]) +
                                            static_cast<double>(t.g.kernel[0]) * (kept ? 9 : 24));
}

WinogradGrid grid(const Geometry& g, const Shape& w, i64 groups, bool kept) {
  const i64 in = w.channels(), out = w[0] / groups;
  if (g.kernel[2] == taps_of(Points::five_taps)) return {g, Points::five_taps, in, out};
  const WinogradGrid two(g, Points::two, in, out), four(g, Points::four, in, out);
  return cost(two, kept) < cost(four, kept) ? two : four;
}

// The geometry of the way back: dy is the input, its windows are mirrored.
Geometry mirrored(Geometry g, i64 channels) {
  std::swap(g.in, g.out);
  g.channels = channels;
  for (int i = 0; i < 3; ++i) g.low[i] = g.kernel[i] - 1 - g.low[i];
  return g;
}

constexpr i64 nowhere[3] = {0, 0, 0};

// y of x, group by group.
void run(const WinogradGrid& t, i64 groups, const Tensor& x, const Tensor& filters, const float* bias, bool relu,
         const Tensor& y) {
  std::vector<float> zeros(static_cast<std::size_t>(t.in)), lost(static_cast<std::size_t>(t.out));
  for (i64 group = 0; group < groups; ++group)
    convolve(t, {x.data<float>() + group * t.in, x.pitch(), t.g.in, t.g.low, inputs_of(t.points), zeros.data()},
             filters.data<float>() + group * t.filter_numbers(), bias ? bias + group * t.out : nullptr, relu,
             {y.data<float>() + group * t.out, y.pitch(), t.g.out, nowhere, outputs_of(t.points), lost.data()});
}

// The filters of all groups, as they are or for the way back: inputs become outputs and every tap its mirror image.
Tensor transformed(const WinogradGrid& t, const Tensor& w, i64 groups, bool mirror) {
  const i64 channels = w.shape().channels(), depths = t.g.kernel[0], slice = t.taps() * channels,
            filter = depths * slice;
  const Tensor all = room(groups * t.filter_numbers());
  for (i64 group = 0; group < groups; ++group) {
    const float* first = w.data<float>() + group * w.count() / groups;
    const Filters f = mirror ? Filters{first + filter - channels, 1, filter, -slice, -channels}
                             : Filters{first, filter, 1, slice, channels};
    transform_filters(t, f, all.data<float>() + group * t.filter_numbers());
  }
  return all;
}

}  // namespace

bool winograd_pays(const Shape& x, const Shape& y, const Shape& w, const ConvOptions& o, bool kept) {
  const Geometry g = geometry(x, y, o.window);
  const bool window = x.rank() >= 4 && g.kernel[1] == g.kernel[2] && (g.kernel[2] == 3 || g.kernel[2] == 5) &&
                      g.stride[0] == 1 && g.stride[1] == 1 && g.stride[2] == 1;
  if (!window || w.channels() < lanes || w[0] / o.groups < lanes || !wide_registers()) return false;
  return cost(grid(g, w, o.groups, kept), kept) < static_cast<double>(g.taps() * g.rows_out());
}

void winograd_forward(const Tensor& x, const Tensor& w, const ConvOptions& o, const Tensor& y, bool keep) {
  static thread_local Kept<Points> all;
  const WinogradGrid t = grid(geometry(x.shape(), y.shape(), o.window), w.shape(), o.groups, keep);
  const auto make = [&] { return transformed(t, w, o.groups, false); };
  run(t, o.groups, x, keep ? all.get(w, t.points, make) : make(), o.bias.defined() ? o.bias.data<float>() : nullptr,
      o.relu, y);
}

void winograd_backward_data(const Tensor& dy, const Tensor& w, const ConvOptions& o, const Tensor& dx) {
  const WinogradGrid ahead = grid(geometry(dx.shape(), dy.shape(), o.window), w.shape(), o.groups, false);
  const WinogradGrid t(mirrored(ahead.g, dy.shape().channels()), ahead.points, ahead.out, ahead.in);
  run(t, o.groups, dy, transformed(t, w, o.groups, true), nullptr, false, dx);
}

void winograd_backward_weights(const Tensor& dy, const Tensor& x, const ConvOptions& o, const Tensor& dw) {
  const WinogradGrid t = grid(geometry(x.shape(), dy.shape(), o.window), dw.shape(), o.groups, false);
  const std::vector<float> zeros(static_cast<std::size_t>(std::max(t.in, t.out)));
  for (i64 group = 0; group < o.groups; ++group)
    correlate(t, {x.data<float>() + group * t.in, x.pitch(), t.g.in, t.g.low, inputs_of(t.points), zeros.data()},
              {dy.data<float>() + group * t.out, dy.pitch(), t.g.out, nowhere, outputs_of(t.points), zeros.data()},
              dw.data<float>() + group * dw.count() / o.groups);
}

}  // namespace dactyl

// Blocks of rows by panels of 64 columns; each number is summed up by one thread in one order.
#include "kernels/pointwise.h"

#include <omp.h>

#include "kernels/kept.h"
#include "kernels/product.h"

namespace dactyl {
namespace {

// `rows` cut into nearly equal blocks of about `most`, as many for each thread.
struct Blocks {
  i64 rows, count;

  Blocks(i64 n, i64 most) : rows(n) {
    const i64 threads = omp_get_max_threads(), wanted = (n + most - 1) / most;
    count = std::min(n, (wanted + threads - 1) / threads * threads);
  }
  i64 first(i64 i) const { return i * rows / count; }
};

// p's first block and panel stand for all of them: c of `columns` columns, whose panels lie b_panel apart in b.
void multiply_all(const Product& p, i64 columns, i64 b_panel) {
  constexpr i64 most_rows = 48;
  const Blocks blocks(p.rows, most_rows);
  const i64 panels = (columns + panel_width - 1) / panel_width;
#pragma omp parallel for collapse(2) schedule(static)
  for (i64 i = 0; i < blocks.count; ++i)
    for (i64 panel = 0; panel < panels; ++panel) {
      const i64 r = blocks.first(i), o = panel * panel_width, width = std::min(panel_width, columns - o);
      Product part = p;
      part.a += r * p.a_row;
      part.b += panel * b_panel;
      if (p.b_step == 0) part.b_step = width;
      if (panels > 1) part.next = p.b + (panel + 1) % panels * b_panel;
      part.c += r * p.c_row + o;
      part.rows = blocks.first(i + 1) - r;
      if (p.bias) part.bias += o;
      multiply(part, static_cast<int>(width / lanes));
    }
}

// Filters (O, I) as panels of up to 64 outputs, in each a row for every input.
Tensor panels_of(const Tensor& w) {
  const i64 out = w.shape()[0], in = w.shape().channels();
  const Tensor packed({out * in}, DType::f32, Device::cpu());
  const float* from = w.data<float>();
  float* to = packed.data<float>();
#pragma omp parallel for schedule(static) if (out * in >= 65536)
  for (i64 o = 0; o < out; o += lanes) {
    const i64 panel = o / panel_width * panel_width, width = std::min(panel_width, out - panel);
    for (i64 k = 0; k < in; ++k)
      for (i64 j = 0; j < lanes; ++j) to[panel * in + k * width + o - panel + j] = from[(o + j) * in + k];
  }
  return packed;
}

struct Panels {  // the one layout there is
  bool operator==(const Panels&) const = default;
};

}  // namespace

bool pointwise_fits(const Shape& x, const Shape& y, const Shape& w, const ConvOptions& o) {
  return w.count() == w[0] * w.channels() && o.groups == 1 && w[0] % lanes == 0 && w.channels() % lanes == 0 &&
         o.window.stride.count() == 1 && x.rows() == y.rows() && wide_registers();
}

void pointwise_forward(const Tensor& x, const Tensor& w, const ConvOptions& o, const Tensor& y, bool keep) {
  static thread_local Kept<Panels> all;
  const i64 in = w.shape().channels(), out = w.shape()[0];
  const Tensor filters = keep ? all.get(w, {}, [&] { return panels_of(w); }) : panels_of(w);
  multiply_all({.a = x.data<float>(),
                .a_row = x.pitch(),
                .a_step = 1,
                .a_tap = 0,
                .b = filters.data<float>(),
                .b_step = 0,
                .c = y.data<float>(),
                .c_row = y.pitch(),
                .rows = x.shape().rows(),
                .taps = 1,
                .steps = in,
                .bias = o.bias.defined() ? o.bias.data<float>() : nullptr,
                .relu = o.relu},
               out, panel_width * in);
}

void pointwise_backward_data(const Tensor& dy, const Tensor& w, const Tensor& dx) {
  const i64 in = w.shape().channels(), out = w.shape()[0];
  multiply_all({.a = dy.data<float>(),
                .a_row = dy.pitch(),
                .a_step = 1,
                .a_tap = 0,
                .b = w.data<float>(),
                .b_step = in,
                .c = dx.data<float>(),
                .c_row = in,
                .rows = dx.shape().rows(),
                .taps = 1,
                .steps = out},
               in, panel_width);
}

void pointwise_backward_weights(const Tensor& dy, const Tensor& x, const Tensor& dw) {
  constexpr i64 most_steps = 256;  // what of both sides stays near a core
  const i64 in = dw.shape().channels(), out = dw.shape()[0], rows = x.shape().rows();
  for (i64 first = 0; first < rows; first += most_steps)
    multiply_all({.a = dy.data<float>() + first * dy.pitch(),
                  .a_row = 1,
                  .a_step = dy.pitch(),
                  .a_tap = 0,
                  .b = x.data<float>() + first * x.pitch(),
                  .b_step = x.pitch(),
                  .c = dw.data<float>(),
                  .c_row = in,
                  .rows = out,
                  .taps = 1,
                  .steps = std::min(most_steps, rows - first),
                  .add = first > 0},
                 in, panel_width);
}

}  // namespace dactyl

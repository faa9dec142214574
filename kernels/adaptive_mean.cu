// Mean over windows that divide the input into a fixed number of cells, overlapping where it does not divide evenly.
#include "engine/each.h"
#include "kernels/ops.h"

namespace dactyl {
namespace {

struct Cells {
  i64 in, out;
  HD i64 begin(i64 i) const { return i * in / out; }
  HD i64 end(i64 i) const { return ((i + 1) * in + out - 1) / out; }
  HD i64 first_over(i64 p) const { return p * out / in; }  // the first cell that may cover position p
};

template <class T>
void forward(Device device, i64 n, Cells rows, Cells columns, i64 channels, const T* x, T* y) {
  using C = compute_t<T>;
  each(device, n * rows.out * columns.out * channels, [=] HD(i64 i) {
    const i64 c = i % channels, w = i / channels % columns.out, h = i / channels / columns.out % rows.out;
    const T* image = x + i / (channels * columns.out * rows.out) * rows.in * columns.in * channels + c;
    C sum = 0;
    for (i64 a = rows.begin(h); a < rows.end(h); ++a)
      for (i64 b = columns.begin(w); b < columns.end(w); ++b) sum += C(image[(a * columns.in + b) * channels]);
    y[i] = T(sum / C((rows.end(h) - rows.begin(h)) * (columns.end(w) - columns.begin(w))));
  });
}

template <class T>
void backward(Device device, i64 n, Cells rows, Cells columns, i64 channels, const T* dy, T* dx) {
  using C = compute_t<T>;
  each(device, n * rows.in * columns.in * channels, [=] HD(i64 i) {
    const i64 c = i % channels, b = i / channels % columns.in, a = i / channels / columns.in % rows.in;
    const T* image = dy + i / (channels * columns.in * rows.in) * rows.out * columns.out * channels + c;
    C sum = 0;
    for (i64 h = rows.first_over(a) > 0 ? rows.first_over(a) - 1 : 0; h < rows.out && rows.begin(h) <= a; ++h)
      for (i64 w = columns.first_over(b) > 0 ? columns.first_over(b) - 1 : 0; w < columns.out && columns.begin(w) <= b;
           ++w)
        if (a < rows.end(h) && b < columns.end(w))
          sum += C(image[(h * columns.out + w) * channels]) /
                 C((rows.end(h) - rows.begin(h)) * (columns.end(w) - columns.begin(w)));
    dx[i] = T(sum);
  });
}

}  // namespace

Tensor adaptive_mean(const Tensor& input, i64 height, i64 width) {
  const Tensor x = input.dense();
  check(x.shape().rank() == 4 && x.shape()[1] > 0 && x.shape()[2] > 0 && height > 0 && width > 0,
        "adaptive_mean: x {} into {} × {} cells; (N, H, W, C) and positive sizes are needed", x.shape(), height, width);
  const Shape shape = x.shape();
  const Cells rows{shape[1], height}, columns{shape[2], width};
  Tensor y({shape[0], height, width, shape[3]}, x.dtype(), x.device());
  with_float(x.dtype(),
             [&]<class T>() { forward<T>(x.device(), shape[0], rows, columns, shape[3], x.data<T>(), y.data<T>()); });
  return record("adaptive_mean", {input}, y, [shape, rows, columns](const Tensor& gradient) {
    const Tensor dy = gradient.dense();
    Tensor dx(shape, dy.dtype(), dy.device());
    with_float(dy.dtype(), [&]<class T>() {
      backward<T>(dy.device(), shape[0], rows, columns, shape[3], dy.data<T>(), dx.data<T>());
    });
    return Grads{dx};
  });
}

}  // namespace dactyl

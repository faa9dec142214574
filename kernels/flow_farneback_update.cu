// One iteration of Farnebäck's flow: normal equations of every pixel, summed over a window, solved. Section 4 of the
// paper.
#include "engine/each.h"
#include "kernels/fast/flow_farneback.h"
#include "kernels/flow_farneback_rows.h"

namespace dactyl::farneback {
namespace {

template <class T>
void equations_each(Device device, i64 rows, i64 height, i64 width, const T* first, const T* second, const T* flow,
                    T* m) {
  each_row(device, rows, width, [=] HD(i64 r, i64 x) {
    const i64 n = r / height, y = r % height, plane = height * width, at = n * coefficients * plane;
    const T u = flow[2 * (r * width + x)], v = flow[2 * (r * width + x) + 1];
    T a[coefficients], b[coefficients], k[coefficients];
    for (int i = 0; i < coefficients; ++i) a[i] = first[at + i * plane + y * width + x];
    moved_polynomial(first + at, second + at, plane, height, width, y, x, u, v, b);
    normal_equations<T>(a, b, u, v, trust(x, width) * trust(y, height), k);
    for (int i = 0; i < coefficients; ++i) m[at + i * plane + y * width + x] = k[i];
  });
}

// Column sums: a strip of a column per body, so that equal weights need two numbers per sum, not all of the window's.
template <class T>
void columns_each(const WindowSum& w, Device device, i64 planes, i64 height, i64 width, const T* m, double* sums) {
  const i64 strips = (height + strip - 1) / strip;
  each_row(device, planes * strips, width, [=] HD(i64 r, i64 x) {
    const T* column = m + r / strips * height * width + x;
    double* out = sums + r / strips * height * width + x;
    const i64 begin = r % strips * strip, end = begin + strip < height ? begin + strip : height;
    double sum = 0;
    for (i64 y = begin; y < end; ++y) {
      if (w.equal && y > begin) {
        sum += static_cast<double>(column[clamped(y + w.radius, height) * width]) -
               static_cast<double>(column[clamped(y - w.radius - 1, height) * width]);
      } else {
        sum = 0;
        for (i64 j = -w.radius; j <= w.radius; ++j)
          sum += static_cast<double>(w.weight(j)) * static_cast<double>(column[clamped(y + j, height) * width]);
      }
      out[y * width] = sum;
    }
  });
}

template <class T>
void solve_each(const WindowSum& w, Device device, i64 rows, i64 height, i64 width, const double* sums, T* flow) {
  each_row(device, rows, width, [=] HD(i64 r, i64 x) {
    const i64 plane = height * width;
    const double* row = sums + r / height * coefficients * plane + r % height * width;
    double k[coefficients];
    for (int i = 0; i < coefficients; ++i, row += plane) {
      k[i] = 0;
      for (i64 j = -w.radius; j <= w.radius; ++j) k[i] += static_cast<double>(w.weight(j)) * row[clamped(x + j, width)];
      k[i] *= w.scale;
    }
    double u, v;
    solve(k[0], k[1], k[2], k[3], k[4], u, v);
    flow[2 * (r * width + x)] = T(u);
    flow[2 * (r * width + x) + 1] = T(v);
  });
}

// On the CPU: the rows of all pairs, strip by strip.
template <class Body>
void each_strip(const Shape& flow, const Body& body) {
  const i64 height = flow[1], strips = (height + strip - 1) / strip;
#pragma omp parallel for schedule(static)
  for (i64 s = 0; s < flow[0] * strips; ++s) {
    const i64 begin = s % strips * strip;
    body(s / strips, begin, std::min(begin + strip, height));
  }
}

}  // namespace

Tensor ready_to_move(const Tensor& second, bool reference) {
  if (reference || second.device().is_cuda()) return second;
  const i64 n = second.shape()[0], h = second.shape()[2], w = second.shape()[3];
  const Tensor records({n * h * w + w + 2, record}, DType::f32, second.device());
  const float* in = second.data<float>();
  float* out = records.data<float>();
#pragma omp parallel for schedule(static)
  for (i64 r = 0; r < n * h; ++r)
    record_row(in + (r / h * coefficients * h + r % h) * w, h * w, w, out + r * w * record);
  return records;
}

void equations(const Tensor& first, const Tensor& second, const Tensor& flow, const Tensor& m) {
  const i64 h = flow.shape()[1], w = flow.shape()[2], rows = flow.shape()[0] * h;
  const float *a = first.data<float>(), *b = second.data<float>(), *d = flow.data<float>();
  float* out = m.data<float>();
  if (second.shape() == first.shape()) return equations_each(flow.device(), rows, h, w, a, b, d, out);
  each_strip(flow.shape(), [&](i64 n, i64 begin, i64 end) {
    const i64 at = n * coefficients * h * w;
    equations_rows(a + at, b + n * h * w * record, h, w, begin, end, d + 2 * n * h * w, out + at);
  });
}

void solve_windows(const Tensor& m, const WindowSum& window, const Tensor& flow, bool reference) {
  const i64 n = flow.shape()[0], h = flow.shape()[1], w = flow.shape()[2];
  const float* in = m.data<float>();
  float* out = flow.data<float>();
#ifdef __CUDACC__
  if (flow.device().is_cuda() && !reference) return solve_windows_fast(m, window, flow);
#endif
  if (reference || flow.device().is_cuda()) {
    const Tensor sums(m.shape(), DType::f64, m.device());
    columns_each(window, m.device(), n * coefficients, h, w, in, sums.data<double>());
    return solve_each(window, m.device(), n * h, h, w, sums.data<double>(), out);
  }
  each_strip(flow.shape(), [&](i64 n, i64 begin, i64 end) {
    solve_rows(window, in + n * coefficients * h * w, h, w, begin, end, out + 2 * n * h * w);
  });
}

}  // namespace dactyl::farneback

// From options to the weights of the steps. The reference for each rule is OpenCV 4.6, so that its flows are ours.
#include <algorithm>
#include <vector>

#include "kernels/flow_farneback_steps.h"

namespace dactyl::farneback {

// A Gaussian over 5 widths, enough for the smaller image; the frames' own level has the binomial ¼ ½ ¼.
Smoothing smoothing_for(double scale) {
  const double sigma = (1 / scale - 1) / 2;
  Smoothing s;
  s.radius = static_cast<int>(std::max<i64>(static_cast<i64>(std::nearbyint(sigma * 5)) | 1, 3) / 2);
  check(Exit::usage, s.radius <= 511, "flow_farneback: smoothing for scale {} reaches {} pixels, the limit is 511",
        scale, s.radius);
  std::vector<double> weights(static_cast<std::size_t>(s.radius) + 1, 0.25);
  if (sigma == 0) weights[0] = 0.5;
  double sum = 0;
  for (std::size_t j = 0; j < weights.size(); ++j) {
    if (sigma > 0) weights[j] = std::exp(-static_cast<double>(j * j) / (2 * sigma * sigma));
    sum += (j ? 2 : 1) * weights[j];
  }
  for (std::size_t j = 0; j < weights.size(); ++j) s.at[j] = static_cast<float>(weights[j] / sum);
  return s;
}

// The moments of the weights form a matrix that is zero but for 1, x², y² among themselves; its inverse has a closed
// form.
Fit fit_for(int n, double sigma) {
  if (sigma == 0) sigma = 0.3 * n;
  Fit f;
  f.n = n;
  double sum = 0;
  for (int j = -n; j <= n; ++j) sum += static_cast<float>(std::exp(-j * j / (2 * sigma * sigma)));
  double m0 = 0, m2 = 0, m4 = 0;
  for (int j = 0; j <= n; ++j) {
    f.g[j] = static_cast<float>(static_cast<float>(std::exp(-j * j / (2 * sigma * sigma))) / sum);
    f.xg[j] = static_cast<float>(j) * f.g[j];
    f.xxg[j] = static_cast<float>(j * j) * f.g[j];
    const double both = (j ? 2 : 1) * static_cast<double>(f.g[j]);
    m0 += both, m2 += both * j * j, m4 += both * j * j * j * j;
  }
  const double one = m0 * m0, square = m0 * m2, fourth = m0 * m4, mixed = m2 * m2;
  const double determinant = one * (fourth + mixed) - 2 * square * square;
  f.linear = 1 / square;
  f.mixed = 1 / mixed;
  f.constant_square = -square / determinant;
  f.square = (one / determinant + 1 / (fourth - mixed)) / 2;
  check(Exit::usage, std::isfinite(f.linear) && std::isfinite(f.square) && std::isfinite(f.mixed),
        "flow_farneback: poly_sigma {} is too narrow to fit polynomials", sigma);
  return f;
}

WindowSum window_for(int side, bool gaussian) {
  WindowSum w;
  w.radius = side / 2;
  w.equal = !gaussian;
  w.scale = gaussian ? 1 : 1 / (static_cast<double>(side) * side);
  double sum = 0;
  for (int j = 0; j <= w.radius; ++j) {
    const double sigma = 0.3 * w.radius;
    w.at[j] = gaussian && j ? static_cast<float>(std::exp(-j * j / (2 * sigma * sigma))) : 1.0f;
    sum += (j ? 2 : 1) * static_cast<double>(w.at[j]);
  }
  for (int j = 0; gaussian && j <= w.radius; ++j) w.at[j] = static_cast<float>(w.at[j] / sum);
  return w;
}

}  // namespace dactyl::farneback

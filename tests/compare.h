// Comparison of results, of bits, and of error texts.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace dactyl {

// Other numbers with another DACTYL_TEST_SEED; the tests hold for all of them.
inline std::uint64_t test_seed() {
  const char* text = std::getenv("DACTYL_TEST_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 1;
}

// The numbers on the host, without loss.
inline std::vector<double> numbers(const Tensor& t) {
  if (t.dtype() != DType::f64) {
    const std::vector<float> values = t.floats();
    return {values.begin(), values.end()};
  }
  const Tensor host = t.dense().to(Device::cpu());
  return {host.data<double>(), host.data<double>() + host.count()};
}

// What one rounding to the type and sums in f32 may cost, relative to the largest number of the result.
inline double tolerance(DType type) {
  switch (type) {
    case DType::f64:
      return 1e-12;
    case DType::f32:
      return 2e-5;
    case DType::f16:
      return 2e-3;
    default:
      return 1.6e-2;  // bf16
  }
}

// |got − want| ≤ limit · max |want| everywhere (NaN fails); tells where it is worst.
inline void expect_close(const std::string& what, const std::vector<double>& got, const std::vector<double>& want,
                         double limit) {
  ASSERT_EQ(got.size(), want.size()) << what;
  double scale = 1e-3, worst = 0;
  for (const double w : want) scale = std::max(scale, std::abs(w));
  std::size_t at = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::abs(got[i] - want[i]) / scale;
    if (error <= worst) continue;
    worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
    at = i;
  }
  EXPECT_LE(worst, limit) << what << ": number " << at << " of " << got.size() << " is " << got[at] << ", expected "
                          << want[at] << " (seed " << test_seed() << ")";
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  const Tensor x = a.dense().to(Device::cpu()), y = b.dense().to(Device::cpu());
  return std::memcmp(x.raw(), y.raw(), static_cast<std::size_t>(x.bytes())) == 0;
}

// fn must throw an Error whose text holds every part.
template <class Fn>
void expect_error(const Fn& fn, const std::vector<std::string>& parts) {
  try {
    fn();
    ADD_FAILURE() << "no error; expected one with '" << (parts.empty() ? "" : parts[0]) << "'";
  } catch (const Error& error) {
    for (const std::string& part : parts)
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << part << " is not in: " << error.what();
  }
}

}  // namespace dactyl

// The order of I3D's units, and where their scales go.
#include "weights/unit_chain.h"

#include <algorithm>
#include <cmath>

#include "engine/context.h"
#include "weights/names/i3d.h"

namespace dactyl {

void scale_inputs(ScaledUnit& u, const Numbers& scales) {
  for (std::size_t i = 0; i < u.w.size(); ++i) u.w[i] *= scales[i % scales.size()];
}

Numbers without_gamma(ScaledUnit& u) {
  const std::size_t filter = u.w.size() / u.beta.size();
  Numbers scales(u.beta.size(), 1);
  for (std::size_t o = 0; o < scales.size(); ++o) {
    const float size = std::abs(u.gamma[o]), sign = size < 1e-6f ? 0.0f : u.gamma[o] < 0 ? -1.0f : 1.0f;
    for (std::size_t i = 0; i < filter; ++i) u.w[o * filter + i] *= sign;
    u.mean[o] *= sign;
    if (sign == 0) continue;
    u.beta[o] /= size;
    scales[o] = size;
  }
  return scales;
}

Numbers along_units(const std::function<Numbers(std::size_t, const Numbers&)>& unit, Numbers in) {
  constexpr std::size_t stem = 3, block = 6;  // units; a block is 1×1, (reduce, 3×3), (reduce, "5×5"), projection
  for (std::size_t i = 0; i < stem; ++i) in = unit(i, in);
  for (std::size_t i = stem; i < std::size(i3d_units); i += block) {
    Numbers joined = unit(i, in);
    for (const Numbers& part : {unit(i + 2, unit(i + 1, in)), unit(i + 4, unit(i + 3, in)), unit(i + 5, in)})
      joined.insert(joined.end(), part.begin(), part.end());
    in = std::move(joined);
  }
  return in;
}

Numbers numbers_of(const Parameters& store, const std::string& name) {
  const Parameter* p = store.find(name);
  check(p != nullptr, "inflate: there is no {}", name);
  return p->value.floats();
}

void set_numbers(Parameters& store, const std::string& name, const Numbers& values) {
  Parameter* p = store.find(name);
  check(p != nullptr && p->value.count() == static_cast<i64>(values.size()), "inflate: {} numbers for {}",
        values.size(), name);
  const Tensor host(p->value.shape(), DType::f32, Device::cpu());
  std::copy(values.begin(), values.end(), host.data<float>());
  p->value.copy_from(host);
  Context::current().compute().synchronize();  // the host's copy ends here
}

}  // namespace dactyl

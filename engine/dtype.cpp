// Names of the number types.
#include "engine/dtype.h"

#include <array>

namespace dactyl {
namespace {
constexpr std::array names{"f32", "f64", "bf16", "f16", "i32", "u8"};
}

std::string to_text(DType t) { return names.at(static_cast<std::size_t>(t)); }

DType dtype_named(const std::string& name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (name == names[i]) return static_cast<DType>(i);
  fail(Exit::usage, "unknown number type '{}'; known are f32, f64, bf16, f16, i32, u8", {name});
}

}  // namespace dactyl

// Sixteen bytes of neighbouring numbers: the most that a GPU's thread moves at once.
#pragma once

#include "engine/tensor.h"

namespace dactyl {

template <class T>
struct alignas(16) Pack {
  static constexpr int size = 16 / sizeof(T);
  T v[size];

  HD static Pack load(const T* from) { return *reinterpret_cast<const Pack*>(from); }
  HD void store(T* to) const { *reinterpret_cast<Pack*>(to) = *this; }
};

// body(T{}) with the C++ type of a floating-point dtype other than f64.
template <class Body>
void with_narrow(DType type, const Body& body) {
  if (type == DType::bf16) return body(bf16{});
  if (type == DType::f16) return body(f16{});
  check(type == DType::f32, "expected f32, bf16 or f16, got {}", type);
  body(float{});
}

inline bool aligned(const void* address) { return reinterpret_cast<std::uintptr_t>(address) % 16 == 0; }

// Whether every row of channels is a row of packs: it begins at a multiple of 16 bytes and fills whole ones.
inline bool packed(const Tensor& t) {
  const i64 size = 16 / size_of(t.dtype());
  return aligned(t.raw()) && t.pitch() % size == 0 && t.shape().channels() % size == 0;
}

}  // namespace dactyl

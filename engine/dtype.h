// The number types, and the one place where a runtime type becomes a C++ type.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>

#include "engine/check.h"

// A body marked HD runs on host and device. The libraries' only macro.
#ifdef __CUDACC__
#include <cuda_fp16.h>
#define HD __host__ __device__
#else
#define HD
#endif

namespace dactyl {

enum class DType { f32, f64, bf16, f16, i32, u8 };

constexpr i64 size_of(DType t) {
  switch (t) {
    case DType::f64:
      return 8;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::bf16:
    case DType::f16:
      return 2;
    case DType::u8:
      return 1;
  }
  return 0;
}

std::string to_text(DType);
DType dtype_named(const std::string&);  // "f32" … ; throws a usage error listing the names

// The upper half of a float: 8 exponent and 7 fraction bits. Rounds to nearest, ties to even.
struct bf16 {
  std::uint16_t bits = 0;
  bf16() = default;
  HD bf16(float v) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(v));  // one instruction; every NaN becomes 0x7fff
#else
    const auto u = std::bit_cast<std::uint32_t>(v);
    const bool nan = (u & 0x7fffffffu) > 0x7f800000u;
    bits = static_cast<std::uint16_t>(nan ? (u >> 16) | 0x40u : (u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
#endif
  }
  HD operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
};

// IEEE half precision: 5 exponent and 10 fraction bits.
struct f16 {
  std::uint16_t bits = 0;
  f16() = default;
#ifdef __CUDACC__
  HD f16(float v) : bits(std::bit_cast<std::uint16_t>(__float2half_rn(v))) {}
  HD operator float() const { return __half2float(std::bit_cast<__half>(bits)); }
#else
  f16(float v) : bits(std::bit_cast<std::uint16_t>(static_cast<_Float16>(v))) {}
  operator float() const { return static_cast<float>(std::bit_cast<_Float16>(bits)); }
#endif
};

// The type arithmetic is done in: float for everything narrow, double for double.
template <class T>
using compute_t = std::conditional_t<std::is_same_v<T, double>, double, float>;

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>)
    return DType::f32;
  else if constexpr (std::is_same_v<T, double>)
    return DType::f64;
  else if constexpr (std::is_same_v<T, bf16>)
    return DType::bf16;
  else if constexpr (std::is_same_v<T, f16>)
    return DType::f16;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return DType::i32;
  else
    return DType::u8;
}

// Calls body.template operator()<T>() with the C++ type of a floating-point dtype.
template <class Body>
decltype(auto) with_float(DType t, Body&& body) {
  switch (t) {
    case DType::f64:
      return body.template operator()<double>();
    case DType::bf16:
      return body.template operator()<bf16>();
    case DType::f16:
      return body.template operator()<f16>();
    default:
      check(t == DType::f32, "expected a floating-point type, got {}", t);
  }
  return body.template operator()<float>();
}

}  // namespace dactyl

// Up to six extents by value. The order is the memory order: the last extent is the channels.
#pragma once

#include <array>
#include <initializer_list>
#include <span>
#include <string>

#include "engine/check.h"

namespace dactyl {

class Shape {
 public:
  static constexpr int max_rank = 6;

  Shape() = default;  // rank 0: one number
  Shape(std::initializer_list<i64> extents) : Shape(std::span<const i64>(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const i64> extents) {
    check(extents.size() <= max_rank, "shape: {} extents, the limit is {}", extents.size(), max_rank);
    for (const i64 e : extents) {
      check(e >= 0, "shape: extent {} is negative", e);
      extents_[static_cast<std::size_t>(rank_++)] = e;
    }
  }

  int rank() const { return rank_; }
  // Negative positions count from the end: shape[-1] is the channels.
  i64 operator[](int i) const { return extents_[static_cast<std::size_t>(i < 0 ? i + rank_ : i)]; }
  Shape with(int i, i64 extent) const {
    Shape s = *this;
    s.extents_[static_cast<std::size_t>(i < 0 ? i + rank_ : i)] = extent;
    return s;
  }
  // How many extents lie between batch and channels: 2 for images (N, H, W, C), 3 for clips (N, D, H, W, C).
  int spatial() const { return rank_ - 2; }
  i64 count() const {
    i64 n = 1;
    for (int i = 0; i < rank_; ++i) n *= (*this)[i];
    return n;
  }
  i64 channels() const { return rank_ ? (*this)[-1] : 1; }
  i64 rows() const { return channels() ? count() / channels() : 0; }  // everything but the channels

  bool operator==(const Shape&) const = default;

 private:
  std::array<i64, max_rank> extents_{};
  int rank_ = 0;
};

inline std::string to_text(const Shape& s) {
  std::string text = "(";
  for (int i = 0; i < s.rank(); ++i) text += (i ? ", " : "") + std::to_string(s[i]);
  return text + ")";
}

}  // namespace dactyl

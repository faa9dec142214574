// Small vector algebra for the rendered hands, for one point (float) or four at once (Lanes). No libm: same bits
// anywhere.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace dactyl::hand {

using Lanes = float __attribute__((vector_size(16)));  // four points side by side: SSE2, NEON
using Bits = std::int32_t __attribute__((vector_size(16)));

inline float minimum(float a, float b) { return a < b ? a : b; }
inline float maximum(float a, float b) { return a > b ? a : b; }
inline Lanes minimum(Lanes a, Lanes b) { return a < b ? a : b; }
inline Lanes maximum(Lanes a, Lanes b) { return a > b ? a : b; }
inline float root(float x) { return std::sqrt(x); }  // IEEE: correctly rounded

// Square root by one tuned Newton step on 1/sqrt(x), as a vector std::sqrt would have to care for errno. Relative error
// 7e-4, smooth in x: ample for distances that are walked or compared.
inline Lanes root(Lanes x) {
  x = maximum(x, Lanes{} + 1e-20f);
  const Lanes y = std::bit_cast<Lanes>(0x5f1ffff9 - (std::bit_cast<Bits>(x) >> 1));
  return x * y * (1.681915f - 0.703952f * x * y * y);
}

template <class T>
T clamp01(T x) {
  return minimum(maximum(x, T{}), T{} + 1.0f);
}
template <class T>
T absolute(T x) {
  return maximum(x, -x);
}
template <class T>
T smooth(T x) {  // cubic step from 0 to 1 over [0, 1]
  x = clamp01(x);
  return x * x * (3.0f - 2.0f * x);
}
template <class T, class S>
T mix(T a, T b, S t) {
  return a + (b - a) * t;
}

template <class T>
struct Vec3 {
  T x{}, y{}, z{};
};
using Vec = Vec3<float>;
using VecLanes = Vec3<Lanes>;

template <class A, class B>
auto operator+(const Vec3<A>& a, const Vec3<B>& b) {
  return Vec3<decltype(a.x + b.x)>{a.x + b.x, a.y + b.y, a.z + b.z};
}
template <class A, class B>
auto operator-(const Vec3<A>& a, const Vec3<B>& b) {
  return Vec3<decltype(a.x - b.x)>{a.x - b.x, a.y - b.y, a.z - b.z};
}
template <class A, class S>
auto operator*(const Vec3<A>& a, S s) {
  return Vec3<decltype(a.x * s)>{a.x * s, a.y * s, a.z * s};
}
template <class A, class B>
auto operator*(const Vec3<A>& a, const Vec3<B>& b) {  // channel by channel: colours
  return Vec3<decltype(a.x * b.x)>{a.x * b.x, a.y * b.y, a.z * b.z};
}
template <class A, class B>
auto dot(const Vec3<A>& a, const Vec3<B>& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}
template <class T>
T length(const Vec3<T>& a) {
  return root(dot(a, a));
}
template <class T>
Vec3<T> normalized(const Vec3<T>& a) {
  return a * (1.0f / length(a));
}
inline Vec cross(const Vec& a, const Vec& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline Vec lane(const VecLanes& a, int i) { return {a.x[i], a.y[i], a.z[i]}; }

// Sine of an angle in degrees: folded into ±90°, then its Taylor series. Absolute error 4e-6.
inline float sine(float degrees) {
  float x = degrees - 360.0f * static_cast<float>(static_cast<int>(degrees / 360.0f));
  if (x > 180) x -= 360;
  if (x < -180) x += 360;
  if (x > 90) x = 180 - x;
  if (x < -90) x = -180 - x;
  x *= 0.01745329252f;
  const float q = x * x;
  return x * (1 - q / 6 * (1 - q / 20 * (1 - q / 42 * (1 - q / 72))));
}
inline float cosine(float degrees) { return sine(degrees + 90); }

// A frame of three orthogonal axes, as columns: it turns local coordinates into the parent's.
struct Frame {
  Vec x{1, 0, 0}, y{0, 1, 0}, z{0, 0, 1};
};
inline Vec operator*(const Frame& f, const Vec& v) { return f.x * v.x + f.y * v.y + f.z * v.z; }
inline Frame operator*(const Frame& f, const Frame& g) { return {f * g.x, f * g.y, f * g.z}; }
inline Vec local(const Frame& f, const Vec& v) { return {dot(f.x, v), dot(f.y, v), dot(f.z, v)}; }

inline Frame turn_x(float degrees) {  // y towards z
  const float c = cosine(degrees), s = sine(degrees);
  return {{1, 0, 0}, {0, c, s}, {0, -s, c}};
}
inline Frame turn_y(float degrees) {  // z towards x
  const float c = cosine(degrees), s = sine(degrees);
  return {{c, 0, -s}, {0, 1, 0}, {s, 0, c}};
}
inline Frame turn_z(float degrees) {  // x towards y
  const float c = cosine(degrees), s = sine(degrees);
  return {{c, s, 0}, {-s, c, 0}, {0, 0, 1}};
}

}  // namespace dactyl::hand

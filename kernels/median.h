// The median of an odd count of numbers without branches, so that a vector or a warp computes many at once.
#pragma once

#include <utility>

#include "engine/dtype.h"

namespace dactyl {

namespace detail {
template <class V>
[[gnu::always_inline]] HD inline void exchange(V& a, V& b) {
  const V low = b < a ? b : a;
  b = b < a ? a : b;
  a = low;
}

// Moves the smallest of v[0 … N−1] to the front and the largest to the back.
template <int N, class V, int... I>
[[gnu::always_inline]] HD inline void to_the_ends(V* v, std::integer_sequence<int, I...>) {
  (exchange(v[I], v[N - 1 - I]), ...);  // now the smallest is in the left half or the middle
  if constexpr (N % 2 == 1) exchange(v[0], v[N / 2]);
  ((I > 0 ? exchange(v[0], v[I]) : void()), ...);
  if constexpr (N % 2 == 1) exchange(v[N / 2], v[N - 1]);
  ((I > 0 ? exchange(v[N - 1 - I], v[N - 1]) : void()), ...);
}

template <int N, int Next, class V>
[[gnu::always_inline]] HD inline void forget(V* v) {
  to_the_ends<N>(v, std::make_integer_sequence<int, N / 2>{});
  if constexpr (N > 3) {
    v[0] = v[Next];  // the smallest leaves its place to the next number, the largest is not looked at again
    forget<N - 1, Next + 1>(v);
  }
}
}  // namespace detail

// Of N/2 + 2 numbers neither the smallest nor the largest can be the median of N: both are forgotten, the next number
// is looked at, until three are left. Reorders v.
template <int N, class V>
[[gnu::always_inline]] HD inline const V& median(V* v) {
  static_assert(N >= 3 && N % 2 == 1);
  detail::forget<N / 2 + 2, N / 2 + 2>(v);
  return v[1];
}

}  // namespace dactyl

// Gradients on their way back through a window. Internal to the kernels.
#pragma once

#include "kernels/fast/best.h"

namespace dactyl::fast {

// A pack of gradients beside the taps they go to, two of these in a word.
template <class T>
struct Routed {
  static constexpr int size = Pack<T>::size;
  float v[size];
  Word tap[size / 2];
  struct alignas(size) Bytes {
    Word four[size / 4];
  };

  HD void load(const T* dy, const std::uint8_t* taps) { take(Pack<T>::load(dy), read<Bytes>(taps)); }
  HD void take(const Pack<T>& pack, const Bytes& bytes) {
    widen(pack);
    for (int i = 0; i < size / 4; ++i) {
      const Word four = bytes.four[i];
#ifdef __CUDA_ARCH__
      tap[2 * i] = __byte_perm(four, 0, 0x4140);
      tap[2 * i + 1] = __byte_perm(four, 0, 0x4342);
#else
      tap[2 * i] = (four & 0xffu) | (four & 0xff00u) << 8;
      tap[2 * i + 1] = (four >> 16 & 0xffu) | (four >> 24) << 16;
#endif
    }
  }

  HD void widen(const Pack<T>& pack) {
    if constexpr (std::is_same_v<T, bf16>) {  // by words: one instruction for each number
      const auto words = read<Pack<Word>>(&pack);
      for (int i = 0; i < size / 2; ++i) {
        v[2 * i] = std::bit_cast<float>(words.v[i] << 16);
        v[2 * i + 1] = std::bit_cast<float>(words.v[i] & 0xffff0000u);
      }
#ifdef __CUDA_ARCH__
    } else if constexpr (std::is_same_v<T, f16>) {  // likewise
      const auto words = read<Pack<__half2>>(&pack);
      for (int i = 0; i < size / 2; ++i) {
        v[2 * i] = __low2float(words.v[i]);
        v[2 * i + 1] = __high2float(words.v[i]);
      }
#endif
    } else {
      for (int i = 0; i < size; ++i) v[i] = float(pack.v[i]);
    }
  }

  // Adds what goes to this tap. As halves, whole numbers below 1024 are subnormal and keep their order: two at a time.
  HD void add_to(float (&sum)[size], int wanted) const {
    const Word both = static_cast<Word>(wanted) * 0x10001u;
    for (int i = 0; i < size / 2; ++i) {
#ifdef __CUDA_ARCH__
      asm("{ .reg .pred p, q;\n\t"
          "setp.eq.f16x2 p|q, %2, %3;\n\t"
          "@p add.f32 %0, %0, %4;\n\t"
          "@q add.f32 %1, %1, %5; }"
          : "+f"(sum[2 * i]), "+f"(sum[2 * i + 1])
          : "r"(tap[i]), "r"(both), "f"(v[2 * i]), "f"(v[2 * i + 1]));
#else
      if ((tap[i] & 0xffffu) == (both & 0xffffu)) sum[2 * i] += v[2 * i];
      if (tap[i] >> 16 == both >> 16) sum[2 * i + 1] += v[2 * i + 1];
#endif
    }
  }
};

template <class T>
HD void store_sums(T* to, const float (&sum)[Pack<T>::size]) {
  Pack<T> pack;
  for (int i = 0; i < Pack<T>::size; ++i) pack.v[i] = T(sum[i]);
  pack.store(to);
}

}  // namespace dactyl::fast

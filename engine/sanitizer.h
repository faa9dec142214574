// Tells the address sanitizer, where the program is built with it, which bytes of the host's arenas belong to a block.
#pragma once

#include <cstddef>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace dactyl {

inline void somebodys([[maybe_unused]] const void* first, [[maybe_unused]] std::size_t bytes) {
#ifdef __SANITIZE_ADDRESS__
  __asan_unpoison_memory_region(first, bytes);
#endif
}

inline void nobodys([[maybe_unused]] const void* first, [[maybe_unused]] std::size_t bytes) {
#ifdef __SANITIZE_ADDRESS__
  __asan_poison_memory_region(first, bytes);
#endif
}

}  // namespace dactyl

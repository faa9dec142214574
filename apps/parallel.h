// Independent pieces of host work on all cores.
#pragma once

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/engine.h"

namespace dactyl {

// body(i) for i in [0, n), each on some thread; `threads` 0: one per core. The first exception stops the others and is
// rethrown here.
template <class Body>
void for_each_parallel(i64 n, int threads, const Body& body) {
  std::atomic<i64> next = 0;
  std::exception_ptr failure;
  std::mutex mutex;
  const auto work = [&] {
    try {
      for (i64 i = next++; i < n; i = next++) body(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      next = n;
    }
  };
  std::vector<std::jthread> workers(threads > 0 ? static_cast<unsigned>(threads) : std::thread::hardware_concurrency());
  for (std::jthread& worker : workers) worker = std::jthread(work);
  workers.clear();  // joins
  if (failure) std::rethrow_exception(failure);
}

}  // namespace dactyl

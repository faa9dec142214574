// Threads of a GPU's block on the CPU, for bodies that take their thread as an argument
// (kernels/fast/max_pool_planes.h, max_pool_scatter.h). Every access is checked; copies arrive when they are waited
// for.
#pragma once

#include "benchmarks/ladder/fibers.h"
#include "kernels/fast/best.h"

namespace dactyl {

struct HostLane {
  ladder::Fibers& team;
  int index;
  std::byte* memory;
  i64 bytes;

  template <class V>
  std::byte* at(i64 i) const {
    check(i >= 0 && (i + 1) * i64{sizeof(V)} <= bytes, "number {} of {} bytes each is not in {}", i, sizeof(V), bytes);
    return memory + i * i64{sizeof(V)};
  }
  template <class V>
  V read(i64 i) const {
    return fast::read<V>(at<V>(i));
  }
  template <class V>
  void write(i64 i, const V& v) const {
    fast::write(at<V>(i), v);
  }
  template <class V>
  void copy(i64 i, const void* from) const {
    team.copy_later(index, at<V>(i), from, sizeof(V));
  }
  void end_group() const { team.commit_copies(index); }
  void wait_but_one() const { team.wait_copies(index, 1); }
  void barrier() const { team.wait(index); }
};

// A thread of a warp: what `pick` asks of another lane is computed here.
struct HostWarpLane {
  std::byte* memory;
  i64 bytes;

  std::byte* at(i64 i) const {
    check(i >= 0 && i + 4 <= bytes && i % 4 == 0, "byte {} of {}", i, bytes);
    return memory + i;
  }
  template <class V>
  V read(i64 i) const {
    return fast::read<V>(at(i));
  }
  template <class V>
  void write(i64 i, const V& v) const {
    fast::write(at(i), v);
  }
  template <class V>
  V load(std::uintptr_t address) const {
    return fast::read<V>(reinterpret_cast<const void*>(address));
  }
  template <class V>
  void store(std::uintptr_t address, V v) const {
    fast::write(reinterpret_cast<void*>(address), v);
  }
  template <class Of>
  int pick(int, const Of& of, unsigned i) const {
    return of(static_cast<int>(i % 32));
  }
};

}  // namespace dactyl

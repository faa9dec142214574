// A block's threads on the CPU: fibers that take turns at barriers. Internal to the ladder.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace dactyl::ladder {

class Fibers {
 public:
  using Body = std::function<void(int index, Fibers& team, std::byte* memory)>;

  Fibers(int threads, std::size_t bytes, const Body& body);
  ~Fibers();
  Fibers(const Fibers&) = delete;
  // Runs all to their end, the last one first if `backwards`. Throws if some wait at a barrier that the others never
  // reach: on a GPU they would hang.
  void run(bool backwards);

  // Called by the body.
  void wait(int index);       // for all threads
  void wait_warp(int index);  // for the 32 of its warp
  // 32 places of 64 bytes, by which the lanes of a warp show each other numbers: one of two, in turns.
  std::byte* next_board(int index);
  // Bytes to be copied when the thread waits for them: `from` null gives zeros. A group ends at commit_copies.
  void copy_later(int index, void* to, const void* from, std::size_t bytes);
  void commit_copies(int index);
  void wait_copies(int index, int pending);  // all groups but the last `pending`

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// One block, with `bytes` of shared memory full of NaN. In an order that alternates from call to call: where a barrier
// is missing, one of both orders reads what is not there yet.
void run_fibers(int threads, std::size_t bytes, const Fibers::Body& body);

}  // namespace dactyl::ladder

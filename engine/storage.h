// Owned bytes on a device, and the caching pool they come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "engine/arena.h"
#include "engine/holes.h"

namespace dactyl {

// Carves blocks out of one arena and keeps what comes back, where neighbours become one hole again: what is held is
// hardly more than was ever in use at once (counted for the nets here). One pool serves one device (and, on a GPU, one
// stream: a block freed by work queued on the stream may be handed out at once, since its next user is queued behind).
// Throws Exit::memory naming the bytes wanted and in use when the device has no more.
class Pool {
 public:
  explicit Pool(Device device) : device_(device), arena_(device) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void* take(std::size_t bytes);
  void give(void* block, std::size_t bytes) noexcept;
  void trim() noexcept;  // returns what is free at the arena's end to the device
  // While on, blocks that come back are kept for later: work beside the one that gave them may not have them yet.
  void hold(bool on) noexcept;
  Device device() const { return device_; }
  i64 in_use() const { return in_use_; }                        // what is kept for later too
  i64 held() const { return static_cast<i64>(arena_.size()); }  // in use and cached
  i64 peak() const { return peak_; }
  void reset_peak() { peak_ = in_use_; }

  static std::shared_ptr<Pool> host();  // the CPU's pool, shared by all threads

  // For tests: while on, new blocks of every pool hold NaN in any type and end in a guard zone. `damaged` counts the
  // returned blocks whose guard was overwritten.
  static void guard(bool on);
  static i64 damaged();

 private:
  Device device_;
  void* take_guarded(std::size_t bytes);
  bool give_guarded(void* block, std::size_t bytes) noexcept;
  void give_back(std::size_t first, std::size_t size) noexcept;

  std::mutex mutex_;
  Arena arena_;
  Holes holes_;
  std::vector<std::pair<std::size_t, std::size_t>> back_;  // given while holding: first byte and bytes
  bool holding_ = false;
  std::set<void*> guarded_;
  i64 in_use_ = 0, peak_ = 0;
};

// A block of bytes; goes back to its pool with the last handle.
class Storage {
 public:
  Storage(std::size_t bytes, std::shared_ptr<Pool> pool);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  Device device() const { return pool_->device(); }
  // A number no other content ever had: new with the block, after every touch(), and after every replay of a graph
  // (which may write anything). Lets copies in other layouts (packed or folded weights) know when they are stale.
  std::uint64_t stamp() const;
  void touch();

 private:
  std::shared_ptr<Pool> pool_;
  std::size_t bytes_;
  std::byte* data_;
  std::uint64_t stamp_;
};

// A captured graph ran: every stamp is new.
void touch_everything();

// Page-locked host memory where there is a GPU (so that copies run asynchronously), plain memory otherwise.
std::shared_ptr<std::byte> pinned_bytes(std::size_t bytes);

}  // namespace dactyl

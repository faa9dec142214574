// One run of addresses, with memory behind as many of them as are needed.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/device.h"

namespace dactyl {

// Sets as many addresses aside as the device has memory, and puts memory behind them piece by piece, always at the end:
// neighbours stay neighbours, whatever is asked for later. Nothing is set aside before the first piece.
class Arena {
 public:
  explicit Arena(Device device) : device_(device) {}
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  std::byte* begin() const { return begin_; }
  std::size_t size() const { return size_; }  // bytes that have memory
  // At least so many bytes more, in whole large pages; false if the device has no more.
  bool grow(std::size_t bytes);
  // Returns memory of the last `bytes`, which nobody uses any more, to the device: of the pieces that lie in them.
  // Waits for the GPU. Returns how many bytes.
  std::size_t shrink(std::size_t bytes) noexcept;

 private:
  void set_aside();

  Device device_;
  std::byte* begin_ = nullptr;
  std::size_t addresses_ = 0, size_ = 0;
  std::vector<std::size_t> pieces_;  // their bytes
};

}  // namespace dactyl

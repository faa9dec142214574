// A host's block on its way to the device while the device computes.
#pragma once

#include "engine/context.h"
#include "engine/tensor.h"

namespace dactyl {

// One place on the device that blocks arrive at, over the copy stream of the context that is current throughout. The
// compute stream meets each block once: send(), work that reads it, taken(). The next block follows when that work is
// done, and no work before it waits for the copy.
class Upload {
 public:
  Upload(Device device, i64 bytes);

  // Queues the copy of a page-locked block; work on the compute stream from here on finds it at the address returned.
  // The event: the block has been read and may change.
  const std::byte* send(const std::byte* from, Event& read);
  void taken();  // whatever reads it has been queued

 private:
  Tensor place_;
  Event free_;  // of the compute stream
};

}  // namespace dactyl

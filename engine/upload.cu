// Copies on the copy stream, ordered against the compute stream by events alone: the host never waits.
#include "engine/upload.h"

#include <cstring>

#include "engine/cuda.h"

namespace dactyl {

// The pool's memory may still be in use by work that is queued.
Upload::Upload(Device device, i64 bytes) : place_({bytes}, DType::u8, device) { taken(); }

const std::byte* Upload::send(const std::byte* from, [[maybe_unused]] Event& read) {
  const auto bytes = static_cast<std::size_t>(place_.bytes());
#ifdef __CUDACC__
  if (place_.device().is_cuda()) {
    Context& here = Context::current();
    here.copy().wait(free_);
    check(cudaMemcpyAsync(place_.raw(), from, bytes, cudaMemcpyHostToDevice, here.copy().handle()), "copying a batch");
    read = here.copy().record();
    here.compute().wait(read);
    return place_.raw();
  }
#endif
  std::memcpy(place_.raw(), from, bytes);
  return place_.raw();
}

void Upload::taken() { free_ = Context::current().compute().record(); }

}  // namespace dactyl

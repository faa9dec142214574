// A batch's pictures on the device: those that are still coded are decoded and prepared there, the others copied.
#pragma once

#include <mutex>
#include <string>

#include "engine/context.h"
#include "kernels/jpeg_planes.h"
#include "train/data/coded.h"
#include "train/data/taps.h"

namespace dactyl {

struct PlaneOrder {
  const CodedPicture* picture;
  JpegPlanes planes;  // where they go
};

// What makes planes of JPEG bytes, with its own pixels' roundings. Used by one thread at a time, not always the same.
class PlaneDecoder {
 public:
  virtual ~PlaneDecoder() = default;
  virtual Device device() const = 0;
  virtual std::string name() const = 0;
  virtual void enter() {}  // the calling thread is about to use it
  // Queues the work on the current context's compute stream. For each order whether it was taken; what is refused must
  // be a matter of the picture alone, never of its neighbours.
  virtual std::vector<bool> decode(const std::vector<PlaneOrder>& orders) = 0;
};

// A slot of a batch. No picture: its pixels lie in the host's block already, or nothing does.
struct CodedSlot {
  std::shared_ptr<const CodedPicture> picture;
  Taps across, down;  // of the picture as it is shown
};
CodedSlot coded_slot(std::shared_ptr<const CodedPicture> picture, const InputSpec& input);

class Developer {
 public:
  Developer(std::shared_ptr<PlaneDecoder> decoder, const InputSpec& input);

  // From the host's block, which starts with a sample of `sample_bytes` for each slot, to one of the same size on the
  // device, when `taken` has been reached; waits until all is there. What the decoder refuses the host decodes: how
  // many.
  i64 develop(std::byte* host, std::size_t bytes, std::size_t sample_bytes, const std::vector<CodedSlot>& slots,
              const Event& taken, std::byte* to);

 private:
  void develop_some(const std::vector<std::size_t>& chosen, std::size_t sample_bytes,
                    const std::vector<CodedSlot>& slots, std::byte* to, std::vector<std::size_t>& refused);

  const std::shared_ptr<PlaneDecoder> decoder_;
  const InputSpec input_;
  const std::shared_ptr<Context> context_;
  std::mutex mutex_;
};

}  // namespace dactyl

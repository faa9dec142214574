// A moment in the compute stream's work, to tell how long the device took from one to the next.
#pragma once

#include "engine/context.h"

namespace dactyl {

class Stamp {
 public:
  // Queued on the current context's compute stream; the host's clock where that is the CPU. Inside a capture it becomes
  // part of the graph: every replay renews it, so it must live as long as the graph is replayed.
  static Stamp now();
  // Seconds between two stamps of one device that both have been reached: synchronise first.
  double since(const Stamp& earlier) const;

 private:
  Event event_;
  double host_ = 0;
};

}  // namespace dactyl

// Work that a GPU may do at the same time: the branches of a block.
#pragma once

#include <functional>

#include "engine/context.h"

namespace dactyl {

// Fork fork; fork(a); fork(b); … while it lives: a and b must not depend on each other. Inside a capture each runs on a
// stream of its own, and what they free is not reused before all have ended; the end of the
// Fork waits for them. Everywhere else, and while operations are timed, they run one after the other, as written.
class Fork {
 public:
  Fork();
  ~Fork();
  Fork(const Fork&) = delete;
  Fork& operator=(const Fork&) = delete;
  void operator()(const std::function<void()>& branch);

 private:
  Context& context_;
  bool apart_ = false;  // a capture is under way
  Event begin_;
  std::size_t next_ = 0;  // lane
};

}  // namespace dactyl

// Work that a GPU may do at the same time: the branches of a block, there and back.
#pragma once

#include <functional>

#include "engine/context.h"

namespace dactyl {

// Which branch of which Fork something belongs to; fork 0: none.
struct Branch {
  int fork = 0, index = 0;
  bool operator==(const Branch&) const = default;
};

// Fork fork; fork(a); fork(b); … while it lives: a and b must not depend on each other. Inside a capture each runs on a
// stream of its own, and what they free is not reused before all have ended; the end of the Fork waits for them.
// Everywhere else, within another Fork, and while operations are timed, they run one after the other, as written. What
// they record on a tape, Tape::backward forks as well.
class Fork {
 public:
  Fork();
  ~Fork();
  Fork(const Fork&) = delete;
  Fork& operator=(const Fork&) = delete;
  void operator()(const std::function<void()>& branch);

  // Work that depends on what was queued before it, and on which nothing depends until the Fork has ended, or the one
  // that this one is within: beside a branch, on one more stream for each.
  void aside(const std::function<void()>& work);
  bool within_another() const { return within_; }

  static Branch here();  // where this thread is now

 private:
  void start();

  Context& context_;
  Fork* apart_ = nullptr;  // a capture is under way: this, or the one it is within
  bool within_ = false;
  Branch before_;
  Event begin_;
  int branches_ = 0;
};

}  // namespace dactyl

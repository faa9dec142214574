// Captures a step as a CUDA graph and replays it.
#pragma once

#include <functional>
#include <memory>

#include "engine/context.h"

namespace dactyl {

// run(): the first call is eager (warms plans and pool), the second captures, later ones replay at the cost of one
// launch. On the CPU every call runs the function. The function must follow five rules: no synchronising and no
// reading of device memory; memory from the pool only; whatever changes lives on the device; metrics gather on the
// device; one shape. If capture fails the step goes on eagerly, and `why_eager` says why. The graph owns its pool.
class Graph {
 public:
  explicit Graph(std::function<void()> step);
  ~Graph();
  void run();
  bool captured() const;
  const std::string& why_eager() const { return why_eager_; }
  i64 memory() const { return pool_ ? pool_->held() : 0; }  // bytes
  static bool rehearsing();  // whether this thread is in the eager call that precedes a capture

 private:
  struct Handle;
  std::function<void()> step_;
  std::unique_ptr<Handle> handle_;
  std::shared_ptr<Pool> pool_;
  int calls_ = 0;
  std::string why_eager_;
  void capture();
};

}  // namespace dactyl

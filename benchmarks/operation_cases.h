// Operations at the sizes the nets have, as work that can be timed and whose bytes are counted.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "benchmarks/timing.h"

namespace dactyl {

struct OperationCase {
  std::string name, what;         // "max_pool", its descriptor or its sizes
  std::function<void()> forward;  // on the current device; sweeps the cache first
  std::function<void()> both;     // forward and backward; empty where there is no backward
  double forward_bytes = 0, both_bytes = 0;
};

std::vector<std::string> operation_names();
// All cases of one operation, made on demand since they hold memory. Usage error for an unknown name.
std::vector<std::function<OperationCase()>> operation_cases(const std::string& name, i64 batch, DType type, Math math);

}  // namespace dactyl

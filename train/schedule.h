// The learning rate as a pure function of the step.
#pragma once

#include <string>
#include <vector>

#include "engine/check.h"

#include "train/data/csv.h"

namespace dactyl {

// "head:3ep@1e-4", "all:200it@1e-5", "until=inception_5a:2ep@1e-3" (everything from that layer to the output).
struct Stage {
  std::string what;    // head, all, or until=LAYER: what learns
  double epochs = 0;   // either this …
  i64 iterations = 0;  // … or this
  double rate = 0;
};
Stage parse_stage(const std::string& text);  // usage error with an example
std::string to_text(const Stage&);
i64 steps_in(const Stage&, i64 per_epoch);              // at least 1
i64 steps_of(const std::string& every, i64 per_epoch);  // "50it", "1ep", "0.5ep": usage error with an example

struct Schedule {
  std::string kind = "const";                           // const, step (×0.1 at ⅓ and ⅔), cosine, poly (√)
  i64 warmup = 0;                                       // steps over which the rate rises linearly from 0, per stage
  double rate(double peak, i64 step, i64 steps) const;  // of step 0 … steps − 1 of a stage
};

}  // namespace dactyl

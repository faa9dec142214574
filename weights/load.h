// Pours a file's tensors into a store of parameters, and reports what fitted, what did not, and why.
#pragma once

#include <string>
#include <vector>

#include "engine/parameters.h"
#include "weights/checkpoint.h"
#include "weights/passport.h"

namespace dactyl {

struct LoadOptions {
  std::vector<std::string> skip;      // prefixes of parameters left as they are (a new head)
  std::vector<std::string> optional;  // prefixes that may be absent from the file (auxiliary heads)
  bool strict = false;                // NaN or Inf in a poured tensor is an error, not a warning
};

struct LoadReport {
  std::vector<std::string> matched, missing, unexpected, skipped;
  struct Reshaped {
    std::string name, how;
  };  // "fc6.weight": "columns (C,H,W) -> (H,W,C)", "BGR -> RGB"
  std::vector<Reshaped> reshaped;
  struct Mismatch {
    std::string name;
    Shape file, model;
  };
  std::vector<Mismatch> mismatched;  // never poured; a mismatch outside `skip` is an error
  i64 nonfinite = 0;
  std::string text() const;  // a few lines for people
};

// All or nothing: the store changes only if every parameter outside `skip` and `optional` finds its tensor.
// Errors (Exit::model_file) list every missing and mismatched tensor; a variance below 0 is one too. `model` chooses
// the name map of weights/names/; axis order, flatten order and channel order are brought into the engine's.
LoadReport load(Parameters& store, const Checkpoint& file, const std::string& model, const LoadOptions& options = {});

// Our parameters as a checkpoint in the engine's own layout (notes say so), with a passport.
Checkpoint to_checkpoint(const Parameters& store, const Passport& passport);

}  // namespace dactyl

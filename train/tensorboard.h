// Scalars as TensorBoard reads them: records of length, checksums and a protobuf Event.
#pragma once

#include <fstream>
#include <string>

#include "engine/check.h"

namespace dactyl {

// One events file per (re)start in the folder, as TensorBoard expects. Failing to write never stops a training.
class TensorBoard {
 public:
  TensorBoard(const std::string& folder, i64 first_step);
  void scalar(const std::string& tag, i64 step, double value);
  void flush() { file_.flush(); }

  static std::string record(const std::string& event);  // framed: u64 length, its masked CRC-32C, bytes, theirs
  static std::string scalar_event(const std::string& tag, i64 step, double value, double seconds);

 private:
  std::ofstream file_;
};

}  // namespace dactyl

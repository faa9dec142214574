// A CSV file that grows by a row per step and can be taken back to an earlier one.
#pragma once

#include <string>

#include "engine/check.h"

namespace dactyl {

// The first column is the step. Opening keeps the rows up to `last_step` and drops later and unfinished ones, so that a
// resumed run's file equals an undisturbed run's. Rows that a full disk refuses wait for room: only sync() fails.
// Errors are Exit::data and name the path.
class StepLog {
 public:
  StepLog(const std::string& path, const std::string& header, i64 last_step);
  ~StepLog();
  StepLog(const StepLog&) = delete;
  StepLog& operator=(const StepLog&) = delete;
  void add(const std::string& row);  // without line end; in the file (not yet on the disk) when it returns
  void sync();                       // on the disk: called before a checkpoint that builds on these rows

 private:
  bool put();  // what waits; false if some of it still does

  std::string path_, waiting_;
  int file_ = -1;
};

}  // namespace dactyl

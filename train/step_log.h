// A CSV file that grows by a row per step and can be taken back to an earlier one.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "engine/check.h"

namespace dactyl {

// The first column is the step. Opening keeps the rows up to `last_step` and drops later and unfinished ones, so that a
// resumed run's file equals an undisturbed run's. Errors are Exit::data and name the path.
class StepLog {
 public:
  StepLog(const std::string& path, const std::string& header, i64 last_step);
  void add(const std::string& row);  // without line end; in the file (not yet on the disk) when it returns
  void sync();                       // on the disk: called before a checkpoint that builds on these rows

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace dactyl

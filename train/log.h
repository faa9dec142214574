// What a run tells people: lines on stderr and, with the time, in log.txt.
#pragma once

#include <string>

namespace dactyl {

class Log {
 public:
  explicit Log(std::string path) : path_(std::move(path)) {}
  // Each line of the text; a failure to write the file never stops a training.
  void say(const std::string& text) const;

 private:
  std::string path_;
};

}  // namespace dactyl

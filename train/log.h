// What a run tells people: lines on stderr and, with the time, in log.txt.
#pragma once

#include <string>

namespace dactyl {

class Log {
 public:
  // Not `aloud`: the file alone gets the lines.
  explicit Log(std::string path, bool aloud = true) : path_(std::move(path)), aloud_(aloud) {}
  // Each line of the text; a failure to write the file never stops a training.
  void say(const std::string& text) const;

 private:
  std::string path_;
  bool aloud_;
};

}  // namespace dactyl

// What a run tells people: lines on stderr and, with the time, in log.txt.
#pragma once

#include <set>
#include <string>

namespace dactyl {

class Log {
 public:
  // Not `aloud`: the file alone gets the lines.
  explicit Log(std::string path, bool aloud = true) : path_(std::move(path)), aloud_(aloud) {}
  // Each line of the text; a failure to write the file never stops a training.
  void say(const std::string& text) const;
  void say_once(const std::string& text) const;  // unless this log has said it before

 private:
  std::string path_;
  bool aloud_;
  mutable std::set<std::string> said_once_;
};

}  // namespace dactyl

// The folder a run leaves behind, the same for every run; one trainer at a time may use it.
#pragma once

#include <string>
#include <vector>

#include "train/trainer.h"

namespace dactyl {

class RunFolder {
 public:
  // Makes the folder and locks it until the end. Usage error if a new run finds one there, or if another process holds
  // the lock; Exit::data if a resumed run finds results, but not the state they belong to.
  RunFolder(const std::string& path, bool resume);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
  bool has_state() const;  // whether there is something to go on from
  // Exit::data if the disk has not so many bytes.
  void require_space(i64 bytes) const;

  void write_command() const;                                       // command.txt: a line for each (re)start
  void write_environment() const;                                   // env.json: machine, devices, libraries
  void write_labels(const std::vector<std::string>& labels) const;  // labels.json: label -> index
  std::vector<std::string> read_labels() const;
  void write_class_weights(const std::vector<std::string>& labels, const std::vector<double>& weights) const;

 private:
  std::string result() const;  // the first file that starting over would overwrite; "": none

  std::string path_;
  int lock_ = -1;
};

}  // namespace dactyl

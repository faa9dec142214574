// The table of everything `dactyl train` can be told: the command line, its help and config.toml are made from it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "train/trainer.h"

namespace dactyl {

struct Setting {
  enum class Kind { text, number, list };
  std::string name, help;  // as in --name
  Kind kind = Kind::text;
  std::function<std::vector<std::string>(const TrainOptions&)> get;         // one text, or those of a list
  std::function<void(TrainOptions&, const std::vector<std::string>&)> set;  // usage error naming the option
  bool may_change = false;  // may differ when a run is resumed: results do not depend on it
};
const std::vector<Setting>& train_settings();

// "0it" and "1ep" need the steps of an epoch: until then they stay texts. Checks every other value.
void check_options(const TrainOptions&);

}  // namespace dactyl

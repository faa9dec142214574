// Ctrl-C, SIGTERM and SIGUSR1 as questions that a loop asks between two steps.
#pragma once

#include "engine/check.h"

namespace dactyl {

// While one is alive the first SIGINT, SIGHUP or SIGTERM is only noted; a second one ends the process at once. SIGINT
// and SIGHUP stay ignored where whoever started the process had them ignored (nohup, a shell's background job).
// Restores the former handlers at its end. One at a time.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  static Exit stop();       // good: go on; interrupted (SIGINT, SIGHUP) or terminated (SIGTERM): finish and leave
  static bool take_save();  // whether SIGUSR1 came since the last call
};

// Thrown out of long work (an evaluation) when stop() says so.
struct Stopped {};

}  // namespace dactyl

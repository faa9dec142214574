// Signal handlers that set a flag.
#include "train/signals.h"

#include <signal.h>
#include <unistd.h>

#include <array>

namespace dactyl {
namespace {

volatile sig_atomic_t stop_signal = 0, save_wanted = 0;
constexpr std::array<int, 4> watched{SIGINT, SIGTERM, SIGHUP, SIGUSR1};
std::array<struct sigaction, 4> former;

void note(int signal) {
  if (signal == SIGUSR1) {
    save_wanted = 1;
    return;
  }
  if (stop_signal != 0) _exit(128 + signal);
  stop_signal = signal;
}

bool stays_ignored(int signal, const struct sigaction& inherited) {
  return (signal == SIGHUP || signal == SIGINT) && inherited.sa_handler == SIG_IGN;
}

}  // namespace

Signals::Signals() {
  stop_signal = 0;
  save_wanted = 0;
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < watched.size(); ++i) {
    sigaction(watched[i], nullptr, &former[i]);
    if (!stays_ignored(watched[i], former[i])) sigaction(watched[i], &action, nullptr);
  }
}

Signals::~Signals() {
  for (std::size_t i = 0; i < watched.size(); ++i) sigaction(watched[i], &former[i], nullptr);
  stop_signal = 0;
}

Exit Signals::stop() {
  if (stop_signal == 0) return Exit::good;
  return stop_signal == SIGTERM ? Exit::terminated : Exit::interrupted;
}

bool Signals::take_save() {
  const bool wanted = save_wanted != 0;
  save_wanted = 0;
  return wanted;
}

}  // namespace dactyl

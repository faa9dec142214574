// Runs gnuplot on a script that lies beside its data.
#pragma once

#include <sys/types.h>

#include <string>

namespace dactyl {

// One gnuplot at a time, in the script's folder, while the caller goes on. Without gnuplot the script and its data
// stay for later, and one warning per process says so.
class Plot {
 public:
  ~Plot() { wait(); }
  // Writes `script` to folder/name.gp (if it changed) and starts gnuplot; does nothing while the last one still runs.
  void start(const std::string& folder, const std::string& name, const std::string& script);
  bool wait();  // for the one started last; whether it ended well

 private:
  pid_t running_ = 0;
  std::string what_;
};

// Draws and waits.
bool plot(const std::string& folder, const std::string& name, const std::string& script);

// A script that draws NAME.csv as NAME.svg and NAME.png, of so many pixels: horizontal bars, the x axis a share of 100.
// `settings` come before, `bars` is what is plotted.
std::string bars_script(const std::string& name, int width, std::size_t height, const std::string& settings,
                        const std::string& bars);

// A text inside single quotes of a gnuplot script, without its mark-up.
std::string quoted_for_plot(const std::string& text);
// The same as the text of a tic, where gnuplot reads % as the start of a format.
std::string quoted_for_tic(const std::string& text);
// The width of a text of UTF-8 in ems, on the safe side for sans-serif fonts; in PNG files of gnuplot a font of 12 has
// ems of 16 pixels.
double width_in_ems(const std::string& text);
// At most so wide, the last character "…" where some are left out.
std::string fitted(const std::string& text, double ems);

}  // namespace dactyl

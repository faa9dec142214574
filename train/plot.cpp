// Starting gnuplot and looking after it.
#include "train/plot.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "weights/checkpoint.h"

namespace dactyl {
namespace {

std::atomic<bool> warned = false;

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Only calls that are allowed between fork and exec.
[[noreturn]] void become_gnuplot(const char* folder, const char* script) {
  const int nothing = open("/dev/null", O_RDWR);
  if (nothing >= 0) {
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    dup2(nothing, STDERR_FILENO);
  }
  if (chdir(folder) == 0) execlp("gnuplot", "gnuplot", script, static_cast<char*>(nullptr));
  _exit(127);
}

// Of a character by its first byte, in DejaVu Sans, which is wider than most; the bytes that continue it have none.
double ems_of(unsigned char byte) {
  if (byte >= 0xE0) return 1;  // up to Chinese
  if (byte >= 0xC0) return 0.75;
  if (byte >= 0x80 || byte == 0) return 0;
  if (std::strchr("mwMW%@", byte)) return 1;
  if (std::strchr("fijlrtI .,:;'!|-()[]", byte)) return 0.41;
  return std::isupper(byte) ? 0.79 : 0.64;
}

}  // namespace

void Plot::start(const std::string& folder, const std::string& name, const std::string& script) {
  if (running_ > 0 && waitpid(running_, nullptr, WNOHANG) == 0) return;
  const std::string file = name + ".gp", path = folder + "/" + file;
  if (content(path) != script) write_atomically(path, script);
  what_ = path;
  running_ = fork();
  if (running_ == 0) become_gnuplot(folder.c_str(), file.c_str());
}

bool Plot::wait() {
  if (running_ <= 0) return true;
  int status = 0;
  const bool known = waitpid(running_, &status, 0) == running_;
  running_ = 0;
  const bool good = known && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  const bool absent = known && WIFEXITED(status) && WEXITSTATUS(status) == 127;
  if (!good && !warned.exchange(true))
    std::fprintf(stderr, "warning: %s was not drawn, %s; the script and its data are there\n", what_.c_str(),
                 absent ? "gnuplot is not installed" : "gnuplot failed: run it on that file to see why");
  return good;
}

bool plot(const std::string& folder, const std::string& name, const std::string& script) {
  Plot one;
  one.start(folder, name, script);
  return one.wait();
}

std::string quoted_for_plot(const std::string& text) {
  std::string safe;
  for (const char c : text) safe += c == '\'' ? std::string("''") : c == '\n' ? std::string(" ") : std::string(1, c);
  return "'" + safe + "'";
}

std::string quoted_for_tic(const std::string& text) {
  std::string safe;
  for (const char c : text) safe += c == '%' ? "%%" : std::string(1, c);
  return quoted_for_plot(safe);
}

double width_in_ems(const std::string& text) {
  double width = 0;
  for (const char c : text) width += ems_of(static_cast<unsigned char>(c));
  return width;
}

std::string fitted(const std::string& text, double ems) {
  if (width_in_ems(text) <= ems) return text;
  std::size_t end = 0;
  for (double width = 1; end < text.size(); ++end) {  // "…" has one em
    width += ems_of(static_cast<unsigned char>(text[end]));
    if (width > ems) break;
  }
  return text.substr(0, end) + "…";
}

std::string bars_script(const std::string& name, int width, std::size_t height, const std::string& settings,
                        const std::string& bars) {
  const std::string small = to_text(width) + "," + to_text(height),
                    large = to_text(2 * width) + "," + to_text(2 * height);
  return "# Draws " + name + ".csv: gnuplot " + name + R"(.gp
set datafile separator ','
set encoding utf8
unset key
set border 1 lc rgb '#888888'
set tics textcolor rgb '#333333'
set style fill solid noborder
set xtics nomirror scale 0.5
set grid xtics lc rgb '#dddddd' lt 1
)" + settings +
         "do for [kind in 'svg png'] {\n  if (kind eq 'svg') { set terminal svg size " + small +
         " font 'sans,13' background rgb 'white' }\n  if (kind eq 'png') { set terminal pngcairo size " + large +
         " font 'sans,13' fontscale 2 linewidth 2 }\n  set output '" + name + ".' . kind\n  plot '" + name + ".csv' " +
         bars + "\n  set output\n}\n";
}

}  // namespace dactyl

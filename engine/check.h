// One exception, and one function that throws it with a sentence a user can act on.
#pragma once

#include <cstdint>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace dactyl {

using i64 = std::int64_t;

// What a failure means to whoever called the program; the value is the process's exit code.
enum class Exit {
  good = 0,
  failure = 1,
  usage = 2,
  data = 3,
  numerics = 4,
  check = 5,
  memory = 6,
  rank = 7,
  device_lost = 8,
  model_file = 65,
  interrupted = 130,
  terminated = 143,
};

class Error : public std::runtime_error {
 public:
  Error(Exit exit, const std::string& text) : std::runtime_error(text), exit_(exit) {}
  Exit exit() const { return exit_; }

 private:
  Exit exit_;
};

// Values become text only when a check fails. Add an overload beside your own type to print it.
std::string to_text(bool);
std::string to_text(i64);
std::string to_text(double);
std::string to_text(std::string_view);
inline std::string to_text(int v) { return to_text(i64{v}); }
inline std::string to_text(unsigned v) { return to_text(i64{v}); }
inline std::string to_text(std::size_t v) { return to_text(static_cast<i64>(v)); }
inline std::string to_text(float v) { return to_text(double{v}); }
inline std::string to_text(const std::string& v) { return v; }
inline std::string to_text(const char* v) { return v; }

// The text of a check and the line that made it: the converting constructor catches the caller's position.
struct Message {
  std::string_view text;
  std::source_location where;
  Message(const char* t, std::source_location w = std::source_location::current()) : text(t), where(w) {}
  Message(std::string_view t, std::source_location w = std::source_location::current()) : text(t), where(w) {}
};

// Replaces each {} of the text by the next value and throws Error. User-facing kinds (usage, data, model_file,
// memory, interrupted) carry the sentence alone; internal failures add [file:line].
[[noreturn]] void fail(Exit exit, const Message& message, const std::vector<std::string>& values);

template <class... V>
void check(Exit exit, bool ok, Message message, const V&... values) {
  if (!ok) [[unlikely]]
    fail(exit, message, {to_text(values)...});
}

template <class... V>
void check(bool ok, Message message, const V&... values) {
  if (!ok) [[unlikely]]
    fail(Exit::failure, message, {to_text(values)...});
}

}  // namespace dactyl

// Text from files: whole, for terminals, and what may be a name.
#pragma once

#include <string>
#include <string_view>

#include "engine/check.h"

namespace dactyl {

// A text for a terminal: control characters and what is not UTF-8 as \x and two digits, so that it stays on its line.
std::string one_line(std::string_view text);
// Names and texts from a file as they may appear in an error: in quotes, on one line, long ones cut.
std::string shown(std::string_view text);
bool is_utf8(std::string_view text);

// Whether a name from a file can be trusted in paths and terminals: 1 to 512 bytes of UTF-8 without control characters
// and without "../".
bool is_sound_name(std::string_view name);

// An ordinary text file, whole: a table, a list, settings. `exit` is what it means that there is none.
std::string text_file(const std::string& path, Exit exit);

}  // namespace dactyl

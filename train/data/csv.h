// Comma-separated tables with a header line (RFC 4180).
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace dactyl {

struct Table {
  std::string path;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // each as long as the header

  std::size_t column(const std::string& name) const;  // throws Exit::data, listing the columns there are
};

// Fields may be quoted, quotes doubled, lines end in LF or CRLF; a byte-order mark and empty lines are skipped. Throws
// Exit::data: path, line, what is wrong, be it only that a field is not UTF-8.
Table read_csv(const std::string& path);
// The same row by row, the header first, for tables that are read once: `line` is where the row begins.
using Row = std::vector<std::string>;
void read_csv(const std::string& path, const std::function<void(int line, Row row)>& take);

std::string csv_field(const std::string& text);  // in quotes where it needs them
// The shortest text that reads back as the same number.
std::string exact_text(double value);
std::string exact_text(float value);

}  // namespace dactyl

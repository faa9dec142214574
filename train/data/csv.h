// Comma-separated tables with a header line (RFC 4180).
#pragma once

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

// The shortest text that reads back as the same number.
std::string exact_text(double value);

}  // namespace dactyl

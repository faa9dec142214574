// Reads comma-separated tables.
#include "train/data/csv.h"

#include <algorithm>
#include <charconv>

#include "weights/text.h"

namespace dactyl {
namespace {

// Splits text into records, field by field.
class Parser {
 public:
  Parser(const std::string& path, const std::string& text) : path_(path), text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }
  bool done() const { return at_ >= text_.size(); }
  int line() const { return line_; }

  std::vector<std::string> record() {
    std::vector<std::string> fields;
    do fields.push_back(peek() == '"' ? quoted() : plain());
    while (take(','));
    take('\r');
    check(Exit::data, done() || take('\n'), "{}:{}: text after a closing quote", path_, line_);
    for (const std::string& field : fields)
      check(Exit::data, is_utf8(field), "{}:{}: {} is not UTF-8; save the table as UTF-8", path_, line_, shown(field));
    ++line_;
    return fields;
  }

 private:
  char peek() const { return done() ? '\n' : text_[at_]; }
  bool take(char c) {
    if (done() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string plain() {
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    const std::string field = text_.substr(at_, end - at_);
    at_ = end;
    return field;
  }
  std::string quoted() {
    const int start = line_;
    std::string field;
    for (++at_; !done(); ++at_) {
      if (text_[at_] == '"' && (++at_ >= text_.size() || text_[at_] != '"')) return field;
      line_ += text_[at_] == '\n';
      field += text_[at_];
    }
    fail(Exit::data, "{}:{}: a quote is never closed", {path_, to_text(start)});
  }

  const std::string& path_;
  const std::string& text_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

std::size_t Table::column(const std::string& name) const {
  const auto found = std::find(header.begin(), header.end(), name);
  std::string all;
  for (const std::string& h : header) all += (all.empty() ? "" : ", ") + h;
  check(Exit::data, found != header.end(), "{}: no column \"{}\" in the header line; found: {}", path, name, all);
  return static_cast<std::size_t>(found - header.begin());
}

void read_csv(const std::string& path, const std::function<void(int, Row)>& take) {
  const std::string text = text_file(path, Exit::data);
  check(Exit::data, !text.empty(), "{}: is empty; a header line is expected", path);
  Parser parser(path, text);
  Row header = parser.record();
  const std::size_t columns = header.size();
  take(1, std::move(header));
  while (!parser.done()) {
    const int line = parser.line();
    Row fields = parser.record();
    if (fields.size() == 1 && fields[0].empty()) continue;
    check(Exit::data, fields.size() == columns, "{}:{}: {} fields, the header has {}", path, line, fields.size(),
          columns);
    take(line, std::move(fields));
  }
}

Table read_csv(const std::string& path) {
  Table table{path, {}, {}};
  read_csv(path, [&](int line, Row row) {
    if (line == 1)
      table.header = std::move(row);
    else
      table.rows.push_back(std::move(row));
  });
  return table;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == text.npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string exact_text(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string exact_text(float value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

}  // namespace dactyl
